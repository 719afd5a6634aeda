/**
 * No key may appear anywhere: every fault echoes the key it was given, in the body, in headers, in streams and in HTML.
 */

import { readdirSync, readFileSync, statSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { expect, test } from 'vitest'
import { KeywiseError } from '../src/domain/errors.ts'
import { APIManager } from '../src/manager/apiManager.ts'
import { testApiKeys } from '../src/tester/apiKeyTester.ts'
import { listening } from './support/listening.ts'
import { put, temporaryFolder } from './support/temporaryFolder.ts'

const DIALECTS = ['openai', 'openai-responses', 'anthropic', 'google'] as const
const STATUSES = [200, 302, 400, 401, 402, 403, 404, 413, 422, 429, 500, 503, 529]
const KEYS = [1, 2].map((index) => `canary-${index}-${'q7Zx'.repeat(8)}`)

const keyOf = ({ headers }: IncomingMessage) =>
  String(headers.authorization ?? headers['x-api-key'] ?? headers['x-goog-api-key'] ?? '').replace(/^Bearer /, '')

/** Each answers with the key wherever a key can be put. */
const ECHOES: readonly ((key: string, status: number, response: ServerResponse) => void)[] = [
  (key, status, response) => {
    const error = { message: `Incorrect API key provided: ${key}. Model ${key}`, type: key, code: key, param: key }
    response.writeHead(status, { 'content-type': 'application/json', 'x-echo': key, 'retry-after': '1' })
    response.end(JSON.stringify({ error, message: key, detail: key, request_id: key }))
  },
  (key, status, response) => {
    response.writeHead(status, { 'content-type': 'application/json', location: `http://127.0.0.1:9/?key=${key}` })
    response.end(
      JSON.stringify({ error: { code: status, status: key, message: key, details: [{ reason: key, quotaId: key }] } }),
    )
  },
  (key, status, response) => {
    response.writeHead(status, { 'content-type': 'text/html', 'set-cookie': `k=${key}` })
    response.end(`<html><title>${key}</title><body>Authorization: Bearer ${key}</body></html>`)
  },
  (key, _status, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.end(
      `event: error\ndata: ${JSON.stringify({ type: 'error', error: { type: key, message: `no ${key}` } })}\n\n`,
    )
  },
  (key, _status, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'x-ratelimit-limit-requests': key })
    response.write('data: {"choices":[{"index":0,"delta":{"content":"so "}}]}\n\n')
    response.end(`data: ${JSON.stringify({ error: { message: `key ${key}`, code: key } })}\n\n`)
  },
  (key, status, response) => {
    response.writeHead(status, { 'content-type': 'text/plain' })
    response.end(Buffer.from(`${'x'.repeat(250)}${key}${encodeURIComponent(key)}`))
  },
  (key, _status, response) =>
    response.socket?.end(`HTTP/1.1 200 ${key}\r\nx: ${key}\r\ncontent-length: zzz ${key}\r\n\r\n`),
]

test('no error, log line, event, store, stats file or report contains a key that an upstream repeats', async () => {
  let place = 0
  const server = createServer((request, response) => {
    request.resume()
    const echo = ECHOES[place % ECHOES.length]
    echo?.(keyOf(request), STATUSES[place++ % STATUSES.length] ?? 500, response)
  })
  const origin = await listening(server)

  const folder = temporaryFolder()
  const providers = Object.fromEntries(
    DIALECTS.map((dialect) => [
      dialect.replace('-', ''),
      { dialect, endpoint: `${origin}/v1`, api_keys: KEYS, models: ['m', 'n'] },
    ]),
  )
  const config = put(
    folder,
    'config/api-keys.json',
    JSON.stringify({ ...providers, settings: { models: { own: ['*'] } } }),
  )
  const said: string[] = []
  const logger = { info: say, warn: say, error: say }
  function say(line: string): void {
    said.push(line)
  }
  const options = { config, store: join(folder, 'keywise.db'), env: {}, cwd: folder, logger, random: () => 0 }
  const manager = new APIManager({ ...options, sleep: () => Promise.resolve() })
  for (const event of ['attempt', 'decision', 'exhausted', 'recovered', 'alert'] as const)
    manager.on(event, (news) => said.push(inspect(news, { depth: 9 })))
  await manager.ready()
  const gather = (error: unknown) => {
    said.push(inspect(error, { depth: 9 }))
    if (error instanceof KeywiseError) said.push(JSON.stringify([error, error.message, error.attempts, error.stack]))
  }
  for (let call = 0; call < 40; call++) {
    const model = `${DIALECTS[call % DIALECTS.length]?.replace('-', '')}/m`
    const context = { prompt: `hi ${call}`, model, timeoutMs: 2000 }
    if (call % 2 === 0)
      await manager.callWithFallback(context).then((result) => said.push(JSON.stringify(result)), gather)
    else await manager.streamWithFallback(context).result.then((result) => said.push(JSON.stringify(result)), gather)
    manager.engine.lift(manager.engine.registry.targets[call % 16] ?? manager.engine.registry.targets[0]!, [
      'auth_invalid',
      'billing',
      'quota_day',
    ])
  }
  said.push(
    JSON.stringify(await testApiKeys({ engine: manager.engine, limitPatienceMs: 0, timeoutMs: 500 }).catch(gather)),
  )
  said.push(JSON.stringify(manager.rankTargets()), JSON.stringify(manager.getSessionSummary()))
  await manager.close()

  expect(said.length).toBeGreaterThan(100)
  for (const key of KEYS) expect(said.filter((text) => text.includes(key))).toEqual([])
  for (const file of filesIn(folder)) {
    if (file === config) continue
    const bytes = readFileSync(file)
    for (const key of KEYS) expect([file, bytes.includes(key)]).toEqual([file, false])
  }
  expect(filesIn(folder).some((file) => file.endsWith('apiStats.json'))).toBe(true)
})

function filesIn(folder: string): string[] {
  return readdirSync(folder)
    .map((name) => join(folder, name))
    .flatMap((path) => (statSync(path).isDirectory() ? filesIn(path) : [path]))
}
