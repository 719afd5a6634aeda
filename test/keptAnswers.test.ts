/** No answer is complete for a client before its row is kept: the end of a stream waits for it, in every protocol. */

import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { dialectOf } from '../src/dialects/dialects.ts'
import type { ChatChunk, DialectId } from '../src/domain/chat.ts'
import { type RunningGateway, startGateway } from '../src/server/serve.ts'
import { openSqliteStore } from '../src/store/sqlite/sqlite.ts'
import { ADMIN_TOKEN, TOKEN, until } from './support/gatewayWorld.ts'
import { listening } from './support/listening.ts'

const DIALECTS = ['openai', 'openai-responses', 'anthropic', 'google'] as const

const BEGINNING: readonly ChatChunk[] = [
  { type: 'start', id: 'a1', model: 'm' },
  { type: 'text-delta', text: 'Hello ' },
  { type: 'text-delta', text: 'there' },
]
const END: readonly ChatChunk[] = [
  { type: 'finish', finishReason: 'stop' },
  { type: 'usage', usage: { inputTokens: 3, outputTokens: 2, totalTokens: 5, estimated: false } },
  { type: 'end' },
]

/** What a client takes for the end of a stream. */
const LAST = {
  openai: '[DONE]',
  'openai-responses': 'response.completed',
  anthropic: 'message_stop',
  google: '"finishReason"',
} as const

const asked = { model: 'm', messages: [], stream: true, wantsUsage: true }

/** Says the beginning of an answer at once, and its end when told to; the connection stays open until `hangUp`. */
class Upstream {
  readonly #server = createServer()
  readonly #responses: ServerResponse[] = []
  readonly #ends: string[] = []
  readonly #dialect: DialectId
  endpoint = ''

  constructor(dialect: DialectId) {
    this.#dialect = dialect
  }

  async start(): Promise<void> {
    this.#server.on('request', (request, response) => {
      request.resume()
      if (request.method !== 'POST') return void response.writeHead(404).end()
      const writer = dialectOf(this.#dialect).client.streamWriter(asked, { now: Date.UTC(2026, 10, 23) })
      const said = (chunks: readonly ChatChunk[]) => chunks.map((chunk) => writer.write(chunk)).join('')
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write(said(BEGINNING))
      this.#responses.push(response)
      this.#ends.push(said(END))
    })
    await once(this.#server.listen(0, '127.0.0.1'), 'listening')
    this.endpoint = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/v1` // of a server that listens
  }

  sayEnd(): void {
    for (const [index, response] of this.#responses.entries()) response.write(this.#ends[index])
  }

  hangUp(): void {
    for (const response of this.#responses.splice(0)) response.end()
    this.#ends.length = 0
  }

  stop(): void {
    this.#server.close().closeAllConnections()
  }
}

const SETTINGS = {
  port: 0,
  env: { KEYWISE_TOKEN: TOKEN, KEYWISE_ADMIN_TOKEN: ADMIN_TOKEN },
  logger: { info() {}, warn() {}, error() {} },
} as const

let now = 1_000_000
let gateway: RunningGateway
let path = ''
const upstreams = new Map(DIALECTS.map((dialect) => [dialect, new Upstream(dialect)]))

beforeAll(async () => {
  path = join(mkdtempSync(join(tmpdir(), 'keywise-kept-')), 'keywise.db')
  for (const upstream of upstreams.values()) await upstream.start()
  const blocks = DIALECTS.map((dialect) => [
    `own-${dialect}`,
    { dialect, endpoint: upstreams.get(dialect)?.endpoint, api_key: `k${'0'.repeat(20)}`, models: ['m'] },
  ])
  gateway = await startGateway({
    config: Object.fromEntries(blocks),
    ...SETTINGS,
    store: path,
    monotonic: () => now,
    // No row is stored by itself meanwhile.
    flushMs: 3_600_000,
  })
})
afterAll(async () => {
  await gateway.close(0)
  for (const upstream of upstreams.values()) upstream.stop()
  rmSync(dirname(path), { recursive: true })
})

const messages = [{ role: 'user', content: 'Hi' }]

/** What the client has read so far, and a promise of the whole. */
async function ask(client: DialectId, target: string): Promise<{ read: string; whole: Promise<void> }> {
  const [route, body] = {
    openai: ['/v1/chat/completions', { model: target, messages, stream: true }],
    'openai-responses': ['/v1/responses', { model: target, input: 'Hi', stream: true }],
    anthropic: ['/v1/messages', { model: target, messages, stream: true, max_tokens: 100 }],
    google: [
      `/v1beta/models/${target}:streamGenerateContent?alt=sse`,
      { contents: [{ role: 'user', parts: [{ text: 'Hi' }] }] },
    ],
  }[client] as unknown as readonly [string, object] // as all of them are
  const response = await fetch(gateway.app.origin + route, {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
  })
  const seen = { read: '', whole: Promise.resolve() }
  const decoder = new TextDecoder()
  seen.whole = (async () => {
    for await (const bytes of response.body ?? []) seen.read += decoder.decode(bytes, { stream: true })
  })()
  return seen
}

/** The rows that the next process would find if this one were killed now. */
function kept(): readonly { readonly ok: boolean; readonly streamed: boolean }[] {
  const store = openSqliteStore(path, { now: Date.now, warn() {}, ownerState: () => 'unknown' })
  const rows = store.attempts({})
  void store.close()
  return rows
}

const turns = () => new Promise((resolve) => setTimeout(resolve, 20))

for (const client of DIALECTS) {
  describe(`a ${client} client`, () => {
    for (const upstream of DIALECTS) {
      test(`gets the end of a stream from ${upstream} when its row is kept`, async () => {
        const before = kept().length
        const seen = await ask(client, `own-${upstream}/m`)
        await until(() => seen.read.includes('Hello'))
        upstreams.get(upstream)?.sayEnd()
        await turns()
        expect(seen.read).not.toContain(LAST[client])
        expect(kept()).toHaveLength(before)

        upstreams.get(upstream)?.hangUp()
        await until(() => seen.read.includes(LAST[client]))
        const rows = kept()
        expect([rows.length, rows[0]]).toMatchObject([before + 1, { ok: true, streamed: true }])
        await seen.whole
        expect(seen.read.lastIndexOf(LAST[client])).toBeGreaterThan(seen.read.indexOf('there'))
      })
    }
  })
}

test('an upstream that stays connected after its last event holds an answer for half a second, and is no failure', async () => {
  const seen = await ask('openai', 'own-openai/m')
  await until(() => seen.read.includes('Hello'))
  upstreams.get('openai')?.sayEnd()
  await turns()
  expect(seen.read).not.toContain('[DONE]')
  now += 600
  await seen.whole
  expect(seen.read).toContain('[DONE]')
  expect(kept()[0]).toMatchObject({ ok: true })
})

test('what Gemini says after a finish reason arrives at once, except for the last part', async () => {
  const responses: ServerResponse[] = []
  const server = createServer((request, response) => {
    request.resume()
    if (request.method !== 'POST') return void response.writeHead(404).end()
    responses.push(response.writeHead(200, { 'content-type': 'text/event-stream' }))
  })
  const endpoint = `${await listening(server)}/v1`
  // Old models, and each of several answers, have a finish reason in every part.
  const part = (text: string) =>
    `data: ${JSON.stringify({ candidates: [{ content: { role: 'model', parts: [{ text }] }, finishReason: 'STOP', index: 0 }] })}\n\n`
  const other = await startGateway({
    ...SETTINGS,
    config: { own: { dialect: 'google', endpoint, api_key: `k${'0'.repeat(20)}`, models: ['m'] } },
    store: 'memory:',
  })
  const response = fetch(`${other.app.origin}/v1beta/models/own/m:streamGenerateContent?alt=sse`, {
    method: 'POST',
    body: JSON.stringify({ contents: [{ role: 'user', parts: [{ text: 'Hi' }] }] }),
    headers: { 'x-goog-api-key': TOKEN, 'content-type': 'application/json' },
  })
  await until(() => responses.length === 1)
  const [sending] = responses
  sending?.write(part('one'))
  await turns()
  sending?.write(part('two'))
  const reader = (await response).body?.getReader()
  const text = async () => new TextDecoder().decode((await reader?.read())?.value)
  expect(await text()).toContain('one')
  sending?.write(part('three'))
  expect(await text()).toContain('two')
  sending?.end()
  expect(await text()).toContain('three')
  await other.close(0)
})
