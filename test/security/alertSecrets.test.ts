/**
 * S23: what alerts are sent with is in no log, view or file, even where the service repeats it; and no alert tells a key or
 * what was asked.
 */

import { createServer } from 'node:http'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { silentLogger } from '../../src/domain/logger.ts'
import { startGateway } from '../../src/server/serve.ts'
import { CHAT_ID, startTelegram } from '../support/alertDoubles.ts'
import { CanarySearch, canaryKey } from '../support/canaryKeys.ts'
import { keyOf, WAYS } from '../support/echoes.ts'
import { until } from '../support/gatewayWorld.ts'
import { listening } from '../support/listening.ts'
import { makeHome } from '../support/runKeywise.ts'

const PROMPT = 'purple hippopotamus in the kitchen'
const BOT = canaryKey('123456789:', 'bot', 35)
const HOOK = canaryKey('', 'hook', 40)
const SIGNATURE = canaryKey('whsec_', 'signature', 40)
const PASSWORD = canaryKey('', 'password', 24, 'hex')
const KEY = canaryKey('', 'alerted', 48)
const TOKENS = { KEYWISE_TOKEN: canaryKey('', 'inference'), KEYWISE_ADMIN_TOKEN: canaryKey('', 'administration') }
const search = new CanarySearch([BOT, HOOK, SIGNATURE, PASSWORD, KEY, ...Object.values(TOKENS)])

test('S23: services of alerts that repeat their secrets tell them to nobody', { timeout: 60_000 }, async () => {
  let turn = 0
  const way = () => (WAYS[turn++ % WAYS.length] as (typeof WAYS)[number])[1]
  const says = () => [BOT, HOOK, SIGNATURE, PASSWORD].map(({ key }) => way()(key)).join(' ')
  const failing = createServer((request, response) => {
    request.resume()
    request.on('end', () => {
      const status = [400, 401, 403, 404, 500][turn % 5] as number
      const description = `Bad Request: ${says()}, but chat ${says()}`
      const body = turn % 2 === 0 ? description : JSON.stringify({ ok: false, description, message: says() })
      response.writeHead(status, { 'content-type': turn % 2 === 0 ? 'text/plain' : 'application/json' }).end(body)
    })
  })
  const alertsOrigin = await listening(failing)
  const upstream = createServer((request, response) => {
    request.resume()
    request.on('end', () => {
      const error = { message: `${way()(keyOf(request))} may not ask "${PROMPT}"`, type: 'x' }
      response.writeHead(401, { 'content-type': 'application/json' }).end(JSON.stringify({ error }))
    })
  })
  const endpoint = `${await listening(upstream)}/v1`
  const own = { dialect: 'openai', endpoint, api_key: KEY.key, models: ['m'] }
  const telegram = { bot_token: BOT.key, chat_id: CHAT_ID, api_root: alertsOrigin }
  const webhook = { url: `${alertsOrigin}/services/${HOOK.key}`, secret: SIGNATURE.key }
  const proxy = `http://user:${PASSWORD.key}@127.0.0.1:9`
  const env = {
    KEYWISE_TOKEN: TOKENS.KEYWISE_TOKEN.key,
    KEYWISE_ADMIN_TOKEN: TOKENS.KEYWISE_ADMIN_TOKEN.key,
    https_proxy: proxy,
    no_proxy: '127.0.0.1',
  }
  const home = makeHome({ own, settings: { alerts: { telegram, webhook } } }, env)
  const config = join(home.folder, 'config/api-keys.json')
  const seen: string[] = []
  const log = (line: string) => void seen.push(line)
  const open = () =>
    startGateway({
      config,
      cwd: home.folder,
      port: 0,
      env: { ...env, XDG_STATE_HOME: join(home.folder, 'home/state'), HOME: join(home.folder, 'home') },
      logger: { info: log, warn: log, error: log },
      sleep: () => Promise.resolve(),
    })
  const gateway = await open()
  try {
    await gateway.opened.ready()
    const { engine } = gateway.opened
    for (let call = 0; call < WAYS.length; call++) {
      const response = await fetch(`${gateway.app.origin}/v1/chat/completions`, {
        method: 'POST',
        headers: { authorization: `Bearer ${env.KEYWISE_TOKEN}`, 'content-type': 'application/json' },
        body: JSON.stringify({ model: 'auto', messages: [{ role: 'user', content: PROMPT }] }),
      })
      seen.push(await response.text())
      for (const target of engine.registry.targets) engine.lift(target, ['auth_invalid'])
      await engine.monitor.alerts.deliver()
    }
    const headers = { authorization: `Bearer ${env.KEYWISE_ADMIN_TOKEN}` }
    for (const route of ['alerts', 'status', 'requests'])
      seen.push(await (await fetch(`${gateway.app.origin}/api/${route}`, { headers })).text())
  } finally {
    await gateway.close(0)
  }
  for (const line of ['status', 'status --json', 'doctor']) {
    const { stdout, stderr } = await home.keywise(...line.split(' '))
    seen.push(stdout + stderr)
  }
  expect(turn).toBeGreaterThan(20)
  expect(seen.flatMap((text) => search.in(text))).toEqual([])
  const tokenFiles = ['token', 'admin-token'].map((name) => join(home.folder, 'home/state/keywise', name))
  expect(search.below(home.folder, [config, ...tokenFiles])).toEqual([])
})

test('S23: an alert tells neither a key, however it is repeated, nor what was asked', { timeout: 60_000 }, async () => {
  const bot = await startTelegram()
  let write: (key: string) => string = (key) => key
  let quotes = false
  const upstream = createServer((request, response) => {
    request.resume()
    request.on('end', () => {
      const error = {
        message: `Incorrect API key provided: ${write(keyOf(request))}.${quotes ? ` You asked "${PROMPT}"` : ''}`,
        type: 'x',
      }
      response.writeHead(401, { 'content-type': 'application/json' }).end(JSON.stringify({ error }))
    })
  })
  const endpoint = `${await listening(upstream)}/v1`
  const keys = WAYS.map(([name]) => canaryKey('', `alert ${name}`, 48))
  const providers = Object.fromEntries(
    keys.map(({ key }, index) => [`own${index}`, { dialect: 'openai', endpoint, api_key: key, models: ['m'] }]),
  )
  const token = `inference-${'t'.repeat(20)}`
  const settings = {
    alerts: { telegram: { bot_token: `123456789:${'AAcanary'.repeat(4)}xyz`, chat_id: CHAT_ID, api_root: bot.origin } },
  }
  const gateway = await startGateway({
    config: { ...providers, settings },
    store: 'memory:',
    port: 0,
    env: { KEYWISE_TOKEN: token, KEYWISE_ADMIN_TOKEN: `administration-${'a'.repeat(20)}` },
    logger: silentLogger,
    sleep: () => Promise.resolve(),
  })
  try {
    await gateway.opened.ready()
    for (const [index, [, way]] of WAYS.entries()) {
      write = way
      quotes = index % 4 === 3
      const answer = await fetch(`${gateway.app.origin}/v1/chat/completions`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify({ model: `own${index}/m`, messages: [{ role: 'user', content: PROMPT }] }),
      })
      expect(answer.status).toBeGreaterThan(399)
      await gateway.opened.engine.monitor.alerts.deliver()
    }
    // Some alerts are held for a moment, so that what belongs together is told together.
    const said = () => bot.texts.join('\n').split('Incorrect API key provided').length - 1
    await until(() => said() > 3, 'the alerts')
  } finally {
    await gateway.close(0)
  }
  const told = bot.texts.join('\n')
  expect(told).toContain('Incorrect API key provided')
  expect(new CanarySearch(keys).in(told)).toEqual([])
  expect(told).not.toContain('hippopotamus')
})
