/**
 * S12: a provider that repeats the key it was asked with tells it to nobody. Every place of an answer, every way to write
 * a key, and ten services in four dialects go through a real gateway; then every byte that left it is looked through.
 */

import { createServer } from 'node:http'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { FAILURE_KINDS } from '../../src/domain/failure.ts'
import { startGateway } from '../../src/server/serve.ts'
import { BOT_TOKEN, CHAT_ID, startTelegram } from '../support/alertDoubles.ts'
import { CanarySearch, canaryKey } from '../support/canaryKeys.ts'
import { type Echo, ERROR_PLACES, GOOD_PLACES, keyOf, WAYS, wireOf } from '../support/echoes.ts'
import { listening } from '../support/listening.ts'
import { makeHome } from '../support/runKeywise.ts'

const PROVIDERS = {
  groq: canaryKey('gsk_', 'groq', 52),
  openai: canaryKey('sk-proj-', 'openai', 90),
  mistral: canaryKey('', 'mistral', 32),
  openrouter: canaryKey('sk-or-v1-', 'openrouter', 64, 'hex'),
  anthropic: canaryKey('sk-ant-api03-', 'anthropic', 80),
  google: canaryKey('AIzaSy', 'google', 33),
  xai: canaryKey('xai-', 'xai', 60),
  deepseek: canaryKey('sk-', 'deepseek', 32, 'hex'),
  together: canaryKey('', 'together', 64, 'hex'),
  own: canaryKey('', 'own', 48),
}
const TOKEN = canaryKey('', 'token')
const ADMIN = canaryKey('', 'admin')
const search = new CanarySearch([...Object.values(PROVIDERS), TOKEN, ADMIN])

const PATHS = ['/v1/chat/completions', '/v1/messages', '/v1/responses', 'gemini'] as const

function bodyFor(path: (typeof PATHS)[number], model: string, stream: boolean): [path: string, body: object] {
  const messages = [{ role: 'user', content: 'hi' }]
  if (path === 'gemini')
    return [
      `/v1beta/models/${model}:${stream ? 'streamGenerateContent?alt=sse' : 'generateContent'}`,
      { contents: [{ role: 'user', parts: [{ text: 'hi' }] }] },
    ]
  if (path === '/v1/responses') return [path, { model, input: 'hi', stream }]
  return [path, { model, messages, stream, ...(path === '/v1/messages' && { max_tokens: 50 }) }]
}

/** All of them with `KEYWISE_CANARIES=all`; otherwise every place with every other way, the services and dialects in turn. */
const isThorough = process.env['KEYWISE_CANARIES'] === 'all'

test(
  'S12: no part of a key that a provider repeats leaves the gateway',
  { timeout: isThorough ? 3_600_000 : 120_000 },
  async () => {
    let next: { place: (echo: Echo) => void; write: (key: string) => string } | null = null
    let echoed = 0
    const server = createServer((request, response) => {
      request.resume()
      const key = keyOf(request)
      const path = request.url ?? ''
      const wire = wireOf(path)
      let text = ''
      request.on('data', (piece: Buffer) => (text += piece))
      request.on('end', () => {
        const stream = path.includes('stream') || /"stream":\s*true/.test(text)
        if (next === null || request.method !== 'POST')
          return void response
            .writeHead(404, { 'content-type': 'application/json' })
            .end(JSON.stringify({ error: key }))
        echoed++
        next.place({ wire, stream, key, text: next.write(key), response })
      })
    })
    const origin = await listening(server)
    const bot = await startTelegram()
    const blocks = Object.entries(PROVIDERS).map(([id, { key }]) => [
      id,
      {
        endpoint: id === 'google' ? `${origin}/v1beta` : `${origin}/v1`,
        api_key: key,
        models: ['m'],
        ...(id === 'own' && { dialect: 'openai-responses' }),
      },
    ])
    const settings = {
      alerts: { telegram: { bot_token: BOT_TOKEN, chat_id: CHAT_ID, api_root: bot.origin } },
      routing: { seed: 1 },
    }
    const home = makeHome(
      { ...Object.fromEntries(blocks), settings },
      { KEYWISE_TOKEN: TOKEN.key, KEYWISE_ADMIN_TOKEN: ADMIN.key },
    )
    const config = join(home.folder, 'config/api-keys.json')
    const seen: [what: string, text: string][] = []
    const log = (line: string) => void seen.push(['log', line])
    const state = join(home.folder, 'home/state')
    const gateway = await startGateway({
      config,
      cwd: home.folder,
      port: 0,
      env: {
        KEYWISE_TOKEN: TOKEN.key,
        KEYWISE_ADMIN_TOKEN: ADMIN.key,
        XDG_STATE_HOME: state,
        HOME: join(home.folder, 'home'),
      },
      logger: { info: log, warn: log, error: log },
      sleep: () => Promise.resolve(),
    })
    onTestFinished(() => gateway.close(0))
    await gateway.opened.ready()
    const { engine } = gateway.opened
    const admin = { authorization: `Bearer ${ADMIN.key}` }
    const events = await fetch(`${gateway.app.origin}/api/events`, { headers: admin })
    void readAll(events, (text) => seen.push(['events', text]))

    const ask = async (path: string, body: object, what: string) => {
      const response = await fetch(gateway.app.origin + path, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${TOKEN.key}`,
          'content-type': 'application/json',
          'x-keywise-max-attempts': '1',
        },
        body: JSON.stringify(body),
      })
      const text = await response.text().catch((error: unknown) => `broke off: ${String(error)}`)
      const headers = JSON.stringify([...response.headers])
      seen.push([what, `${response.statusText} ${headers} ${text}`])
    }

    const ids = Object.keys(PROVIDERS)
    let turn = 0
    let calls = 0
    for (const [isGood, places] of [
      [false, ERROR_PLACES],
      [true, GOOD_PLACES],
    ] as const)
      for (const [place, answer] of places)
        for (const [way, write] of isThorough ? WAYS : everyOther(WAYS, turn))
          for (const id of isThorough ? ids : [ids[turn % ids.length] as string]) {
            next = { place: answer, write }
            const path = PATHS[Math.floor(turn / ids.length + turn) % PATHS.length] as (typeof PATHS)[number]
            const stream = (turn + (isGood ? 1 : 0)) % 2 === 1
            turn++
            calls++
            const [url, body] = bodyFor(path, `${id}/m`, stream)
            await ask(url, body, `${place}, ${way}, ${id}, ${path}${stream ? ', streamed' : ''}`)
            const target = engine.registry.targets.find(({ provider }) => provider === id)
            if (target !== undefined) engine.lift(target, FAILURE_KINDS)
          }
    expect(echoed).toBeGreaterThan(calls * 0.7)

    for (const route of [
      'status',
      'why',
      'keys',
      'models',
      'budgets',
      'hours',
      'experiments',
      'alerts',
      'spend',
      'requests?limit=1000',
    ])
      seen.push([route, await (await fetch(`${gateway.app.origin}/api/${route}`, { headers: admin })).text()])
    seen.push(['metrics', await (await fetch(`${gateway.app.origin}/metrics`, { headers: admin })).text()])
    await gateway.close(0)
    for (const call of bot.calls) seen.push(['alert', call.text])
    next = { place: (ERROR_PLACES[0] as (typeof ERROR_PLACES)[number])[1], write: (key) => key }
    for (const line of [
      'status',
      'why --json',
      'keys list',
      'models',
      'budget export',
      'budget export --jsonl',
      'call hi --model groq/m',
      'test --provider groq --html report.html',
      'test --provider anthropic --json',
      'doctor',
    ]) {
      const { stdout, stderr } = await home.keywise(...line.split(' '))
      seen.push([line, stdout + stderr])
    }

    // Whoever puts the texts of the events together has no more of it.
    for (const [what, text] of [...seen]) if (what.includes('spelled out')) seen.push([`${what}, joined`, saidIn(text)])
    const leaks = seen.map(([what, text]) => [what, search.in(text)] as const).filter(([, found]) => found.length > 0)
    expect(leaks).toEqual([])
    const own = [config, ...['token', 'admin-token'].map((name) => join(state, 'keywise', name))]
    expect(search.below(home.folder, own)).toEqual([])
    expect(seen.filter(([what]) => what === 'log').length).toBeGreaterThan(10)
  },
)

/** The texts of all events of an answer, in a row. */
const saidIn = (text: string) =>
  [...text.matchAll(/"(?:content|text|delta)":"([^"]*)"/g)].map(([, said = '']) => said).join('')

/** Beginning with the first or the second, in turn. */
const everyOther = <T>(all: readonly T[], turn: number) => all.filter((_, index) => (index + turn) % 2 === 0)

async function readAll(response: Response, onText: (text: string) => void): Promise<void> {
  const decoder = new TextDecoder()
  try {
    for await (const piece of response.body ?? []) onText(decoder.decode(piece as Uint8Array, { stream: true }))
  } catch {
    // The gateway has closed.
  }
}
