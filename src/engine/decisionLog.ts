/**
 * Why each request went where it went, for later inspection. The request itself only pays for a list entry: its
 * ranking is computed right after its first call was sent, before any result can change it, and is
 * written with the next tick. Under load not every request is logged.
 */

import { asArray, asNumber, asRecord, asString, type Json } from '../domain/json.ts'
import type { Store } from '../domain/store.ts'
import { CAUSE_KINDS, type ChoiceNumbers, type DecisionBasis, type DecisionCause } from '../routing/cause.ts'
import type { Decision } from '../routing/decision.ts'
import type { RankingPreview } from '../routing/explain.ts'
import type { Terms } from '../routing/score.ts'
import { STRATEGIES } from '../routing/settings.ts'
import type { PendingRequest } from './request/pendingRequest.ts'

export interface DecisionRow extends ChoiceNumbers {
  readonly rank: number
  readonly target: string
  readonly score: number
  readonly terms: Terms
  readonly eligible: boolean
  readonly reason: string | null
}

interface DecisionRecord {
  readonly requestId: string
  /** Epoch milliseconds. */
  readonly at: number
  readonly model: string
  /** Target id; null when nothing was eligible. */
  readonly chosen: string | null
  readonly explored: boolean
  /** Why it was chosen; null in records of older versions. */
  readonly cause: DecisionCause | null
  /** What the decision went by besides the rows; null in records of older versions. */
  readonly basis: DecisionBasis | null
  /** The variant that chose for it; null without an experiment. */
  readonly experiment: { readonly name: string; readonly variant: string } | null
  /** The best 20, and what the cause is about. */
  readonly ranking: readonly DecisionRow[]
}

/** A decision whose ranking is not computed yet. */
interface Fresh {
  readonly pending: PendingRequest
  readonly decision: Decision
  readonly now: number
}

const COLLECTION = 'decisions'
/** Number of decisions kept, over all processes. */
const KEPT = 1000
const ROWS = 20
/** The ring then covers the last 50 seconds under load, and computing and writing it takes a thousandth of a core. */
const PER_SECOND = 20
/** As many are kept of a burst after quiet times, so that a look at the last hundreds of requests misses none. */
const BURST = 500

export class Decisions {
  readonly #store: Store
  #fresh: Fresh[] = []
  #scheduled = false
  /** How many may be kept at once, as of `#roomAt`, epoch milliseconds. */
  #room = BURST
  #roomAt = 0
  /** Computed but not written yet, by request. */
  readonly #unwritten = new Map<string, DecisionRecord>()

  constructor(store: Store) {
    this.#store = store
  }

  /** On the request's path: costs a comparison and a list entry. */
  record(pending: PendingRequest, decision: Decision, now: number): void {
    if (!this.#takeRoom(now)) return
    decision.note()
    // What the calls of others change must not show in a ranking.
    if (this.#fresh.length > 0) this.drawUp()
    this.#fresh.push({ pending, decision, now })
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(() => this.drawUp())
  }

  #takeRoom(now: number): boolean {
    this.#room = Math.min(BURST, this.#room + (Math.max(0, now - this.#roomAt) / 1000) * PER_SECOND)
    this.#roomAt = now
    if (this.#room < 1) return false
    this.#room--
    return true
  }

  /** Writes computed decisions over the ring's oldest. */
  flush(): void {
    this.drawUp()
    const { size } = this.#unwritten
    if (size === 0) return
    let slot = this.#store.addToCounter(COLLECTION, size).value - size
    const docs = Array.from(this.#unwritten.values(), (record) => [String(slot++ % KEPT), pack(record)] as const)
    this.#store.setDocs(COLLECTION, docs)
    this.#unwritten.clear()
  }

  /** The decision of a request; null when it is unknown, too old, or was skipped under load. */
  find(requestId: string): DecisionRecord | null {
    this.drawUp()
    const unwritten = this.#unwritten.get(requestId)
    if (unwritten !== undefined) return unwritten
    const records = this.#store.listDocs(COLLECTION).flatMap(([, value]) => {
      return asRecord(value)?.['id'] === requestId ? (unpack(value) ?? []) : []
    })
    // A request that waited was decided again: the last decision led to its call.
    return records.reduce<DecisionRecord | null>((last, one) => (last !== null && last.at > one.at ? last : one), null)
  }

  /** Computes the rankings of the decisions that were just made; called before their state changes. */
  drawUp(): void {
    this.#scheduled = false
    const fresh = this.#fresh
    this.#fresh = []
    for (const one of fresh) this.#unwritten.set(one.pending.id, recordOf(one))
  }
}

function recordOf({ pending, decision, now }: Fresh): DecisionRecord {
  const { cause, basis, ranking } = decision.preview(ROWS)
  const trial = pending.enrolment?.trial ?? null
  return {
    requestId: pending.id,
    at: now,
    model: pending.selection.name,
    chosen: decision.first?.id ?? null,
    explored: decision.explored,
    cause,
    basis,
    experiment: trial === null ? null : { name: trial.experiment, variant: trial.variant },
    ranking: ranking.map(decisionRow),
  }
}

/** A row of a ranking, as `why --json` shows it. */
export function decisionRow(row: RankingPreview): DecisionRow {
  const { target, score, terms, missed: _, ...rest } = row
  return { ...rest, target: target.id, score: short(score), terms: shortTerms(terms) }
}

const shortTerms = ({ reliability, speed, quality, recency }: Terms): Terms => ({
  reliability: short(reliability),
  speed: short(speed),
  quality: short(quality),
  recency: short(recency),
})

/** Four decimals are precise enough for what is only shown, and shorter to store. */
const short = (share: number) => Math.round(share * 1e4) / 1e4

function pack({ requestId, ranking, cause, basis, ...rest }: DecisionRecord): Json {
  const rows = ranking.map(({ target, score, terms, value, eligible, reason, ...numbers }) => [
    target,
    score,
    ...[terms.reliability, terms.speed, terms.quality, terms.recency],
    value,
    eligible ? 1 : 0,
    reason,
    ...[numbers.key, numbers.pressure, numbers.costUsd, numbers.calls, numbers.weight, numbers.group],
    ...[numbers.drawn, numbers.hoped, numbers.isNew ? 1 : 0, numbers.untried ? 1 : 0],
  ])
  return { id: requestId, ...rest, cause: cause && { ...cause }, basis: basis && { ...basis }, rows }
}

function unpack(value: Json): DecisionRecord | null {
  const record = asRecord(value)
  const requestId = asString(record?.['id'])
  const rows = asArray(record?.['rows'])
  if (record === undefined || requestId === undefined || rows === undefined) return null
  return {
    requestId,
    at: asNumber(record['at']) ?? 0,
    model: asString(record['model']) ?? 'auto',
    chosen: asString(record['chosen']) ?? null,
    explored: record['explored'] === true,
    cause: unpackCause(record['cause']),
    basis: unpackBasis(record['basis']),
    experiment: unpackTrial(record['experiment']),
    ranking: rows.flatMap((row, index) => unpackRow(asArray(row) ?? [], index + 1) ?? []),
  }
}

function unpackBasis(value: unknown): DecisionBasis | null {
  const basis = asRecord(value)
  const strategy = STRATEGIES.find((one) => one === basis?.['strategy'])
  if (basis === undefined || strategy === undefined) return null
  const number = (name: keyof DecisionBasis) => asNumber(basis[name]) ?? 0
  return {
    strategy,
    costMargin: number('costMargin'),
    drawMargin: number('drawMargin'),
    draws: basis['draws'] === true,
    seed: number('seed'),
    tokens: number('tokens'),
    session: asString(basis['session']) ?? null,
  }
}

function unpackTrial(value: unknown): DecisionRecord['experiment'] {
  const trial = asRecord(value)
  const name = asString(trial?.['name'])
  const variant = asString(trial?.['variant'])
  return name === undefined || variant === undefined ? null : { name, variant }
}

function unpackCause(value: unknown): DecisionCause | null {
  const cause = asRecord(value)
  const kind = CAUSE_KINDS.find((one) => one === cause?.['kind'])
  if (kind === undefined) return null
  return {
    kind,
    instead: asString(cause?.['instead']) ?? null,
    pull: asNumber(cause?.['pull']) ?? null,
    pulls: asNumber(cause?.['pulls']) ?? null,
    text: asString(cause?.['text']) ?? '',
  }
}

function unpackRow(row: readonly unknown[], rank: number): DecisionRow | null {
  const target = asString(row[0])
  if (target === undefined) return null
  const number = (place: number, otherwise = 0) => asNumber(row[place]) ?? otherwise
  const value = number(6)
  return {
    rank,
    target,
    score: number(1),
    terms: { reliability: number(2), speed: number(3), quality: number(4), recency: number(5) },
    value,
    eligible: row[7] === 1,
    reason: asString(row[8]) ?? null,
    // Absent in records of older versions.
    key: number(9, value),
    pressure: number(10),
    costUsd: asNumber(row[11]) ?? null,
    calls: asNumber(row[12]) ?? null,
    weight: number(13, 1),
    group: number(14),
    drawn: asNumber(row[15]) ?? null,
    hoped: number(16, value),
    isNew: row[17] === 1,
    untried: row[18] === 1,
  }
}
