/** Scenarios made of measurements: every table found in a folder, known by its columns, whatever its name. */

import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { poisson } from './arrivals.ts'
import { readTable, type Table } from './csv.ts'
import { arrivalScenario, incidentScenario } from './events.ts'
import { makeLabTarget } from './labTarget.ts'
import { latencyProbe, type Probe, probeOf } from './probe.ts'
import type { Contender, Likely, ReplayScenario } from './world.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR
/** Observations a target needs to be replayed. */
const FEWEST_PROBES = 25
const FEWEST_SUCCESSES = 5
const SHORTEST_SPAN = 20 * DAY
const OUT_OF_SIGHT = 30 * DAY
const FEWEST_PAID_PROBES = 60
const FEWEST_LATENCIES = 8

/** Every scenario that the tables of a folder make; tables with other columns are passed over. */
export function traceScenarios(folder: string): readonly ReplayScenario[] {
  const files = readdirSync(folder).filter((file) => /\.csv(?:\.gz)?$/.test(file))
  return files.sort().flatMap((file) => {
    const stem = file.replace(/\.csv(?:\.gz)?$/, '')
    const found = scenariosOf(readTable(join(folder, file)), stem)
    // With one target there is nothing to choose.
    return found.filter(({ contenders }) => contenders.length > 1)
  })
}

function scenariosOf(table: Table, stem: string): readonly ReplayScenario[] {
  const has = (...columns: string[]) => columns.every((column) => table.columns.includes(column))
  if (has('t_unix', 'provider', 'ok', 'err_class', 'quality_0_100')) return [paidScenario(table, stem)]
  if (has('t_unix', 'provider', 'model', 'ok', 'err_class')) return [freeScenario(table, stem)]
  if (has('t_unix', 'region', 'model', 'ttft_ms', 'total_ms')) return latencyScenarios(table)
  if (has('impact_0_3', 'start', 'resolved')) return [incidentScenario(table, stem)]
  if (has('t_s', 'in_tokens', 'out_tokens')) return [arrivalScenario(table, stem)]
  return []
}

/** One target per provider, whatever model it served at the time. */
function paidScenario(table: Table, stem: string): ReplayScenario {
  const groups = grouped(table.rows.map(probeOf), ({ provider }) => provider)
  const kept = groups.filter((probes) => probes.length >= FEWEST_PAID_PROBES)
  return probeScenario(stem.replace(/^probe6h_(.*)$/, '$16h'), kept, { perDay: 280 })
}

function freeScenario(table: Table, stem: string): ReplayScenario {
  const groups = grouped(table.rows.map(probeOf), ({ provider, model }) => `${provider}/${model}`)
  const kept = groups.filter(
    (probes) =>
      probes.length >= FEWEST_PROBES &&
      probes.filter(({ conditions }) => conditions.works === 1).length >= FEWEST_SUCCESSES &&
      probes.at(-1)!.at - probes[0]!.at > SHORTEST_SPAN,
  )
  return probeScenario(stem.replace(/^probe_free_/, 'free'), kept, { perDay: 700 })
}

function latencyScenarios(table: Table): readonly ReplayScenario[] {
  const regions = new Set(table.rows.map((row) => row.text('region')))
  return [...regions].map((region) => {
    const rows = table.rows.filter((row) => row.text('region') === region)
    const groups = grouped(rows.map(latencyProbe), ({ provider, model }) => `${provider}/${model}`)
    const kept = groups.filter((probes) => probes.length >= FEWEST_LATENCIES)
    return probeScenario(`lat_${region}`, kept, { perDay: 2000, days: 8 })
  })
}

interface Window {
  readonly perDay: number
  /** Default: 70 where targets were looked at about every six hours, else 27. */
  readonly days?: number
}

function probeScenario(name: string, groups: readonly (readonly Probe[])[], { perDay, days }: Window): ReplayScenario {
  const until = Math.max(...groups.map((probes) => probes.at(-1)!.at))
  const from = until - (days ?? (isSixHourly(groups) ? 70 : 27)) * DAY
  return {
    name,
    from,
    until,
    contenders: groups.map((probes) => traceContender(recent(probes, from), from)),
    arrivals: (seed) => poisson({ from, until, perDay }, seed),
  }
}

/** Without what lies far before the window: the first lines of one trace carry wrong clock values. */
function recent(probes: readonly Probe[], from: number): readonly Probe[] {
  const kept = probes.filter(({ at }) => at >= from - OUT_OF_SIGHT)
  return kept.length > 0 ? kept : probes
}

function isSixHourly(groups: readonly (readonly Probe[])[]): boolean {
  const gaps = groups.map((probes) => (probes.at(-1)!.at - probes[0]!.at) / (probes.length - 1)).sort((a, b) => a - b)
  const median = gaps[Math.floor(gaps.length / 2)]!
  return median > 3 * HOUR && median < 9 * HOUR
}

/** At any time the target is as the probe before it or as the probe after it found it, the nearer the likelier. */
export function traceContender(probes: readonly Probe[], since: number): Contender {
  const times = Float64Array.from(probes, ({ at }) => at)
  const { provider, model } = probes[0]!
  return {
    target: makeLabTarget({ provider, model }),
    since,
    at: (now) => {
      const later = firstAfter(times, now)
      if (later === 0) return certain(probes[0]!)
      if (later === probes.length) return certain(probes.at(-1)!)
      const weight = (now - times[later - 1]!) / (times[later]! - times[later - 1]!)
      return [
        { weight: 1 - weight, conditions: probes[later - 1]!.conditions },
        { weight, conditions: probes[later]!.conditions },
      ]
    },
  }
}

function certain({ conditions }: Probe): readonly Likely[] {
  return [{ weight: 1, conditions }]
}

/** The place of the first time after `now`, by halving. */
function firstAfter(times: Float64Array, now: number): number {
  let low = 0
  let high = times.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (times[middle]! > now) high = middle
    else low = middle + 1
  }
  return low
}

/** Probes by target, each group in the order of time, groups in the order of their names. */
export function grouped(
  probes: readonly (Probe | null)[],
  nameOf: (probe: Probe) => string,
): readonly (readonly Probe[])[] {
  const groups = new Map<string, Probe[]>()
  for (const probe of probes) {
    if (probe === null) continue
    const group = groups.get(nameOf(probe))
    if (group === undefined) groups.set(nameOf(probe), [probe])
    else group.push(probe)
  }
  const names = [...groups.keys()].sort()
  return names.map((name) => groups.get(name)!.sort((a, b) => a.at - b.at))
}
