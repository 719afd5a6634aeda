/**
 * `npm run test:agents`: coding agents of npm read and change a file through the gateway, over services that refuse what
 * the real ones refuse, also when the conversation moves from one to another, a key is revoked, a limit is met or the
 * upstream dies in the middle of the loop. They are installed on demand. `npm run test:agents -- codex` runs one of
 * them, `npm run test:agents -- codex gemini` only the trials with that word. Prints a table.
 */

import { AGENTS } from './agents.ts'
import { type Attempt, attempt } from './attempt.ts'
import { installAgents } from './install.ts'
import { trialsOf } from './trials.ts'

const words = process.argv.slice(2)
const named = AGENTS.filter(({ name }) => words.includes(name))
const parts = words.filter((word) => !named.some(({ name }) => name === word))
const modules = installAgents()
let failed = 0
console.log('| agent | services | outcome | answered | refused | seconds |\n|---|---|---|---|---|---|')
for (const agent of named.length > 0 ? named : AGENTS) {
  for (const trial of trialsOf(agent).filter(({ name }) => parts.every((part) => name.includes(part)))) {
    const result = await attempt(agent, trial, modules)
    console.log(rowOf(agent.name, trial.name, result))
    for (const refusal of result.refusals) console.error(`  refused: ${refusal.slice(0, 1500)}`)
    if (result.passed) continue
    failed++
    console.error(result.told)
  }
}
process.exitCode = failed === 0 ? 0 : 1

function rowOf(agent: string, trial: string, { passed, answered, refusals, unasked, seconds }: Attempt): string {
  const outcome = [passed ? 'done' : '**failed**', ...unasked.map((model) => `${model} was not asked`)].join('; ')
  const cells = [agent, trial, outcome, answered, refusals.length, seconds.toFixed(0)]
  return `| ${cells.join(' | ')} |`
}
