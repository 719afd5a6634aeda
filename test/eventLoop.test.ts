/** How late a gateway gets to what is due: in its metrics, its status, and its readiness. */

import { expect, onTestFinished, test } from 'vitest'
import { run as runStatus } from '../src/cli/status/status.ts'
import { isDegraded } from '../src/observe/eventLoopDelay.ts'
import { EventLoopWatch } from '../src/server/eventLoopWatch.ts'
import { eventLoopRemarks } from '../src/server/management/eventLoopRemarks.ts'
import { createMemoryStore } from '../src/store/memory.ts'
import { EVENT_LOOPS, eventLoopStatus, eventLoopsView } from '../src/views/eventLoops.ts'
import { ADMIN_TOKEN, openGateway, TOKEN } from './support/gatewayWorld.ts'
import { own } from './support/lab.ts'
import { put, temporaryFolder } from './support/temporaryFolder.ts'

const STALL_MS = 150

/** Keeps the process busy, as one request too large for it would. */
function stall(): void {
  const end = performance.now() + STALL_MS
  while (performance.now() < end);
}

test('a stall shows in the metrics and in the status of the gateway', async () => {
  await using world = await openGateway({ providers: own('p', 1, ['m']) })
  const status = async () => {
    const response = await fetch(`${world.origin}/api/status`, { headers: { authorization: `Bearer ${ADMIN_TOKEN}` } })
    return ((await response.json()) as { eventLoops: { maxMs: number; process: number }[] }).eventLoops // our own JSON
  }
  // The first sample is taken one interval after the start.
  await new Promise((resolve) => setTimeout(resolve, 60))
  stall()
  let [loop] = await status()
  for (let tries = 0; tries < 50 && (loop?.maxMs ?? 0) < STALL_MS / 2; tries++) [loop] = await status()
  expect(loop?.maxMs).toBeGreaterThan(STALL_MS / 2)
  expect(loop?.process).toBe(process.pid)
  const metrics = await (
    await fetch(`${world.origin}/metrics`, { headers: { authorization: `Bearer ${TOKEN}` } })
  ).text()
  const longest = /^keywise_event_loop_delay_seconds\{quantile="1"\} (\S+)$/m.exec(metrics)?.[1]
  expect(Number(longest)).toBeGreaterThan(STALL_MS / 2000)
  expect(metrics).toMatch(/^keywise_event_loop_delay_seconds\{quantile="0.99"\} \d/m)
})

const AT = Date.UTC(2026, 10, 30, 12)
const LATE = { p50Ms: 3, p99Ms: 1500, maxMs: 4200, degraded: true }

test('a delay beyond a second at 99 % is degraded, and one below is no news', () => {
  expect(eventLoopStatus(7, LATE, AT)).toMatchObject({ degraded: true, text: expect.stringMatching(/^degraded: /) })
  expect(eventLoopRemarks(eventLoopStatus(7, LATE, AT))).toEqual([
    'event loop: degraded, it runs 1.5 s late; "keywise status" says more',
  ])
  expect([isDegraded({ p99Ms: 1000.1 }), isDegraded({ p99Ms: 1000 })]).toEqual([true, false])
  const usual = eventLoopStatus(7, { ...LATE, degraded: false }, AT)
  expect(usual.text).not.toContain('degraded')
  expect(eventLoopRemarks(usual)).toEqual([])
})

test('a gateway leaves its reading once a minute, takes it along when it ends, and nobody shows a stale one', () => {
  const store = createMemoryStore()
  onTestFinished(() => store.close())
  let now = AT
  const watch = new EventLoopWatch({ store, now: () => now })
  onTestFinished(() => watch.close())
  store.setDoc(EVENT_LOOPS, '4', { at: AT - 180_001, ...LATE })
  store.setDoc(EVENT_LOOPS, '5', { at: AT - 60_000, ...LATE })
  store.setDoc(EVENT_LOOPS, '6', 'nonsense')
  const seen = () => eventLoopsView({ store, now }).map(({ process: id, maxMs }) => [id, maxMs])
  expect(seen()).toEqual([[5, LATE.maxMs]])
  watch.turn()
  expect(store.listDocs(EVENT_LOOPS).map(([key]) => key)).toEqual([String(process.pid), '5'].sort())
  const own = watch.status()
  expect(eventLoopsView({ store, now }, own).map(({ process: id }) => id)).toEqual([process.pid, 5])
  now += 200_000
  expect(seen()).toEqual([])
  watch.close()
  expect(store.getDoc(EVENT_LOOPS, String(process.pid))).toBeUndefined()
})

test('keywise status shows what a gateway of the same store left', async () => {
  const folder = temporaryFolder()
  const location = `${folder}/keywise.db`
  await using world = await openGateway({ providers: own('p', 1, ['m']) }, { store: location })
  world.gateway.opened.engine.store.setDoc(EVENT_LOOPS, '7', { at: Date.now(), ...LATE })
  await world.gateway.opened.engine.store.flushed()
  const written: string[] = []
  const out = { write: (text: string) => void written.push(text) } as unknown as NodeJS.WriteStream // only written to
  const config = put(folder, 'api-keys.json', JSON.stringify(world.fakes.config()))
  await runStatus({
    args: [],
    options: { store: location, config },
    stdout: out,
    stderr: out,
    env: { NO_COLOR: '1' },
    cwd: folder,
  })
  expect(written.join('')).toContain(
    "Degraded: the gateway's event loop (process 7) ran late by 3 ms (median), 1500 ms (99 %), at most 4200 ms",
  )
})
