/**
 * Simulated experiments: how often a difference is found that is not there, and how soon one that is. Writes its table
 * into docs/experiments.md; the number of repeats per case is KEYWISE_REPEATS, 2,000 without it.
 */

import { readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { type ExperimentCase, runCase } from '../test/support/experimentCases.ts'
import { EFFECT_CASES, EQUAL_CASES, OUTSIDE_CASES } from '../test/support/experimentTable.ts'
import { machine } from './measure.ts'

const PAGE = resolve(import.meta.dirname, '../docs/experiments.md')
const [BEGIN, END] = ['<!-- simulations -->', '<!-- /simulations -->']
const ALPHA = 0.05

interface Outcome {
  readonly name: string
  readonly units: number
  /** Shares of all repeats. */
  readonly different: number
  readonly wrong: number
  readonly equal: number
  readonly withheld: number
  /** Units with a value at half of the decisions; null without any. */
  readonly median: number | null
}

export function benchExperiments(): string[] {
  const repeats = Number(process.env['KEYWISE_REPEATS'] ?? 2_000)
  const equal = EQUAL_CASES.map((one) => outcomeOf(one, repeats))
  const outside = OUTSIDE_CASES.map((one) => outcomeOf(one, repeats))
  const effects = EFFECT_CASES.map((one) => outcomeOf(one, repeats))
  write([
    `\`npm run bench -- experiments\`, ${new Date().toISOString().slice(0, 10)}, ${machine()}; ${repeats.toLocaleString('en-US')} repeats each, alpha 5 %, looked at after every value.`,
    '',
    '| two equal variants | units | called different | called equal | no verdict for the counts |',
    '|---|---|---|---|---|',
    ...equal.map(equalRow),
    '',
    '| outside the conditions | units | called different | called equal | no verdict for the counts |',
    '|---|---|---|---|---|',
    ...outside.map(equalRow),
    '',
    '| a difference | found | in the wrong direction | units at half of the decisions |',
    '|---|---|---|---|',
    ...effects.map(
      ({ name, different, wrong, median }) =>
        `| ${name} | ${percent(different)} | ${percent(wrong)} | ${median?.toLocaleString('en-US') ?? '-'} |`,
    ),
  ])
  const worst = equal.reduce((a, b) => (a.different >= b.different ? a : b))
  // Three standard errors above alpha would be no accident.
  const limit = ALPHA + 3 * Math.sqrt((ALPHA * (1 - ALPHA)) / repeats)
  if (worst.different > limit) process.exitCode = 1
  return [
    `${repeats.toLocaleString('en-US')} repeats of each of ${equal.length} cases without a difference: at most ${percent(worst.different)} are called different (${worst.name}); promised are 5 %`,
    `of ${effects.length} with one: ${percent(Math.min(...effects.map(({ different }) => different)))} or more are found, in the wrong direction at most ${percent(Math.max(...effects.map(({ wrong }) => wrong)))}; the table is in [experiments.md](experiments.md)`,
  ]
}

function equalRow({ name, units, different, equal, withheld }: Outcome): string {
  return `| ${name} | ${units.toLocaleString('en-US')} | ${percent(different)} | ${percent(equal)} | ${percent(withheld)} |`
}

function outcomeOf(one: ExperimentCase, repeats: number): Outcome {
  const results = Array.from({ length: repeats }, (_, seed) => runCase(one, seed))
  const share = (is: (result: (typeof results)[number]) => boolean) => results.filter(is).length / repeats
  const found = results.flatMap(({ higher, observations }) => (higher === null ? [] : (observations ?? [])))
  found.sort((a, b) => a - b)
  // Less is better where the second variant is cheaper or faster.
  const right = one.metric === 'cost' || one.metric === 'latency' ? 'first' : 'second'
  const outcome = {
    name: one.name,
    units: one.units,
    different: share(({ higher }) => higher !== null),
    wrong: share(({ higher }) => higher !== null && higher !== right),
    equal: share(({ isEqual }) => isEqual),
    withheld: share(({ higher, isEqual, mismatch }) => higher === null && !isEqual && mismatch !== null),
    median: found[found.length >> 1] ?? null,
  }
  console.error(`  ${one.name}: ${percent(outcome.different)} different`)
  return outcome
}

function write(lines: readonly string[]): void {
  const page = readFileSync(PAGE, 'utf8')
  const [from, to] = [page.indexOf(BEGIN), page.indexOf(END)]
  if (from < 0 || to < from) throw new Error(`${PAGE} has no place for the table: ${BEGIN} and ${END}`)
  writeFileSync(PAGE, `${page.slice(0, from)}${BEGIN}\n${lines.join('\n')}\n${page.slice(to)}`)
}

const percent = (share: number) => `${Number((share * 100).toFixed(1))} %`
