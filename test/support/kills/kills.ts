/** Gateways that are killed while they answer, and what the ledger says afterwards of what their clients had read. */

import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { Agent, createServer, type IncomingMessage, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Durability } from '../../../src/domain/store.ts'
import { openSqliteStore } from '../../../src/store/sqlite/sqlite.ts'
import { TOKEN } from '../gatewayWorld.ts'

export interface KillResult {
  readonly kills: number
  /** Answers that a client had read to their end. */
  readonly answered: number
  /** Those of them that the ledger does not know. */
  readonly lost: readonly string[]
  /** Calls that had reached the upstream, and how many of them have no row, not even as interrupted. */
  readonly calls: number
  readonly untold: number
  readonly interrupted: number
  /** How long the next process needed to open the store, milliseconds. */
  readonly slowestStartMs: number
  /** Rows and the hourly sums of them say the same. */
  readonly isCounted: boolean
}

const NOTHING: KillResult = {
  kills: 0,
  answered: 0,
  lost: [],
  calls: 0,
  untold: 0,
  interrupted: 0,
  slowestStartMs: 0,
  isCounted: true,
}

const script = join(import.meta.dirname, 'gatewayChild.ts')
const USAGE = { prompt_tokens: 5, completion_tokens: 2, total_tokens: 7 }

/** Answers at once or within a few milliseconds, plain or streamed; counts the calls. */
async function startUpstream() {
  let calls = 0
  const server = createServer(async (incoming, response) => {
    let text = ''
    for await (const piece of incoming) text += piece
    if (incoming.method !== 'POST') return void response.writeHead(404).end()
    const isStream = (JSON.parse(text) as { stream?: boolean }).stream === true // written by keywise
    calls++
    setTimeout(() => {
      if (!isStream) {
        const message = { role: 'assistant', content: 'Hello there' }
        const choices = [{ index: 0, message, finish_reason: 'stop' }]
        response.setHeader('content-type', 'application/json')
        return response.end(JSON.stringify({ id: 'a', object: 'chat.completion', model: 'm', choices, usage: USAGE }))
      }
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      const chunk = (delta: object, finish: string | null, usage?: object) =>
        `data: ${JSON.stringify({ id: 'a', object: 'chat.completion.chunk', model: 'm', choices: [{ index: 0, delta, finish_reason: finish }], usage })}\n\n`
      response.write(chunk({ role: 'assistant', content: 'Hello ' }, null))
      response.end(`${chunk({ content: 'there' }, null)}${chunk({}, 'stop', USAGE)}data: [DONE]\n\n`)
    }, calls % 4)
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`, // of a server that listens
    calls: () => calls,
    stop: () => void server.close().closeAllConnections(),
  }
}

/** Asks again and again, `width` at once, until the gateway is gone; tells the ids of what was read to its end. */
async function askUntilGone(port: number, width: number, most: number, onAnswer: (id: string) => void): Promise<void> {
  const agent = new Agent({ keepAlive: true })
  let asked = 0
  const lane = async () => {
    while (asked < most) {
      const id = await ask(agent, port, asked++ % 2 === 1)
      if (id === null) return
      onAnswer(id)
    }
  }
  await Promise.all(Array.from({ length: width }, lane))
  agent.destroy()
}

/** Null when the answer did not come, or not to its end. */
function ask(agent: Agent, port: number, stream: boolean): Promise<string | null> {
  const body = JSON.stringify({ model: 'm', stream, messages: [{ role: 'user', content: 'Hi' }] })
  const headers = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' }
  return new Promise((resolve) => {
    const asking = request(
      { agent, port, host: '127.0.0.1', method: 'POST', path: '/v1/chat/completions', headers },
      (response: IncomingMessage) => {
        let text = ''
        const id = String(response.headers['x-keywise-request-id'])
        const isWhole = () => (stream ? text.includes('[DONE]') : text.endsWith('}'))
        // A stream is complete for its client at its last event, whatever the connection does afterwards.
        response.setEncoding('utf8').on('data', (piece: string) => {
          text += piece
        })
        response.on('close', () => resolve(response.statusCode === 200 && isWhole() ? id : null))
        response.on('error', () => resolve(response.statusCode === 200 && isWhole() ? id : null))
      },
    )
    asking.on('error', () => resolve(null))
    asking.end(body)
  })
}

interface Round {
  /** Gateways on one store. */
  readonly gateways: number
  /** Requests at once to each. */
  readonly width: number
  /** When each is killed: so many milliseconds after so many answers were read. */
  killAfter(gateway: number): { readonly answers: number; readonly ms: number }
  /** Default `process`. */
  readonly durability?: Durability
}

/** Kills every gateway of a store while it answers. */
export async function killAtRandom({ gateways, width, killAfter, durability }: Round): Promise<KillResult> {
  return world(async (path, endpoint) => {
    const answered: string[] = []
    await Promise.all(
      Array.from({ length: gateways }, async (_, gateway) => {
        const { child, port } = await start(path, endpoint, 0, durability)
        const { answers, ms } = killAfter(gateway)
        let left = answers
        const asking = askUntilGone(port, width, Number.POSITIVE_INFINITY, (id) => {
          answered.push(id)
          if (--left === 0) setTimeout(() => child.kill('SIGKILL'), ms)
        })
        await Promise.all([asking, gone(child)])
      }),
    )
    return { kills: gateways, answered }
  })
}

/** Kills one at its n-th operation; null when it made fewer. Two requests at once, twelve in all. */
export async function killAtOperation(n: number): Promise<KillResult | null> {
  let isOver = false
  const result = await world(async (path, endpoint) => {
    const { child, port } = await start(path, endpoint, n)
    const answered: string[] = []
    const ended = gone(child)
    const asking = askUntilGone(port, 2, 12, (id) => answered.push(id)).then(async () => {
      // A commit later everything is stored.
      await new Promise((resolve) => setTimeout(resolve, 150))
      isOver = child.exitCode === null && child.signalCode === null
      child.kill('SIGKILL')
    })
    await Promise.all([asking, ended])
    return { kills: 1, answered }
  })
  return isOver ? null : result
}

export function addUp(results: readonly KillResult[]): KillResult {
  return results.reduce(
    (sum, one) => ({
      kills: sum.kills + one.kills,
      answered: sum.answered + one.answered,
      lost: [...sum.lost, ...one.lost],
      calls: sum.calls + one.calls,
      untold: sum.untold + one.untold,
      interrupted: sum.interrupted + one.interrupted,
      slowestStartMs: Math.max(sum.slowestStartMs, one.slowestStartMs),
      isCounted: sum.isCounted && one.isCounted,
    }),
    NOTHING,
  )
}

async function world(
  run: (path: string, endpoint: string) => Promise<{ kills: number; answered: readonly string[] }>,
): Promise<KillResult> {
  const folder = mkdtempSync(join(tmpdir(), 'keywise-kill-'))
  const upstream = await startUpstream()
  try {
    const path = join(folder, 'keywise.db')
    const { kills, answered } = await run(path, upstream.endpoint)
    return {
      ...NOTHING,
      kills,
      answered: answered.length,
      calls: upstream.calls(),
      ...look(path, answered, upstream.calls()),
    }
  } finally {
    upstream.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** What the next process finds. */
function look(
  path: string,
  answered: readonly string[],
  calls: number,
): Pick<KillResult, 'lost' | 'untold' | 'interrupted' | 'slowestStartMs' | 'isCounted'> {
  const began = performance.now()
  const store = openSqliteStore(path, { now: Date.now, warn: () => {} })
  const slowestStartMs = performance.now() - began
  const rows = store.attempts({})
  const known = new Set(rows.filter(({ ok }) => ok).map(({ requestId }) => requestId))
  const sums = store.sums({}, [])[0]
  void store.close()
  return {
    slowestStartMs,
    lost: answered.filter((id) => !known.has(id)),
    untold: Math.max(0, calls - rows.length),
    interrupted: rows.filter(({ ok }) => !ok).length,
    isCounted: (sums?.attempts ?? 0) === rows.length,
  }
}

async function start(
  path: string,
  endpoint: string,
  n: number,
  durability: Durability = 'process',
): Promise<{ child: ChildProcess; port: number }> {
  const child = fork(script, [path, endpoint, String(n), durability], {
    execArgv: ['--disable-warning=ExperimentalWarning'],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  const [port] = (await once(child, 'message')) as [number] // what it sends
  return { child, port }
}

const gone = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
}
