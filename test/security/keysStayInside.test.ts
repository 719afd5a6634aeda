/**
 * S8: keys go in and never come out. Twenty of them, planted in every way a configuration can hold one; then every route,
 * every command that reads, an error with its stack, and every file are looked through.
 */

import { createServer } from 'node:http'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { expect, test } from 'vitest'
import { APIManager } from '../../src/manager/apiManager.ts'
import { startGateway } from '../../src/server/serve.ts'
import { CanarySearch, canaryKey } from '../support/canaryKeys.ts'
import { keyOf } from '../support/echoes.ts'
import { listening } from '../support/listening.ts'
import { makeHome } from '../support/runKeywise.ts'
import { put } from '../support/temporaryFolder.ts'

const planted = Array.from({ length: 15 }, (_, index) =>
  canaryKey(['', 'sk-', 'gsk_'][index % 3] as string, `planted ${index}`),
)
const BOT = canaryKey('123456789:', 'bot of S8', 35)
const HOOK = canaryKey('', 'hook of S8')
const PROXY = canaryKey('', 'proxy of S8', 24, 'hex')
const TOKENS = {
  KEYWISE_TOKEN: canaryKey('', 'inference of S8'),
  KEYWISE_ADMIN_TOKEN: canaryKey('', 'administration of S8'),
}
const search = new CanarySearch([...planted, BOT, HOOK, PROXY, ...Object.values(TOKENS)])

const ROUTES = [
  '/',
  '/healthz',
  '/readyz',
  '/metrics',
  '/v1/models',
  '/v1beta/models',
  '/api/status',
  '/api/why',
  '/api/why?model=auto',
  '/api/keys',
  '/api/models',
  '/api/models?explain=auto',
  '/api/budgets',
  '/api/hours',
  '/api/experiments',
  '/api/alerts',
  '/api/spend?by=key',
  '/api/requests?limit=1000',
  '/api/settings',
  '/api/settings/database',
  '/api/config',
  '/api/none',
]

const COMMANDS = [
  'status --json',
  'status',
  'why --json',
  'keys list',
  'keys list --json',
  'keys retest --json',
  'models --json',
  'budget --json',
  'budget export',
  'experiment --json',
  'token list',
  'doctor --json',
  'test --json',
  'call hi --json',
  'call hi --model none/none',
  'keys list --config missing.json',
  'status --config broken.json',
]

test('S8: no route, command, error or file gives a key back', { timeout: 120_000 }, async () => {
  const upstream = createServer((request, response) => {
    request.resume()
    request.on('end', () => {
      const isGood = request.method === 'POST' && keyOf(request) !== planted[0]?.key
      const choices = [{ index: 0, message: { role: 'assistant', content: 'hello' }, finish_reason: 'stop' }]
      const answer = { id: 'x', object: 'chat.completion', created: 1, model: 'm', choices }
      response.writeHead(isGood ? 200 : 401, { 'content-type': 'application/json' })
      response.end(JSON.stringify(isGood ? answer : { error: { message: 'no', type: 'x' } }))
    })
  })
  const endpoint = `${await listening(upstream)}/v1`
  const values = planted.map(
    ({ key }, index) => [key, `env:CANARY_${index}`, `file:key-${index}`, { key, label: `label ${index}` }][index % 4],
  )
  const variables = Object.fromEntries(planted.map(({ key }, index) => [`CANARY_${index}`, key]))
  const env = {
    ...variables,
    KEYWISE_TOKEN: TOKENS.KEYWISE_TOKEN.key,
    KEYWISE_ADMIN_TOKEN: TOKENS.KEYWISE_ADMIN_TOKEN.key,
    http_proxy: `http://user:${PROXY.key}@127.0.0.1:9`,
    no_proxy: '127.0.0.1',
  }
  const alerts = {
    telegram: { bot_token: BOT.key, chat_id: '-1', api_root: new URL(endpoint).origin },
    webhook: { url: `${new URL(endpoint).origin}/${HOOK.key}` },
  }
  const own = { dialect: 'openai', endpoint, api_keys: values, models: ['m'] }
  const home = makeHome({ own, settings: { alerts } }, env)
  const holders = planted.map(({ key }, index) => put(home.folder, `config/key-${index}`, `${key}\n`))
  holders.push(join(home.folder, 'config/api-keys.json'))
  // Half saved: the reader quotes where it is wrong.
  holders.push(
    put(home.folder, 'broken.json', `{ "own": { "api_key": "${planted[1]?.key}", "modles": [ ${planted[2]?.key}`),
  )

  const seen: [what: string, text: string][] = []
  const log = (line: string) => void seen.push(['log', line])
  const around = { ...env, XDG_STATE_HOME: join(home.folder, 'home/state'), HOME: join(home.folder, 'home') }
  const config = join(home.folder, 'config/api-keys.json')
  const gateway = await startGateway({
    config,
    cwd: home.folder,
    port: 0,
    env: around,
    logger: { info: log, warn: log, error: log },
    sleep: () => Promise.resolve(),
  })
  try {
    await gateway.opened.ready()
    for (const token of [env.KEYWISE_TOKEN, env.KEYWISE_ADMIN_TOKEN])
      for (const route of ROUTES) {
        const response = await fetch(gateway.app.origin + route, { headers: { authorization: `Bearer ${token}` } })
        seen.push([route, `${JSON.stringify([...response.headers])}${await response.text()}`])
      }
    for (let call = 0; call < 20; call++) {
      const response = await fetch(`${gateway.app.origin}/v1/chat/completions`, {
        method: 'POST',
        headers: { authorization: `Bearer ${env.KEYWISE_TOKEN}`, 'content-type': 'application/json' },
        body: JSON.stringify({ model: 'own/m', messages: [{ role: 'user', content: 'hi' }] }),
      })
      seen.push(['call', `${JSON.stringify([...response.headers])}${await response.text()}`])
    }
    // What a crash would print of the configuration.
    seen.push([
      'inspected',
      inspect(gateway.opened.engine, { depth: Infinity, showHidden: true, getters: true, maxArrayLength: null }),
    ])
  } finally {
    await gateway.close(0)
  }
  for (const line of COMMANDS) {
    const { stdout, stderr } = await home.keywise(...line.split(' '))
    seen.push([line, stdout + stderr])
  }
  const manager = new APIManager({ config, store: 'memory:', env: around, cwd: home.folder, logger: false })
  const error = await manager.callWithFallback({ prompt: 'hi', model: 'own/none' }).catch((thrown: unknown) => thrown)
  seen.push(['error', inspect(error, { depth: 12 })], ['title', [process.title, ...process.argv].join(' ')])
  await manager.close()

  expect(seen.length).toBeGreaterThan(80)
  expect(seen.map(([what, text]) => [what, search.in(text)]).filter(([, found]) => found?.length)).toEqual([])
  const tokens = ['token', 'admin-token'].map((name) => join(home.folder, 'home/state/keywise', name))
  expect(search.below(home.folder, [...holders, ...tokens])).toEqual([])
})
