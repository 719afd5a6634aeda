/** Scenarios made of recorded incidents, and of recorded arrivals. */

import { poisson } from './arrivals.ts'
import type { CsvRow, Table } from './csv.ts'
import { makeLabTarget } from './labTarget.ts'
import { contender, SPRINTER_AND_HAULER } from './scenarios.ts'
import type { Arrival, Conditions, Contender, Likely, ReplayScenario } from './world.ts'

const DAY = 86_400_000
const START = Date.UTC(2026, 0, 1)
/** How much of its success a target keeps during an incident, by its impact. */
const KEEPS: Readonly<Record<string, number>> = { 1: 0.75, 2: 0.35, 3: 0.05 }
const CHUNKS = 5
const CHUNK_DAYS = 200
/** How long an incident without an end lasts. */
const USUAL_MS = 75 * 60_000

interface IncidentRow {
  readonly from: number
  readonly until: number
  readonly keeps: number
}

/** Five targets, each living through another fifth of one provider's history. */
export function incidentScenario(table: Table, stem: string): ReplayScenario {
  const incidents = table.rows.flatMap(incidentOf).sort((a, b) => a.from - b.from)
  const first = incidents[0]?.from ?? START
  const span = (incidents.at(-1)?.until ?? START) - first
  const days = Math.min(CHUNK_DAYS, Math.floor(span / CHUNKS / DAY))
  const until = START + days * DAY
  return {
    name: stem.replace(/^incidents_.*$/, 'incidents'),
    from: START,
    until,
    contenders: Array.from({ length: CHUNKS }, (_, chunk) =>
      unluckyContender(chunk, incidents, first + (chunk * span) / CHUNKS),
    ),
    arrivals: (seed) => poisson({ from: START, until, perDay: 150 }, seed),
  }
}

function incidentOf(row: CsvRow): readonly IncidentRow[] {
  const keeps = KEEPS[row.text('impact_0_3')]
  const from = row.number('start') * 1000
  if (keeps === undefined || !(from > 0)) return []
  const end = (row.number('resolved') || row.number('close')) * 1000
  return [{ from, until: end > from ? end : from + USUAL_MS, keeps }]
}

function unluckyContender(chunk: number, incidents: readonly IncidentRow[], begin: number): Contender {
  const usual: Conditions = {
    works: 0.99,
    firstTokenMs: 900 + 300 * chunk,
    tokenMs: 0,
    quality: 0.88 - 0.01 * chunk,
    failure: 'server',
    failureMs: 1500,
    costUsd: 0,
  }
  const always: readonly Likely[] = [{ weight: 1, conditions: usual }]
  const mine = incidents.filter(({ until, from }) => until >= begin && from < begin + (CHUNK_DAYS + 1) * DAY)
  return {
    target: makeLabTarget({ provider: `chunk${chunk + 1}`, model: 'm' }),
    since: START,
    at: (now) => {
      const then = begin + (now - START)
      const worst = mine.reduce(
        (least, { from, until, keeps }) => (then >= from && then < until ? Math.min(least, keeps) : least),
        1,
      )
      return worst === 1 ? always : [{ weight: 1, conditions: { ...usual, works: usual.works * worst } }]
    },
  }
}

/** The recorded rush, with its lengths of answers, on the targets of the mixed-length scenario. */
export function arrivalScenario(table: Table, stem: string): ReplayScenario {
  const arrivals: readonly Arrival[] = table.rows
    .filter((row) => row.number('t_s') >= 0)
    .map((row) => ({ at: START + row.number('t_s') * 1000, tokens: row.number('out_tokens') || 1, task: null }))
    .sort((a, b) => a.at - b.at)
  const until = (arrivals.at(-1)?.at ?? START) + 1
  return {
    name: stem.replace(/^arrivals_/, 'rush_'),
    from: START,
    until,
    contenders: SPRINTER_AND_HAULER.map((kind) => ({ ...contender(kind), since: START })),
    arrivals: () => arrivals,
  }
}
