/** The gateway of a soak, in a process of its own, which tells on request what it holds open. */

import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { queryObjects } from 'node:v8'
import { EventLoopDelay, type EventLoopReading } from '../../../src/observe/eventLoopDelay.ts'
import { QuotaHold } from '../../../src/quota/limits/quotaTracker.ts'
import { startGateway } from '../../../src/server/serve.ts'
import { Call } from '../../../src/upstream/call.ts'

/** After a collection of garbage. */
export interface HeapState {
  readonly heapBytes: number
  /** Resident memory of the process, which a collection does not give back. */
  readonly rssBytes: number
  readonly eventLoop: EventLoopReading
}

/** What is open in the process of the gateway after a collection of garbage. */
export interface SoakState extends HeapState {
  readonly calls: number
  readonly holds: number
  readonly sockets: number
  readonly timers: number
  readonly waiting: number
  /** Nano-dollars put aside in budgets. */
  readonly reserved: number
  /** Open files and sockets; 0 where the system does not list them. */
  readonly descriptors: number
}

const TOKEN = process.env['KEYWISE_TOKEN'] ?? ''
const folder = mkdtempSync(join(tmpdir(), 'keywise-soak-'))
const silent = { info: () => {}, warn: () => {}, error: () => {} }
const gateway = await startGateway({
  config: JSON.parse(process.env['SOAK_CONFIG'] ?? '{}'),
  store: join(folder, 'keywise.db'),
  port: 0,
  env: { KEYWISE_TOKEN: TOKEN, KEYWISE_ADMIN_TOKEN: `${TOKEN}-admin` },
  logger: silent,
})
await gateway.opened.ready()
const { engine } = gateway.opened

const delay = new EventLoopDelay()

/** What a first collection finalises, a second one frees. */
async function heapNow(): Promise<HeapState> {
  const eventLoop = delay.reading()
  for (let round = 0; round < 2; round++) {
    globalThis.gc?.()
    await new Promise((resolve) => setImmediate(resolve))
  }
  const { heapUsed, rss } = process.memoryUsage()
  // The collection's own pauses are none of the gateway's.
  delay.turn()
  delay.turn()
  return { heapBytes: heapUsed, rssBytes: rss, eventLoop }
}

/** Looks through the whole heap, which takes a while. */
async function stateNow(): Promise<SoakState> {
  const resources = process.getActiveResourcesInfo()
  const count = (name: string) => resources.filter((one) => one === name).length
  return {
    calls: queryObjects(Call, { format: 'count' }),
    holds: queryObjects(QuotaHold, { format: 'count' }),
    sockets: count('TCPSocketWrap'),
    timers: count('Timeout'),
    waiting: engine.waiting.size,
    reserved: engine.learned.budgets.view(engine.now).reduce((sum, { reservedUsd }) => sum + (reservedUsd ?? 0), 0),
    descriptors: openDescriptors(),
    ...(await heapNow()),
  }
}

function openDescriptors(): number {
  return existsSync('/proc/self/fd') ? readdirSync('/proc/self/fd').length : 0
}

process.on('message', (message) => {
  if (message === 'state') void stateNow().then((state) => process.send?.(state))
  if (message === 'heap') void heapNow().then((heap) => process.send?.(heap))
})
process.once('disconnect', async () => {
  await gateway.close(100)
  rmSync(folder, { recursive: true, force: true })
  process.exit(0)
})
process.send?.({ origin: gateway.app.origin })
