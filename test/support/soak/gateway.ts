/** The gateway of a soak, in a process of its own, which tells on request what it holds open. */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { queryObjects } from 'node:v8'
import { QuotaHold } from '../../../src/quota/limits/quotaTracker.ts'
import { startGateway } from '../../../src/server/serve.ts'
import { Call } from '../../../src/upstream/call.ts'

/** What is open in the process of the gateway after a collection of garbage. */
export interface SoakState {
  readonly calls: number
  readonly holds: number
  readonly sockets: number
  readonly timers: number
  readonly waiting: number
  /** Nano-dollars put aside in budgets. */
  readonly reserved: number
  readonly heapBytes: number
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

function heapNow(): number {
  globalThis.gc?.()
  return process.memoryUsage().heapUsed
}

/** Looks through the whole heap, which takes a while. */
function stateNow(): SoakState {
  const resources = process.getActiveResourcesInfo()
  const count = (name: string) => resources.filter((one) => one === name).length
  return {
    calls: queryObjects(Call, { format: 'count' }),
    holds: queryObjects(QuotaHold, { format: 'count' }),
    sockets: count('TCPSocketWrap'),
    timers: count('Timeout'),
    waiting: engine.waiting.size,
    reserved: engine.learned.budgets.view(engine.now).reduce((sum, { reservedUsd }) => sum + (reservedUsd ?? 0), 0),
    heapBytes: heapNow(),
  }
}

process.on('message', (message) => {
  if (message === 'state') process.send?.(stateNow())
  if (message === 'heap') process.send?.({ heapBytes: heapNow() })
})
process.once('disconnect', async () => {
  await gateway.close(100)
  rmSync(folder, { recursive: true, force: true })
  process.exit(0)
})
process.send?.({ origin: gateway.app.origin })
