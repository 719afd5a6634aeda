/**
 * `npm run test:agents`: coding agents of npm read and change a file through the gateway, over services that refuse what
 * the real ones refuse, also when the conversation moves from one to another, outgrows the model's window, a key is
 * revoked, a limit is met or the upstream dies in the middle of the loop. They are installed on demand.
 * `npm run test:agents -- codex` runs one of them, `npm run test:agents -- codex gemini` only the trials with that word.
 * Prints what came of it, and writes it into `docs/numbers.md` beside what was found before.
 */

import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { machine } from '../../bench/measure.ts'
import { AGENTS, type Agent } from './agents.ts'
import { type Attempt, attempt } from './attempt.ts'
import { installAgents } from './install.ts'
import { type Result, withAgents, withResults } from './page.ts'
import { type Trial, trialsOf } from './trials.ts'

const PAGE = resolve(import.meta.dirname, '../../docs/numbers.md')
/** What was found, for the page to be written again from. */
const RESULTS = join(import.meta.dirname, 'results.json')

const words = process.argv.slice(2)
const named = AGENTS.filter(({ name }) => words.includes(name))
const parts = words.filter((word) => !named.some(({ name }) => name === word))
const modules = installAgents()
const results: Result[] = []
console.log('| agent | services | outcome | answered | refused | seconds |\n|---|---|---|---|---|---|')
for (const agent of named.length > 0 ? named : AGENTS) {
  for (const trial of trialsOf(agent).filter(({ name }) => parts.every((part) => name.includes(part)))) {
    const made = await attempt(agent, trial, modules)
    tell(agent, trial, made)
    results.push(resultOf(agent, trial, made))
    write(results)
  }
}
process.exitCode = results.every(({ passed }) => passed) ? 0 : 1

function tell({ name }: Agent, trial: Trial, { passed, answered, refusals, unasked, seconds, told }: Attempt): void {
  const outcome = [passed ? 'done' : '**failed**', ...unasked.map((model) => `${model} was not asked`)].join('; ')
  const cells = [name, trial.name, outcome, answered, refusals.length, seconds.toFixed(0)]
  console.log(`| ${cells.join(' | ')} |`)
  for (const refusal of refusals) console.error(`  refused: ${refusal.slice(0, 1500)}`)
  if (!passed) console.error(told)
}

function resultOf(agent: Agent, trial: Trial, { passed, answered, refusals, unasked }: Attempt): Result {
  const date = new Date().toISOString().slice(0, 10)
  return { agent: agent.name, trial: trial.name, passed, answered, refused: refusals.length, unasked, date }
}

/** After each trial: a run may be ended before its end. */
function write(now: readonly Result[]): void {
  const before: Result[] = existsSync(RESULTS) ? JSON.parse(readFileSync(RESULTS, 'utf8')) : []
  const all = withResults(before, now)
  writeFileSync(RESULTS, `[\n${all.map((result) => JSON.stringify(result)).join(',\n')}\n]\n`)
  const trials = [...new Set(AGENTS.flatMap((agent) => trialsOf(agent).map(({ name }) => name)))]
  const agents = AGENTS.map(({ name, program }) => ({ name, version: versionOf(program) }))
  writeFileSync(PAGE, withAgents(readFileSync(PAGE, 'utf8'), all, { agents, trials, machine: machine() }))
}

/** Of the package that the program is in. */
function versionOf(program: string): string {
  const steps = program.split(/[\\/]/)
  const name = join(...steps.slice(0, program.startsWith('@') ? 2 : 1))
  const { version = '' } = JSON.parse(readFileSync(join(modules, name, 'package.json'), 'utf8')) as { version?: string }
  return version.replace(/-(?:linux|darwin|win32).*/, '')
}
