/**
 * Why a request went where it went, kept for whoever asks later. The request itself pays for one entry in a list: its
 * ranking is drawn up a moment after its first call has left, before anything can have come back and changed it, and is
 * written with the next tick. Under load not every request is drawn up.
 */

import { asArray, asNumber, asRecord, asString, type Json } from '../domain/json.ts'
import type { Store } from '../domain/store.ts'
import type { Decision } from '../routing/choose.ts'
import type { RankingPreview } from '../routing/explain.ts'
import type { Terms } from '../routing/score.ts'
import { type EligibilityFacts, whyNot } from './attempt/eligibility.ts'
import type { PendingRequest } from './request/pendingRequest.ts'

export interface DecisionRow {
  readonly rank: number
  readonly target: string
  readonly score: number
  readonly terms: Terms
  readonly value: number
  readonly eligible: boolean
  readonly reason: string | null
}

export interface DecisionRecord {
  readonly requestId: string
  /** Epoch milliseconds. */
  readonly at: number
  readonly model: string
  /** Target id; null when nothing was eligible. */
  readonly chosen: string | null
  readonly explored: boolean
  /** The best 20. */
  readonly ranking: readonly DecisionRow[]
}

/** A decision whose ranking is still to be drawn up. */
interface Fresh {
  readonly pending: PendingRequest
  readonly decision: Decision
  readonly eligibility: EligibilityFacts
  readonly now: number
}

const COLLECTION = 'decisions'
/** Shared by all processes: the last so many decisions of all of them are kept. */
const KEPT = 1000
const ROWS = 20
/** The ring then holds what the last 50 seconds of load decided, and drawing and writing it takes a thousandth of a core. */
const MOST_PER_SECOND = 20

export class Decisions {
  readonly #store: Store
  #fresh: Fresh[] = []
  #scheduled = false
  #second = 0
  #takenThisSecond = 0
  /** Drawn up and not written yet, by request. */
  readonly #unwritten = new Map<string, DecisionRecord>()

  constructor(store: Store) {
    this.#store = store
  }

  /** Called on the request's path: a comparison and an entry in a list. */
  record(pending: PendingRequest, decision: Decision, eligibility: EligibilityFacts, now: number): void {
    const second = Math.floor(now / 1000)
    if (second !== this.#second) {
      this.#second = second
      this.#takenThisSecond = 0
    }
    if (++this.#takenThisSecond > MOST_PER_SECOND) return
    this.#fresh.push({ pending, decision, eligibility, now })
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(() => this.#drawUp())
  }

  /** Writes what was drawn up; the ring's oldest make room. */
  flush(): void {
    this.#drawUp()
    const { size } = this.#unwritten
    if (size === 0) return
    let slot = this.#store.addToCounter(COLLECTION, size).value - size
    const docs = Array.from(this.#unwritten.values(), (record) => [String(slot++ % KEPT), pack(record)] as const)
    this.#store.setDocs(COLLECTION, docs)
    this.#unwritten.clear()
  }

  /** What was decided for a request; null when it is unknown, too old, or was one too many in a busy second. */
  find(requestId: string): DecisionRecord | null {
    this.#drawUp()
    const unwritten = this.#unwritten.get(requestId)
    if (unwritten !== undefined) return unwritten
    const records = this.#store.listDocs(COLLECTION).flatMap(([, value]) => {
      return asRecord(value)?.['id'] === requestId ? (unpack(value) ?? []) : []
    })
    // A request that waited was decided again: the last decision is the one that sent it.
    return records.reduce<DecisionRecord | null>((last, one) => (last !== null && last.at > one.at ? last : one), null)
  }

  #drawUp(): void {
    this.#scheduled = false
    const fresh = this.#fresh
    this.#fresh = []
    for (const one of fresh) this.#unwritten.set(one.pending.id, recordOf(one))
  }
}

function recordOf({ pending, decision, eligibility, now }: Fresh): DecisionRecord {
  return {
    requestId: pending.id,
    at: now,
    model: pending.selection.name,
    chosen: decision.first?.id ?? null,
    explored: decision.explored,
    ranking: decision.preview(ROWS, (target) => whyNot(eligibility, target, pending, null, now)).map(decisionRow),
  }
}

/** A row of a ranking as the contract's section 7 has it. */
export function decisionRow({ rank, target, score, terms, value, eligible, reason }: RankingPreview): DecisionRow {
  return { rank, target: target.id, score, terms, value, eligible, reason }
}

/** Ten thousandths say enough, and are shorter to write. */
const short = (share: number) => Math.round(share * 1e4) / 1e4

function pack({ requestId, at, model, chosen, explored, ranking }: DecisionRecord): Json {
  const rows = ranking.map(({ target, score, terms, value, eligible, reason }) => [
    target,
    ...[score, terms.reliability, terms.speed, terms.quality, terms.recency, value].map(short),
    eligible ? 1 : 0,
    reason,
  ])
  return { id: requestId, at, model, chosen, explored, rows }
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
    ranking: rows.flatMap((row, index) => unpackRow(asArray(row) ?? [], index + 1) ?? []),
  }
}

function unpackRow(row: readonly unknown[], rank: number): DecisionRow | null {
  const target = asString(row[0])
  if (target === undefined) return null
  const number = (place: number) => asNumber(row[place]) ?? 0
  return {
    rank,
    target,
    score: number(1),
    terms: { reliability: number(2), speed: number(3), quality: number(4), recency: number(5) },
    value: number(6),
    eligible: row[7] === 1,
    reason: asString(row[8]) ?? null,
  }
}
