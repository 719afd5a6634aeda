/**
 * CPU time per request of the gateway's own process, against a bare proxy (node:http in, undici dispatch out) and,
 * where it is installed (`npm ci` in bench/rivals), Portkey's gateway; all in the same run, rounds interleaved.
 */

import { type ChildProcess, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { Agent as HttpAgent, request as httpRequest } from 'node:http'
import { join } from 'node:path'
import { machine, parallel, us } from './measure.ts'

const here = import.meta.dirname
const flags = ['--disable-warning=ExperimentalWarning']

interface Contestant {
  readonly name: string
  readonly port: number
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  usage(): Promise<{ cpuUs: number; rssMb: number }>
  stop(): void
}

interface Load {
  readonly name: string
  readonly body: string
  /** Requests a round. */
  readonly count: number
  readonly rounds: number
  readonly width: number
  /** How many units of work a request is (chunks of a stream). */
  readonly units: number
  readonly unit: string
  /** CPU time over the bare proxy's that was promised at most; for what no proxy does, in microseconds. */
  readonly goal: number | { readonly us: number }
  /** Of the gateway's other protocols; default the contestant's own. */
  readonly path?: string
}

const small = JSON.stringify({
  model: 'm',
  messages: [{ role: 'user', content: 'Summarise the state of the supervisor. '.repeat(15) }],
})
const big = JSON.stringify({
  model: 'm',
  messages: [{ role: 'user', content: 'All work and no play makes a "dull" boy.\n'.repeat(4900) }],
})
const stream = JSON.stringify({
  model: 'm',
  stream: true,
  stream_options: { include_usage: true },
  messages: [{ role: 'user', content: 'Tell a story. '.repeat(40) }],
})

const forAnthropic = (stream: boolean) =>
  JSON.stringify({
    model: 'm',
    max_tokens: 500,
    stream,
    system: 'You are brief.',
    messages: [{ role: 'user', content: 'Summarise the state of the supervisor. '.repeat(15) }],
  })

const BARE = 'bare proxy'
const OURS = 'keywise'
const PORTKEY = 'Portkey gateway'
/** How much more CPU time Portkey's gateway was promised to take for a 1 KB call, at least. */
const PORTKEY_GOAL = 7
const IDLE_GOAL_MB = 95
const MEMORY_GOAL_MB = 200

const LOADS: readonly Load[] = [
  { name: '1 KB call', body: small, count: 8000, rounds: 12, width: 32, units: 1, unit: 'request', goal: 1.6 },
  { name: '200 KB prompt', body: big, count: 400, rounds: 8, width: 16, units: 1, unit: 'request', goal: 1.9 },
  { name: 'stream of 50 chunks', body: stream, count: 200, rounds: 8, width: 32, units: 52, unit: 'chunk', goal: 1.15 },
  {
    name: '1 KB call of an Anthropic client to an OpenAI upstream',
    path: '/v1/messages',
    body: forAnthropic(false),
    ...{ count: 4000, rounds: 6, width: 32, units: 1, unit: 'request', goal: { us: 200 } },
  },
  {
    name: 'stream of 50 chunks, the same',
    path: '/v1/messages',
    body: forAnthropic(true),
    ...{ count: 200, rounds: 8, width: 32, units: 52, unit: 'chunk', goal: { us: 70 } },
  },
]

export async function benchGateway(): Promise<string[]> {
  const upstream = spawn(process.execPath, [join(here, 'upstream.mjs')], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = await once(upstream.stdout, 'data')
  const origin = `http://127.0.0.1:${String(line).trim()}`
  const contestants = [
    await start(BARE, 'bare.mjs', origin),
    await start(OURS, 'keywise.mjs', origin),
    ...(await startPortkey(origin)),
  ]
  const lines = await memoryLines(contestants, 'idle', IDLE_GOAL_MB)
  for (const [place, load] of LOADS.entries()) {
    lines.push(...(await compare(contestants, load)))
    if (place > 0) continue
    const calls = load.count * load.rounds + warmUp(load)
    lines.push(...(await memoryLines(contestants, `after ${calls.toLocaleString('en')} calls`, MEMORY_GOAL_MB)))
  }
  lines.push(...(await memoryLines(contestants, 'after all loads', null)))
  for (const one of contestants) one.stop()
  upstream.kill()
  return lines
}

function memoryLines(contestants: readonly Contestant[], when: string, goalMb: number | null): Promise<string[]> {
  return Promise.all(
    contestants.map(async ({ name, usage }) => {
      const { rssMb } = await usage()
      const goal = name === OURS && goalMb !== null ? ` (${verdict(rssMb <= goalMb, `at most ${goalMb} MB`)})` : ''
      return `memory ${when}: ${name} ${rssMb.toFixed(0)} MB resident${goal}`
    }),
  )
}

const verdict = (isMet: boolean, goal: string) => `goal: ${goal}, ${isMet ? 'met' : 'missed'}`

async function start(name: string, file: string, origin: string): Promise<Contestant> {
  const child = fork(join(here, 'contestants', file), [origin], { execArgv: flags })
  const port = await portOf(child, name)
  return {
    name,
    port,
    path: '/v1/chat/completions',
    headers: { authorization: 'Bearer bench-token-0123456789' },
    usage: () => ask(child),
    stop: () => child.kill(),
  }
}

/** Rejects when the contestant ends instead of listening. */
function portOf(child: ChildProcess, name: string): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('message', (message) => resolve((message as { port: number }).port)) // the first thing each of them says
    child.once('exit', (code) => reject(new Error(`${name} ended with code ${code} before it listened`)))
  })
}

async function ask(child: ChildProcess): Promise<{ cpuUs: number; rssMb: number }> {
  child.send('usage')
  const [{ cpu, rss }] = (await once(child, 'message')) as [{ cpu: NodeJS.CpuUsage; rss: number }]
  return { cpuUs: cpu.user + cpu.system, rssMb: rss / 1e6 }
}

async function startPortkey(origin: string): Promise<Contestant[]> {
  if (!existsSync(join(here, 'rivals/node_modules/@portkey-ai/gateway'))) return []
  const child = fork(join(here, 'rivals/portkey.mjs'), [], { execArgv: flags, cwd: join(here, 'rivals') })
  const port = await portOf(child, PORTKEY)
  const headers = {
    authorization: 'Bearer bench',
    'x-portkey-provider': 'openai',
    'x-portkey-custom-host': `${origin}/v1`,
  }
  return [
    {
      name: PORTKEY,
      port,
      path: '/v1/chat/completions',
      headers,
      usage: () => ask(child),
      stop: () => child.kill(),
    },
  ]
}

async function compare(all: readonly Contestant[], load: Load): Promise<string[]> {
  const contestants = typeof load.goal === 'number' ? all : all.filter(({ name }) => name === OURS)
  const times = new Map<string, number[]>(contestants.map(({ name }) => [name, []]))
  const agent = new HttpAgent({ keepAlive: true, maxSockets: load.width })
  for (const one of contestants) await drive(one, load, agent, warmUp(load))
  for (let round = 0; round < load.rounds; round++) {
    for (const one of contestants) {
      // The rival takes ten times as long, and its least is steady after a few rounds.
      if (one.name === PORTKEY && round >= 3) continue
      const before = await one.usage()
      await drive(one, load, agent, load.count)
      const after = await one.usage()
      times.get(one.name)?.push((after.cpuUs - before.cpuUs) / load.count / load.units)
    }
  }
  agent.destroy()
  const ours = Math.min(...(times.get(OURS) ?? []))
  return contestants.map(({ name }) => {
    const sorted = (times.get(name) ?? []).toSorted((a, b) => a - b)
    const [least = 0] = sorted
    const figures = `${load.name}: ${name} ${us(least)} a ${load.unit} (median ${us(sorted[sorted.length >> 1] ?? 0)})`
    if (typeof load.goal !== 'number')
      return `${figures} (${verdict(least <= load.goal.us, `at most ${load.goal.us} µs`)})`
    return name === OURS ? figures : `${figures}; ${comparison(name, load, load.goal, ours / least)}`
  })
}

const warmUp = (load: Load) => Math.ceil(load.count / 2)

function comparison(name: string, load: Load, most: number, ratio: number): string {
  if (name === BARE) return `keywise takes ${ratio.toFixed(2)} x that (${verdict(ratio <= most, `at most ${most} x`)})`
  const goal = load === LOADS[0] ? ` (${verdict(1 / ratio >= PORTKEY_GOAL, `at most 1/${PORTKEY_GOAL}`)})` : ''
  return `keywise takes 1/${(1 / ratio).toFixed(1)} of that${goal}`
}

function drive(one: Contestant, load: Load, agent: HttpAgent, count: number): Promise<void> {
  return parallel(count, load.width, () => send(one, load, agent))
}

function send({ port, path, headers }: Contestant, load: Load, agent: HttpAgent): Promise<void> {
  const { body } = load
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      {
        host: '127.0.0.1',
        port,
        path: load.path ?? path,
        method: 'POST',
        agent,
        headers: { ...headers, 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
      },
      (response) => {
        if (response.statusCode !== 200) reject(new Error(`HTTP ${response.statusCode}`))
        response.resume()
        response.on('end', resolve)
      },
    )
    request.on('error', reject)
    request.end(body)
  })
}

if (import.meta.main) {
  console.log(machine())
  for (const line of await benchGateway()) console.log(line)
  process.exit(0)
}
