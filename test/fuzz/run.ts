/**
 * `npm run fuzz -- --cases 1000000`: many more cases than the suite tries. `--only NAME` takes one target, `--first N` its
 * N-th case first; the seed is KEYWISE_SEED (a number, or `random`). `--write` puts the result into docs/numbers.md.
 */

import { readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { machine } from '../../bench/measure.ts'
import { withSection } from '../../bench/numbers.ts'
import { casesOf, type FuzzTarget, fuzz } from './driver.ts'
import { ALL } from './targets/all.ts'

const { values } = parseArgs({
  options: {
    cases: { type: 'string', default: '1000000' },
    first: { type: 'string', default: '0' },
    only: { type: 'string' },
    write: { type: 'boolean', default: false },
  },
})
const asked = process.env['KEYWISE_SEED'] ?? '20261130'
const seed = asked === 'random' ? Date.now() % 2 ** 31 : Number(asked)
const targets = ALL.filter(({ name }) => values.only === undefined || name === values.only)
if (targets.length === 0) {
  console.error(`there is no target ${values.only}; there are: ${ALL.map(({ name }) => name).join(', ')}`)
  process.exit(2)
}
const unhandled: unknown[] = []
process.on('unhandledRejection', (reason) => unhandled.push(reason))

console.log(`${machine()}, seed ${seed}`)
const counts = casesOf(targets, Number(values.cases))
const lines: string[] = []
let failed = 0
for (const [place, target] of targets.entries()) lines.push(await runOne(target, counts[place] ?? 1))
if (unhandled.length > 0) lines.push(`${unhandled.length} rejections that nobody handled: ${unhandled[0]}`)
for (const line of lines) console.log(`- ${line}`)
if (values.write) write(lines)
process.exit(failed > 0 || unhandled.length > 0 ? 1 : 0)

async function runOne(target: FuzzTarget, cases: number): Promise<string> {
  const began = performance.now()
  const onProgress = (done: number) => process.stderr.write(`\r${target.name} ${done.toLocaleString('en')}`)
  try {
    const { slowestMs } = await fuzz(target, { seed, cases, first: Number(values.first), onProgress })
    const seconds = (performance.now() - began) / 1000
    return `${target.name}: ${cases.toLocaleString('en')} cases in ${seconds.toFixed(0)} s, no promise broken; the slowest case took ${slowestMs.toFixed(0)} ms`
  } catch (error) {
    failed++
    return error instanceof Error ? error.message : String(error)
  }
}

function write(lines: readonly string[]): void {
  const file = resolve(import.meta.dirname, '../../docs/numbers.md')
  const section = {
    name: 'fuzz',
    command: `KEYWISE_SEED=${seed} npm run fuzz -- --cases ${values.cases} --write`,
    title: 'Fuzzing',
    lines,
    machine: machine(),
    date: new Date().toISOString().slice(0, 10),
  }
  writeFileSync(file, withSection(readFileSync(file, 'utf8'), section))
}
