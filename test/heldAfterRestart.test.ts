/** What one account holds is asked of that account after a restart, and by every process of one store. */

import type { ServerResponse } from 'node:http'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { type FakeWorld, type InterceptedCall, startFakeProviders } from '../src/lab/fake/fakeProviders.ts'
import { type RunningGateway, startGateway } from '../src/server/serve.ts'
import { loadSqlite } from '../src/store/sqlite/module.ts'
import { TOKEN } from './support/gatewayWorld.ts'
import { makeHome, serving } from './support/runKeywise.ts'
import { temporaryFolder } from './support/temporaryFolder.ts'

const KEYS = 3
const names = Array.from({ length: KEYS }, (_, index) => `fake-held-${'0'.repeat(12)}${index}`)
const keys = Object.fromEntries(names.map((name) => [name, {}]))
const CLAUDE = 'claude-sonnet-5'

let fakes: FakeWorld
beforeAll(async () => {
  fakes = await startFakeProviders(
    {
      providers: {
        own: { dialect: 'openai-responses', keys, models: { m: {}, other: {} } },
        messages: { dialect: 'anthropic', keys, models: { [CLAUDE]: {} } },
      },
    },
    { instead: answerContainers },
  )
})
afterAll(() => fakes.close())

/** Only the last account has `container_01a`; for `container_make` each makes one of its own. */
function answerContainers({ key, body }: InterceptedCall, response: ServerResponse): boolean {
  const answer = (message: Record<string, unknown>) =>
    (body as { stream?: boolean }).stream ? answerEvents(response, message) : answerJson(response, 200, message)
  const named = /container_(?:01a|make|of_\d)/.exec(JSON.stringify(body))?.[0]
  if (named === undefined || (named === 'container_01a' && key === KEYS)) return false
  if (named === 'container_make')
    return answer({ ...MESSAGE, container: { id: `container_of_${key}`, expires_at: '2026-12-01T00:00:00Z' } })
  if (named === `container_of_${key}`) return answer(MESSAGE)
  const error = { type: 'not_found_error', message: `container ${named} not found` }
  return answerJson(response, 404, { type: 'error', error })
}

const MESSAGE = {
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: CLAUDE,
  content: [{ type: 'text', text: 'Hi' }],
  stop_reason: 'end_turn',
  usage: { input_tokens: 1, output_tokens: 1 },
}

function answerJson(response: ServerResponse, status: number, body: object): true {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  return true
}

/** A container is named at the end: https://platform.claude.com/docs/en/build-with-claude/streaming (2026-11-30) */
function answerEvents(response: ServerResponse, { container = null, ...message }: Record<string, unknown>): true {
  const { usage } = MESSAGE
  const delta = { stop_reason: 'end_turn', stop_sequence: null, container }
  const events = [
    { type: 'message_start', message: { ...message, content: [], stop_reason: null, container: null } },
    { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
    { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'Hi' } },
    { type: 'content_block_stop', index: 0 },
    { type: 'message_delta', delta, usage },
    { type: 'message_stop' },
  ]
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  response.end(events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join(''))
  return true
}

type Block = Readonly<Record<string, unknown>> & { readonly api_keys?: readonly unknown[] }

/** The providers with these of their keys, by 0-based index, in this order. */
function configWith(kept: readonly number[] = [0, 1, 2]): Record<string, Block> {
  const blocks = Object.entries(fakes.config()) as [string, Block][] // it writes such blocks
  return Object.fromEntries(
    blocks.map(([id, block]) => [id, { ...block, api_keys: kept.map((index) => names[index]) }]),
  )
}

const ENV = { KEYWISE_TOKEN: TOKEN, KEYWISE_ADMIN_TOKEN: `test-admin-${'a'.repeat(20)}` }
const silent = () => undefined

async function start(store: string, config: object = configWith()): Promise<RunningGateway> {
  const gateway = await startGateway({
    config,
    store,
    port: 0,
    env: ENV,
    logger: { info: silent, warn: silent, error: silent },
    sleep: () => Promise.resolve(),
  })
  onTestFinished(() => gateway.close(0))
  return gateway
}

async function ask(origin: string, path: string, body?: object, method = body === undefined ? 'GET' : 'POST') {
  const response = await fetch(origin + path, {
    method,
    headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  const { headers, status } = response
  const ids = [...text.matchAll(/"(?:id)":\s?"((?:resp|msg)_[^"]+)"/g)].map(([, id]) => id ?? '')
  return {
    status,
    text,
    id: ids[0] ?? '',
    target: headers.get('x-keywise-target'),
    trail: headers.get('x-keywise-trail'),
  }
}

const say = (more: object = {}) => ({ model: 'own/m', input: 'Hi', ...more })
const newStore = () => join(temporaryFolder(), 'keywise.db')
const keyOf = (target: string | null) => Number(target?.split('#')[1])

/** Answers of every key: each asked for until all have one. */
async function answersOfEvery(origin: string, more: object = {}) {
  const found = new Map<number, Awaited<ReturnType<typeof ask>>>()
  for (let time = 0; found.size < KEYS && time < 60; time++) {
    const answer = await ask(origin, '/v1/responses', say({ input: `Hi ${time}`, ...more }))
    found.set(keyOf(answer.target), answer)
  }
  expect([...found.keys()].sort()).toEqual([1, 2, 3])
  return found
}

test(
  'a gateway that was killed finds what it was told before, and so does one beside it',
  { timeout: 60_000 },
  async () => {
    const home = makeHome(configWith(), ENV)
    const store = join(home.folder, 'shared.db')
    const serve = () => serving(home, '--port', '0', '--store', store)
    const first = await serve()
    const answers = await answersOfEvery(first.origin)
    const beside = await start(store)
    const last = [...answers.values()].at(-1)?.id ?? ''
    let seen = 404
    // Rows are written together, a moment after the answers.
    while (seen === 404) seen = (await ask(beside.app.origin, `/v1/responses/${last}`)).status
    expect(seen).toBe(200)
    first.running.kill('SIGKILL')
    await first.closed
    const again = await serve()
    for (const [key, { id }] of answers) {
      for (const { origin } of [again, beside.app]) {
        const read = await ask(origin, `/v1/responses/${id}`)
        expect([read.status, read.target]).toEqual([200, `own/m#${key}`])
        expect((await ask(origin, '/v1/responses', say({ previous_response_id: id }))).target).toBe(`own/m#${key}`)
      }
      expect((await ask(again.origin, `/v1/responses/${id}`, undefined, 'DELETE')).status).toBe(200)
      expect((await ask(beside.app.origin, `/v1/responses/${id}`)).status).toBe(404)
    }
  },
)

describe('after a restart', () => {
  test('a streamed response is found, also by a key in another place of the configuration', async () => {
    const store = newStore()
    const first = await start(store)
    const { id, target } = await ask(first.app.origin, '/v1/responses', say({ stream: true }))
    await first.close(0)
    const key = keyOf(target)
    const order = [2, 1, 0]
    const again = await start(store, configWith(order))
    const read = await ask(again.app.origin, `/v1/responses/${id}`)
    expect([read.status, read.id, read.target]).toEqual([200, id, `own/m#${order.indexOf(key - 1) + 1}`])
  })

  test('what a removed key held is not found, in the words of the vendor, and nobody is asked', async () => {
    const store = newStore()
    const first = await start(store)
    const held = await ask(first.app.origin, '/v1/responses', say())
    const unstored = await ask(first.app.origin, '/v1/responses', say({ store: false }))
    const removed = keyOf(held.target) - 1
    await first.close(0)
    const again = await start(store, configWith([0, 1, 2].filter((index) => index !== removed)))
    fakes.forget()
    for (const { id } of [held, unstored])
      for (const [path, method] of [
        ['', 'GET'],
        ['', 'DELETE'],
        ['/input_items', 'GET'],
        ['/cancel', 'POST'],
      ] as const) {
        const lost = await ask(again.app.origin, `/v1/responses/${id}${path}`, undefined, method)
        expect([lost.status, JSON.parse(lost.text)]).toMatchObject([
          404,
          {
            error: {
              type: 'invalid_request_error',
              message: expect.stringContaining(`Response with id '${id}' not found.`),
            },
          },
        ])
      }
    const next = await ask(again.app.origin, '/v1/responses', say({ previous_response_id: held.id }))
    expect([next.status, JSON.parse(next.text)]).toMatchObject([
      400,
      {
        error: {
          type: 'invalid_request_error',
          code: 'previous_response_not_found',
          param: 'previous_response_id',
          message: expect.stringContaining(`Previous response with id '${held.id}' not found.`),
        },
      },
    ])
    expect(fakes.calls).toEqual([])
  })

  test('another key of the same account answers for a removed one', async () => {
    const shared = (index: number) => ({ key: names[index], account: 'work' })
    const blocks = (indexes: readonly number[]) => {
      const { own } = configWith()
      return { own: { ...own, api_keys: indexes.map(shared) } }
    }
    const store = newStore()
    const first = await start(store, blocks([0, 1]))
    const { id, target } = await ask(first.app.origin, '/v1/responses', say())
    await first.close(0)
    const left = keyOf(target) === 1 ? 1 : 0
    const again = await start(store, blocks([left]))
    fakes.forget()
    const next = await ask(again.app.origin, '/v1/responses', say({ previous_response_id: id }))
    // The simulated account is another one: what counts is that this key was asked.
    expect(fakes.calls.map(({ key }) => key)).toEqual([left + 1])
    expect(next.text).toContain(`Previous response with id '${id}' not found.`)
  })

  test('an Anthropic thread goes on at its account, and is not found where the key is gone', async () => {
    const store = newStore()
    const body = (thread: object) => ({
      model: CLAUDE,
      max_tokens: 50,
      messages: [{ role: 'user', content: 'Hi' }],
      thread,
    })
    const first = await start(store)
    const begun = await ask(first.app.origin, '/v1/messages', body({ type: 'create' }))
    await first.close(0)
    const second = await start(store)
    const next = body({ type: 'continue', previous_message_id: begun.id })
    const continued = await ask(second.app.origin, '/v1/messages', next)
    expect([continued.status, continued.target]).toEqual([200, begun.target])
    await second.close(0)
    const removed = keyOf(begun.target) - 1
    const third = await start(store, configWith([0, 1, 2].filter((index) => index !== removed)))
    fakes.forget()
    const lost = await ask(third.app.origin, '/v1/messages', {
      ...next,
      thread: { type: 'continue', previous_message_id: continued.id },
    })
    expect([lost.status, JSON.parse(lost.text)]).toMatchObject([
      404,
      { type: 'error', error: { type: 'not_found_error', details: { error_code: 'thread_not_found' } } },
    ])
    expect(fakes.calls).toEqual([])
  })

  test('a container is asked of the account that answered for it', async () => {
    const store = newStore()
    const body = {
      model: CLAUDE,
      max_tokens: 50,
      messages: [{ role: 'user', content: 'Hi' }],
      container: 'container_01a',
    }
    const settings = { routing: { strategy: 'priority', exploration: { rate: 0 } } }
    const first = await start(store, { ...configWith(), settings })
    const found = await ask(first.app.origin, '/v1/messages', body)
    expect(found.trail).toMatch(new RegExp(`=bad_request; .*messages/${CLAUDE}#3=ok$`))
    await first.close(0)
    const again = await start(store, { ...configWith(), settings })
    expect((await ask(again.app.origin, '/v1/messages', body)).trail).toBe(`messages/${CLAUDE}#3=ok`)
  })

  test.each([
    false,
    true,
  ])('a container that an answer made is asked of the account that made it (stream: %s)', async (stream) => {
    const store = newStore()
    const body = (container: string) => ({
      model: CLAUDE,
      max_tokens: 50,
      messages: [{ role: 'user', content: 'Hi' }],
      container,
      stream,
    })
    const first = await start(store)
    const made = await ask(first.app.origin, '/v1/messages', body('container_make'))
    await first.close(0)
    const again = await start(store)
    const used = await ask(again.app.origin, '/v1/messages', body(`container_of_${keyOf(made.target)}`))
    expect([used.status, used.trail]).toEqual([200, `${made.target}=ok`])
    fakes.forget()
    const stranger = again.tokens.add('stranger', 'inference')
    const strange = await fetch(`${again.app.origin}/v1/messages`, {
      method: 'POST',
      headers: { authorization: `Bearer ${stranger}`, 'content-type': 'application/json' },
      body: JSON.stringify(body(`container_of_${keyOf(made.target)}`)),
    })
    expect([strange.status, fakes.calls.length]).toEqual([404, 0])
  })
})

test('the store names neither the response nor the key, and is found only by the token that asked', async () => {
  const store = newStore()
  const gateway = await start(store)
  const { id } = await ask(gateway.app.origin, '/v1/responses', say())
  const stranger = gateway.tokens.add('stranger', 'inference')
  const asked = await fetch(`${gateway.app.origin}/v1/responses/${id}`, {
    headers: { authorization: `Bearer ${stranger}` },
  })
  expect(asked.status).toBe(404)
  await gateway.close(0)
  const sqlite = loadSqlite()
  const database = sqlite === undefined ? null : new sqlite.DatabaseSync(store, { readOnly: true })
  const rows = database?.prepare('SELECT * FROM holdings').all() ?? []
  database?.close()
  // One for the token that asked, one that says to the others that it is not theirs.
  expect(rows).toHaveLength(2)
  expect(Object.keys(rows[0] ?? {})).toEqual(['id', 'at', 'provider', 'model', 'fingerprint', 'account'])
  for (const secret of [id, ...names]) expect(JSON.stringify(rows)).not.toContain(secret)
})
