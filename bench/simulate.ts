/**
 * `npm run simulate -- --seed 7 --requests 1000000`: simulated worlds, one after another, until so many requests were
 * made. `--seeds 1..50`: one world of `--requests` for each seed. `--mutants` (with names: only those): how many worlds
 * it takes to find each fault that was put back on purpose. Prints a line for each world, a digest of all, and of the
 * first violation the events around it. Exits 1 when a rule was violated, or a mutant was not found.
 */

import { createHash } from 'node:crypto'
import { parseArgs } from 'node:util'
import { mix32 } from '../src/domain/random.ts'
import { MUTANTS, type Mutant } from '../src/lab/simulation/mutants.ts'
import { type SimulationResult, simulate } from '../src/lab/simulation/simulation.ts'
import { loadMutant } from './mutantLoader.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seed: { type: 'string', default: '1' },
    seeds: { type: 'string' },
    requests: { type: 'string' },
    mutants: { type: 'boolean', default: false },
    /** Most worlds for a mutant. */
    worlds: { type: 'string', default: '40' },
    json: { type: 'boolean', default: false },
  },
})

/** Of a long run: worlds are forgotten before they are large, and many find more than one. */
const WORLD = 5_000
const SMALL = 1_500

process.exitCode = values.mutants ? await huntMutants() : await runWorlds()

async function runWorlds(): Promise<number> {
  const began = performance.now()
  const hash = createHash('sha256')
  let [requests, calls, worldMs, violations] = [0, 0, 0, 0]
  for (const order of orders()) {
    const result = await simulate(order)
    requests += result.requests
    calls += result.calls
    worldMs += result.worldMs
    violations += result.violations.length
    hash.update(result.digest)
    tell(result, requests, performance.now() - began)
  }
  const minutes = (performance.now() - began) / 60_000
  const summary = {
    requests,
    calls,
    violations,
    worldHours: Math.round(worldMs / 36e5),
    requestsPerMinute: Math.round(requests / minutes),
    digest: hash.digest('hex').slice(0, 16),
  }
  console.log(
    values.json
      ? JSON.stringify(summary)
      : `${requests} requests, ${calls} calls, ${summary.worldHours} hours of the world in ${minutes.toFixed(1)} minutes (${summary.requestsPerMinute} requests a minute); ${violations} violations; digest ${summary.digest}`,
  )
  return violations === 0 ? 0 : 1
}

function* orders(): Generator<{ readonly seed: number; readonly requests: number }> {
  if (values.seeds !== undefined) {
    const [from = 1, to = from] = values.seeds.split('..').map(Number)
    for (let seed = from; seed <= to; seed++) yield { seed, requests: Number(values.requests ?? SMALL) }
    return
  }
  const seed = Number(values.seed)
  const requests = Number(values.requests ?? 10_000)
  if (requests <= WORLD) return yield { seed, requests }
  for (let world = 0; world * WORLD < requests; world++)
    yield { seed: mix32(seed, world), requests: Math.min(WORLD, requests - world * WORLD) }
}

function tell(result: SimulationResult, requests: number, ms: number): void {
  const { violations, ...facts } = result
  if (values.json) console.error(JSON.stringify({ ...facts, violations: violations.length }))
  else
    console.error(
      `seed ${result.seed}: ${result.answered} of ${result.requests} answered, ${result.calls} calls, ${result.kills} kills, ${Math.round(result.worldMs / 60_000)} minutes; digest ${result.digest} (${requests} after ${Math.round(ms / 1000)} s)`,
    )
  const [first] = violations
  if (first === undefined) return
  console.log(
    `\n${violations.length} violations in the world of seed ${result.seed} (--seeds ${result.seed} --requests ${result.wanted})`,
  )
  for (const { rule, message } of violations) console.log(`  ${rule}: ${message}`)
  console.log(`the events around the first:\n${first.trace.map((line) => `    ${line}`).join('\n')}\n`)
}

/** A row of docs/simulation.md for each. */
async function huntMutants(): Promise<number> {
  const wanted = MUTANTS.filter(({ name }) => positionals.length === 0 || positionals.includes(name))
  const rows: string[] = []
  let missed = 0
  for (const mutant of wanted) {
    const found = await hunt(mutant)
    if (found === null) missed++
    const row = `| ${mutant.name} | ${mutant.fault} | ${found === null ? '**not found**' : found.rule} | ${found?.worlds ?? values.worlds} |`
    rows.push(row)
    console.log(row)
  }
  console.log(`${wanted.length - missed} of ${wanted.length} mutants found`)
  return missed === 0 ? 0 : 1
}

async function hunt(mutant: Mutant): Promise<{ readonly rule: string; readonly worlds: number } | null> {
  const { simulate } = await loadMutant(mutant)
  for (let worlds = 1; worlds <= Number(values.worlds); worlds++) {
    const { violations } = await simulate({ seed: worlds, requests: Number(values.requests ?? SMALL) })
    const [first] = violations
    if (first !== undefined) return { rule: first.rule, worlds }
  }
  return null
}
