/**
 * A process of its own that writes to a store, for tests of several processes and of sudden ends:
 * `storeChild.ts <store> <stats file> <name> <how many>`. Prints the id of each event once it is safe.
 */

import { flushCompileCache } from 'node:module'
import { openSqliteStore } from '../../src/store/sqlite/sqlite.ts'
import { statsFileOf } from '../../src/store/statsFile/statsFile.ts'
import { StatsFileWriter } from '../../src/store/statsFile/statsFileWriter.ts'
import { TargetTotals } from '../../src/store/tally.ts'
import { attemptEvent } from './storeEvents.ts'

// Node keeps compiled code when a process ends, which one that gets killed never does.
flushCompileCache()
const [path = '', statsPath = '', name = '', count = '0'] = process.argv.slice(2)
const store = openSqliteStore(path, { now: Date.now, warn: (line) => console.error(line) })
const tally = new TargetTotals()
const stats = new StatsFileWriter({
  path: statsPath,
  view: () => statsFileOf(tally.rows(), Date.now()),
  now: Date.now,
  warn: (line) => console.error(line),
  delayMs: 1,
})

for (let number = 1; number <= Number(count); number++) {
  const event = attemptEvent({ id: `${name}-${number}`, origin: store.origin, at: Date.now() })
  store.append(event)
  store.addToCounter('sum', 1)
  store.addToCounter('limited', 1, Number(count))
  store.updateDoc('settings', 'sum', (value) => Number(value ?? 0) + 1)
  tally.add(event)
  stats.changed()
  await store.flushed()
  if (store.health().state === 'ok') process.stdout.write(`${event.id}\n`)
}
await stats.close()
await store.close()
