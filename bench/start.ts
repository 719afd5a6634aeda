/** How long the command takes to begin: wall time of whole processes, node's own start included. */

import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'

const VERSION_MOST_MS = 150
const ANSWER_MOST_MS = 400
const ROUNDS = 15
const TOKEN = 'bench-token-0123456789'
const root = resolve(import.meta.dirname, '..')
const keywise = join(root, 'bin/keywise.cjs')

export async function benchStart(): Promise<string[]> {
  const bare = times(['-e', '0'])
  const version = times([keywise, '--version'])
  const help = times([keywise, '--help'])
  const answer = await firstAnswers()
  if (version.median > VERSION_MOST_MS || answer.least > ANSWER_MOST_MS) process.exitCode = 1
  return [
    `keywise --version: ${told(version)} (at most ${VERSION_MOST_MS} ms)`,
    `keywise --help, which loads the command line: ${told(help)}`,
    `keywise serve, to the end of its first answer: ${told(answer)} (at most ${ANSWER_MOST_MS} ms)`,
    `node itself, for comparison: ${told(bare)}`,
  ]
}

interface Times {
  readonly least: number
  readonly median: number
}

function times(args: readonly string[]): Times {
  return timesOf(
    Array.from({ length: ROUNDS }, () => {
      const begun = performance.now()
      const { status } = spawnSync(process.execPath, args, { stdio: 'ignore' })
      if (status !== 0) throw new Error(`${args.join(' ')} ended with ${status}`)
      return performance.now() - begun
    }),
  )
}

/** Of a provider whose list of models has to be read first. */
async function firstAnswers(): Promise<Times> {
  const upstream = spawn(process.execPath, [join(root, 'bench/upstream.mjs')], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = await once(upstream.stdout, 'data')
  const folder = mkdtempSync(join(tmpdir(), 'keywise-bench-'))
  const endpoint = `http://127.0.0.1:${String(line).trim()}/v1`
  const provider = { dialect: 'openai', endpoint, api_key: `bench-${'0'.repeat(20)}` }
  writeFileSync(join(folder, 'api-keys.json'), JSON.stringify({ own: provider }))
  const all: number[] = []
  for (let round = 0; round < ROUNDS; round++) all.push(await firstAnswer(folder, await freePort()))
  upstream.kill()
  rmSync(folder, { recursive: true, force: true })
  return timesOf(all)
}

async function firstAnswer(folder: string, port: number): Promise<number> {
  const begun = performance.now()
  const args = [
    keywise,
    'serve',
    '--port',
    String(port),
    '--config',
    join(folder, 'api-keys.json'),
    '--store',
    'memory:',
  ]
  const gateway = spawn(process.execPath, args, { stdio: 'ignore', env: { ...process.env, KEYWISE_TOKEN: TOKEN } })
  const ended = once(gateway, 'exit')
  for (;;) {
    const answer = await ask(port)
    if (answer === 200) break
    if (answer !== null || gateway.exitCode !== null) throw new Error(`keywise serve answered ${answer}`)
    await pause(2)
  }
  const took = performance.now() - begun
  gateway.kill()
  await ended
  return took
}

/** The status of an answer that was read to its end; null while nothing listens. */
async function ask(port: number): Promise<number | null> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'Hi' }] }),
    })
    await response.text()
    return response.status
  } catch {
    return null
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo // listening on TCP
  server.close()
  await once(server, 'close')
  return port
}

function timesOf(all: readonly number[]): Times {
  const sorted = all.toSorted((a, b) => a - b)
  return { least: sorted[0] ?? 0, median: sorted[sorted.length >> 1] ?? 0 }
}

const told = ({ least, median }: Times) => `least ${least.toFixed(0)} ms, median ${median.toFixed(0)} ms`
