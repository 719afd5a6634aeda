/**
 * CPU time per request of the gateway's own process, against a bare proxy (node:http in, undici dispatch out) and, where
 * it is installed (`npm ci` in bench/rivals), Portkey's gateway; all in the same run, rounds interleaved.
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
  readonly count: number
  readonly width: number
  /** How many units of work a request is (chunks of a stream). */
  readonly units: number
  readonly unit: string
  /** CPU time over the bare proxy's that was promised at most. */
  readonly goal: number
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

const BARE = 'bare proxy'
const MEMORY_GOAL_MB = 200

const LOADS: readonly Load[] = [
  { name: '1 KB call', body: small, count: 3000, width: 32, units: 1, unit: 'request', goal: 1.6 },
  { name: '200 KB prompt', body: big, count: 400, width: 16, units: 1, unit: 'request', goal: 1.9 },
  { name: 'stream of 50 chunks', body: stream, count: 200, width: 32, units: 52, unit: 'chunk', goal: 1.15 },
]

export async function benchGateway(rounds = 5): Promise<string[]> {
  const upstream = spawn(process.execPath, [join(here, 'upstream.mjs')], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = await once(upstream.stdout, 'data')
  const origin = `http://127.0.0.1:${String(line).trim()}`
  const contestants = [
    await start(BARE, 'bare.ts', origin),
    await start('keywise', 'keywise.ts', origin),
    ...(await startPortkey(origin)),
  ]
  const lines: string[] = []
  for (const load of LOADS) lines.push(...(await compare(contestants, load, rounds)))
  for (const one of contestants)
    lines.push(
      `${one.name}: ${(await one.usage()).rssMb.toFixed(0)} MB resident after the load (goal for keywise: at most ${MEMORY_GOAL_MB} MB)`,
    )
  for (const one of contestants) one.stop()
  upstream.kill()
  return lines
}

async function start(name: string, file: string, origin: string): Promise<Contestant> {
  const child = fork(join(here, 'contestants', file), [origin], { execArgv: flags })
  const [{ port }] = (await once(child, 'message')) as [{ port: number }]
  return {
    name,
    port,
    path: '/v1/chat/completions',
    headers: { authorization: 'Bearer bench-token-0123456789' },
    usage: () => ask(child),
    stop: () => child.kill(),
  }
}

async function ask(child: ChildProcess): Promise<{ cpuUs: number; rssMb: number }> {
  child.send('usage')
  const [{ cpu, rss }] = (await once(child, 'message')) as [{ cpu: NodeJS.CpuUsage; rss: number }]
  return { cpuUs: cpu.user + cpu.system, rssMb: rss / 1e6 }
}

async function startPortkey(origin: string): Promise<Contestant[]> {
  if (!existsSync(join(here, 'rivals/node_modules/@portkey-ai/gateway'))) return []
  const child = fork(join(here, 'rivals/portkey.mjs'), [], { execArgv: flags, cwd: join(here, 'rivals') })
  const [{ port }] = (await once(child, 'message')) as [{ port: number }]
  const headers = {
    authorization: 'Bearer bench',
    'x-portkey-provider': 'openai',
    'x-portkey-custom-host': `${origin}/v1`,
  }
  return [
    {
      name: 'Portkey gateway',
      port,
      path: '/v1/chat/completions',
      headers,
      usage: () => ask(child),
      stop: () => child.kill(),
    },
  ]
}

async function compare(contestants: readonly Contestant[], load: Load, rounds: number): Promise<string[]> {
  const times = new Map<string, number[]>(contestants.map(({ name }) => [name, []]))
  const agent = new HttpAgent({ keepAlive: true, maxSockets: load.width })
  for (const one of contestants) await drive(one, load, agent, Math.ceil(load.count / 5))
  for (let round = 0; round < rounds; round++) {
    for (const one of contestants) {
      const before = await one.usage()
      await drive(one, load, agent, load.count)
      const after = await one.usage()
      times.get(one.name)?.push((after.cpuUs - before.cpuUs) / load.count / load.units)
    }
  }
  agent.destroy()
  const least = (name: string) => Math.min(...(times.get(name) ?? []))
  const ours = least('keywise')
  return contestants.map(({ name }) => {
    const all = (times.get(name) ?? []).toSorted((a, b) => a - b)
    const ratio = ours / least(name)
    return `${load.name}: ${name} ${us(all[0] ?? 0)} a ${load.unit} (median ${us(all[all.length >> 1] ?? 0)}); keywise is ${ratio.toFixed(2)} x${name === BARE ? ` (goal: at most ${load.goal} x, ${ratio > load.goal ? 'missed' : 'met'})` : ''}`
  })
}

function drive(one: Contestant, load: Load, agent: HttpAgent, count: number): Promise<void> {
  return parallel(count, load.width, () => send(one, load.body, agent))
}

function send({ port, path, headers }: Contestant, body: string, agent: HttpAgent): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      {
        host: '127.0.0.1',
        port,
        path,
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
