/**
 * `npm run bench`: every benchmark, one after another; `npm run bench -- call` only that one. Prints the numbers and
 * puts them into docs/numbers.md, each in its own section with the command, the machine and the date. Exits 1 when a
 * number misses what was promised.
 */

import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { machine } from './measure.ts'
import { type NumberSection, withSection } from './numbers.ts'

const FILE = resolve(import.meta.dirname, '../docs/numbers.md')

const BENCHES: Readonly<
  Record<string, { readonly title: string; isFirst?: boolean; load(): Promise<() => Promise<string[]> | string[]> }>
> = {
  avoidable: {
    title: 'Avoidable errors',
    isFirst: true,
    load: async () => (await import('./avoidable.ts')).benchAvoidable,
  },
  start: { title: 'Cold start', load: async () => (await import('./start.ts')).benchStart },
  size: { title: 'Size of the runtime dependencies', load: async () => (await import('./size.ts')).benchSize },
  call: { title: 'A call of the library', load: async () => (await import('./call.ts')).benchCall },
  decide: { title: 'Choosing and learning', load: async () => (await import('./decide.ts')).benchDecide },
  money: { title: 'Prices and budgets', load: async () => (await import('./money.ts')).benchMoney },
  tester: { title: 'A test of 28 targets', load: async () => (await import('./tester.ts')).benchTester },
  quota: {
    title: 'Use of the limits: 1,000 requests over 6 keys in 3 accounts',
    load: async () => (await import('./quota.ts')).benchQuota,
  },
  failover: {
    title: 'Failover: sixteen faults of a primary beside a healthy fallback',
    load: async () => (await import('./failover.ts')).benchFailover,
  },
  soak: {
    title: 'A soak: one call in ten fails',
    load: async () => (await import('./soak.ts')).benchSoak,
  },
  kills: {
    title: 'kill -9: what was answered and is missing afterwards',
    load: async () => (await import('./kills.ts')).benchKills,
  },
  month: {
    title: 'A month of one-off refusals: when a healthy target is used again',
    load: async () => (await import('./month.ts')).benchMonth,
  },
  experiments: {
    title: 'Experiments: false decisions and power',
    load: async () => (await import('./experiments.ts')).benchExperiments,
  },
  way: { title: 'The way of one request through the code', load: async () => (await import('./way.ts')).benchWay },
  gateway: { title: 'A request through the gateway', load: async () => (await import('./gateway.ts')).benchGateway },
}

const names = process.argv.slice(2)
const unknown = names.filter((name) => !Object.hasOwn(BENCHES, name))
if (unknown.length > 0) {
  console.error(`there is no benchmark ${unknown.join(', ')}; there are: ${Object.keys(BENCHES).join(', ')}`)
  process.exit(2)
}
console.log(machine())
for (const [name, { title, isFirst, load }] of Object.entries(BENCHES)) {
  if (names.length > 0 && !names.includes(name)) continue
  console.log(`\n${title}`)
  const run = await load()
  const lines = await run()
  for (const line of lines) console.log(`  ${line}`)
  write({ name, title, isFirst, lines, machine: machine(), date: new Date().toISOString().slice(0, 10) })
}
// What a benchmark started may still hold a connection open.
process.exit()

function write(section: NumberSection): void {
  writeFileSync(FILE, withSection(existsSync(FILE) ? readFileSync(FILE, 'utf8') : '', section))
}
