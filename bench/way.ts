/**
 * The way of one request: how many functions of ours it runs, in how many files and rooms, and how often it calls them.
 * Measured on the build by V8's precise coverage, as the least of several requests, so that what ticks beside a request
 * does not count. `npm run bench -- way`; `node bench/way.ts --list` also names every function, by file.
 */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { Session } from 'node:inspector/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import type * as Keywise from '../src/index.ts'
import type * as Serve from '../src/server/serve.ts'

const DIST = pathToFileURL(resolve(import.meta.dirname, '../dist')).href
const REQUESTS = 8
/** A second keeps at most 20 decisions for `why`; with this pause each request is like any other. */
const PAUSE_MS = 130
const WARM_UP = 12
const TOKEN = 'bench-token-0123456789'

interface Way {
  readonly name: string
  /** Calls of each function, by file, offset and name. */
  readonly calls: ReadonlyMap<string, number>
}

interface Row {
  readonly name: string
  /** Starts what is measured; `send` makes one request. */
  readonly open: (origin: string) => Promise<{ send: () => Promise<unknown>; close: () => Promise<void> }>
}

const key = (name: string) => `bench-${name}-${'0'.repeat(20)}`
const openai = (endpoint: string, name: string) => ({
  dialect: 'openai',
  endpoint,
  api_key: key(name),
  models: ['m', 'n'],
})
const google = (endpoint: string) => ({ dialect: 'google', endpoint, api_key: key('google'), models: ['m', 'n'] })
const two = (origin: string) => ({ one: openai(`${origin}/v1`, 'one'), two: openai(`${origin}/v1`, 'two') })

const ROWS: readonly Row[] = [
  { name: 'library, plain', open: (origin) => library(two(origin), { logger: false }) },
  {
    name: 'library, plain, with SQLite and the lines of the log',
    open: (origin) => library(two(origin), { store: '' }),
  },
  {
    name: 'library, a rate limit first, the second target answers',
    open: limitedFirst,
  },
  { name: 'gateway, OpenAI to Gemini', open: (origin) => gateway({ g: google(`${origin}/v1beta`) }, CHAT, false) },
  { name: 'gateway, OpenAI, streamed', open: (origin) => gateway(two(origin), CHAT, true) },
  {
    name: 'gateway, Anthropic to Gemini',
    open: (origin) => gateway({ g: google(`${origin}/v1beta`) }, MESSAGES, false),
  },
]

/** Every request meets the limit of another model, because the one before it is parked. */
function limitedFirst(origin: string) {
  const models = Array.from({ length: WARM_UP + REQUESTS }, (_, index) => `m${index}`)
  const aliases = models.map((model) => [`after-${model}`, [`first/${model}`, 'second/m']])
  const config = {
    first: { ...openai(`${origin}/limited/v1`, 'first'), models },
    second: openai(`${origin}/v1`, 'second'),
    settings: { models: Object.fromEntries(aliases), routing: { strategy: 'priority' } },
  }
  const names = models.values()
  return library(config, { logger: false }, () => `after-${names.next().value}`)
}

const CHAT = '/v1/chat/completions'
const MESSAGES = '/v1/messages'

export async function benchWay(): Promise<string[]> {
  const ways = await measureWays()
  return ways.map(({ name, calls }) => {
    const files = new Set([...calls.keys()].map(fileOf))
    const rooms = new Set([...files].map((file) => file.split('/')[0]))
    const total = [...calls.values()].reduce((sum, count) => sum + count, 0)
    return `${name}: ${calls.size} functions in ${files.size} files of ${rooms.size} rooms, ${total} calls`
  })
}

async function measureWays(): Promise<Way[]> {
  const upstream = spawn(process.execPath, [join(import.meta.dirname, 'upstream.mjs'), '0'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  try {
    const [line] = await once(upstream.stdout, 'data')
    const origin = `http://127.0.0.1:${String(line).trim()}`
    const ways: Way[] = []
    for (const { name, open } of ROWS) {
      const { send, close } = await open(origin)
      for (let count = 0; count < WARM_UP; count++) await send()
      ways.push({ name, calls: await leastCalls(send) })
      await close()
    }
    return ways
  } finally {
    upstream.kill()
  }
}

/** What every one of the requests called, and how often at least. */
async function leastCalls(send: () => Promise<unknown>): Promise<ReadonlyMap<string, number>> {
  const session = new Session()
  session.connect()
  await session.post('Profiler.enable')
  let least: Map<string, number> | null = null
  for (let count = 0; count < REQUESTS; count++) {
    await wait(PAUSE_MS)
    await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false })
    await send()
    const { result } = await session.post('Profiler.takePreciseCoverage')
    const calls = callsOf(result)
    if (least === null) least = calls
    else for (const [name, times] of least) keepLeast(least, name, times, calls.get(name) ?? 0)
  }
  session.disconnect()
  return least ?? new Map()
}

function keepLeast(least: Map<string, number>, name: string, times: number, now: number): void {
  if (now === 0) least.delete(name)
  else if (now < times) least.set(name, now)
}

interface Coverage {
  readonly url: string
  readonly functions: readonly {
    readonly functionName: string
    readonly ranges: readonly { readonly startOffset: number; readonly count: number }[]
  }[]
}

function callsOf(scripts: readonly Coverage[]): Map<string, number> {
  const calls = new Map<string, number>()
  for (const { url, functions } of scripts) {
    if (!url.startsWith(DIST)) continue
    for (const { functionName, ranges } of functions) {
      const [range] = ranges
      // The function at offset 0 without a name is the module itself.
      if (range === undefined || range.count === 0 || (range.startOffset === 0 && functionName === '')) continue
      calls.set(`${url.slice(DIST.length + 1)} ${range.startOffset} ${functionName || '(anonymous)'}`, range.count)
    }
  }
  return calls
}

const fileOf = (name: string) => name.split(' ')[0] ?? name

async function library(config: object, options: { logger?: false; store?: string }, model = () => 'auto') {
  const { APIManager } = (await import(`${DIST}/index.js`)) as typeof Keywise // built from these sources
  const folder = mkdtempSync(join(tmpdir(), 'keywise-way-'))
  const silent = { info() {}, warn() {}, error() {} }
  const manager = new APIManager({
    config,
    env: {},
    logger: options.logger ?? silent,
    ...(options.store !== undefined && { store: join(folder, 'keywise.db') }),
  } as Keywise.APIManagerOptions)
  return {
    send: () => manager.callWithFallback({ prompt: 'Say hi', model: model() }),
    close: async () => {
      await manager.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

async function gateway(config: object, path: string, stream: boolean) {
  const { startGateway } = (await import(`${DIST}/server/serve.js`)) as typeof Serve // built from these sources
  const silent = { info() {}, warn() {}, error() {} }
  const env = { KEYWISE_TOKEN: TOKEN, KEYWISE_ADMIN_TOKEN: 'bench-admin-0123456789' }
  const running = await startGateway({ config, env, store: 'memory:', port: 0, logger: silent } as Serve.GatewayOptions)
  const body = JSON.stringify({ model: 'm', max_tokens: 100, stream, messages: [{ role: 'user', content: 'Say hi' }] })
  const headers = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' }
  return {
    send: async () => {
      const answer = await fetch(`${running.app.origin}${path}`, { method: 'POST', headers, body })
      const text = await answer.text()
      if (!answer.ok) throw new Error(`HTTP ${answer.status}: ${text}`)
    },
    close: () => running.close(100),
  }
}

if (import.meta.main) {
  for (const line of await benchWay()) console.log(line)
  if (process.argv.includes('--list')) for (const way of await measureWays()) list(way)
  process.exit(0)
}

function list({ name, calls }: Way): void {
  console.log(`\n${name}`)
  for (const [file, functions] of Map.groupBy(calls, ([one]) => fileOf(one))) {
    const names = functions.map(
      ([one, times]) => `${one.split(' ').slice(2).join(' ')}${times > 1 ? ` x${times}` : ''}`,
    )
    console.log(`  ${file}: ${names.join(', ')}`)
  }
}
