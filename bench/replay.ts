/**
 * The routing benchmark: `npm run bench:replay`. Replays all policies (on the traces in $KEYWISE_TEST_DATA/traces where
 * that is set), prints the tables, and with `--write` puts the tables and pictures into docs/ and the numbers into
 * bench/results/.
 */

import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join, resolve } from 'node:path'
import { regretPicture } from '../src/lab/replay/picture.ts'
import { type ReplayResult, runReplay } from '../src/lab/replay/replay.ts'
import { replayMarkdown, replayText } from '../src/lab/replay/report.ts'

const docs = resolve(import.meta.dirname, '../docs')
const results = resolve(import.meta.dirname, 'results')
const data = process.env['KEYWISE_TEST_DATA'] ? join(process.env['KEYWISE_TEST_DATA'], 'traces') : null

const began = performance.now()
const result = await runReplay({
  data: data !== null && existsSync(data) ? data : null,
  curves: true,
  onProgress: (scenario, done, all) => console.error(`[${done + 1}/${all}] ${scenario}`),
})
const seconds = (performance.now() - began) / 1000
console.log(replayText(result))
console.error(`\n${seconds.toFixed(0)} s on ${cpus().length} x ${cpus()[0]?.model ?? 'unknown processor'}`)
if (process.argv.includes('--write')) write(result, seconds)

function write({ curves, ...numbers }: ReplayResult, took: number): void {
  mkdirSync(join(docs, 'replay'), { recursive: true })
  writeFileSync(join(results, 'numbers-replay.json'), `${JSON.stringify(numbers, rounded, 1)}\n`)
  writeFileSync(join(docs, 'numbers-replay.md'), page(numbers, took))
  for (const [scenario, { policies, requests }] of Object.entries(curves ?? {}))
    writeFileSync(join(docs, 'replay', `${scenario}.svg`), regretPicture(scenario, policies, requests))
}

function page(numbers: ReplayResult, took: number): string {
  const machine = `${cpus().length} shared cores (${cpus()[0]?.model ?? 'unknown'}), node ${process.versions.node}`
  const when = new Date().toISOString().slice(0, 10)
  const pictures = Object.keys(numbers.scenarios).map((name) => `![${name}](replay/${name}.svg)`)
  return [
    '# Routing, replayed',
    '',
    `\`npm run bench:replay -- --write\`, ${when}, ${machine}, ${took.toFixed(0)} s, seeds ${numbers.seeds.join(', ')}.`,
    'Utility is the share of what an oracle gets; regret the mean value lost with the first pick. What the scenarios and policies are, and which variants lost: [decisions/routing.md](decisions/routing.md).',
    '',
    replayMarkdown(numbers),
    '',
    '## Regret over time',
    '',
    ...pictures,
    '',
  ].join('\n')
}

/** Five digits are more than three seeds can vouch for. */
function rounded(_key: string, value: unknown): unknown {
  return typeof value === 'number' ? Number(value.toPrecision(5)) : value
}
