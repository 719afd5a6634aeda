/**
 * `why --json` and `GET /api/why`: the ranking with its terms, as it is now or as it was when a request was decided.
 */

import type { AttemptReport } from '../domain/attempt.ts'
import { InvalidRequestError } from '../domain/errors.ts'
import { isoOrNull } from '../domain/isoTime.ts'
import type { AttemptEvent } from '../domain/store.ts'
import { type DecisionRow, decisionRow } from '../engine/decisionLog.ts'
import { favouriteNow, rankingNow } from '../engine/ranking.ts'
import type { EngineReader } from '../engine/reader.ts'
import { attemptReport } from '../engine/record.ts'
import type { DecisionBasis, DecisionCause } from '../routing/cause.ts'
import type { RankedTarget } from '../routing/explain.ts'
import { type AllClosed, allClosed } from './hours.ts'

interface WhyRow extends DecisionRow {
  /** Where each term came from, in words; absent for past requests. */
  readonly inputs?: RankedTarget['inputs']
  /** Terms without any observation. */
  readonly priors?: RankedTarget['priors']
}

export interface WhyView {
  readonly generatedAt: string
  readonly model: string
  /** Best first; of a past request the best 20. */
  readonly ranking: readonly WhyRow[]
  /** The target that would be (or was) tried first; null when none is eligible. */
  readonly chosen: string | null
  /** Whether it was chosen to explore it rather than because it looked best. */
  readonly explored: boolean
  /** What tokens that share this gateway have rated in this hour, and as how much it counts; absent for past requests. */
  readonly ratings?: readonly RatingsRow[]
  /** Why it would be (or was) chosen; null where the reason was not kept. */
  readonly cause: DecisionCause | null
  /** What the decision goes (or went) by besides the rows; null where it was not kept. */
  readonly basis: DecisionBasis | null
  /** Set while the user's hours exclude every target; absent for past requests. */
  readonly allClosed?: AllClosed | null
}

type AskedReport = Omit<AttemptReport, 'why'> & { readonly why: string | null }

export interface WhyRequestView extends WhyView {
  readonly requestId: string
  readonly decidedAt: string | null
  /** The experiment whose variant the request was given; null without one. */
  readonly experiment: { readonly name: string; readonly variant: string } | null
  /** In their order; `why` says of each why its target was asked. */
  readonly attempts: readonly AskedReport[]
}

/** What one token said of a target in this hour. */
export interface RatingsRow {
  /** Target id. */
  readonly target: string
  /** Name of the token. */
  readonly token: string
  /** Requests it has rated. */
  readonly given: number
  /** As how many ratings they count. */
  readonly counted: number
}

/** The ranking as it stands. Throws ModelNotFoundError. */
export function whyView(engine: EngineReader, model = 'auto'): WhyView {
  const ranked = rankingNow(engine, model)
  const { first, cause, basis } = favouriteNow(engine, model)
  return {
    generatedAt: new Date(engine.now).toISOString(),
    model,
    ranking: ranked.map((row) => ({
      ...decisionRow(row),
      reason: row.target === first ? cause.text : row.reason,
      inputs: row.inputs,
      priors: row.priors,
    })),
    chosen: first?.id ?? null,
    explored: false,
    ratings: ratingsOf(engine),
    cause,
    basis,
    allClosed: allClosed(engine),
  }
}

/** Those of targets that are served now, most first. */
function ratingsOf({ learned, registry, now }: EngineReader): readonly RatingsRow[] {
  return learned.ratings
    .ofHour(now)
    .flatMap(({ stateId, ...row }) => {
      const target = registry.find(stateId)?.id
      return target === undefined ? [] : [{ target, ...row }]
    })
    .sort((a, b) => b.given - a.given)
}

/**
 * The ranking by which a request was decided, and its attempts. The ranking is empty where it was not kept: the
 * last 1,000 are, and under load not all. Throws InvalidRequestError for an unknown request.
 */
export function whyRequestView(engine: EngineReader, requestId: string): WhyRequestView {
  const decision = engine.decisions.find(requestId)
  const attempts = engine.store.attempts({ requestId, order: 'oldest', limit: 100 })
  if (decision === null && attempts.length === 0)
    throw new InvalidRequestError(
      `no request "${requestId.slice(0, 60)}" is known; use the requestId of a result, or x-keywise-request-id`,
      { parameter: 'request' },
    )
  return {
    generatedAt: new Date(engine.now).toISOString(),
    requestId,
    decidedAt: isoOrNull(decision?.at),
    model: decision?.model ?? attempts[0]?.target.model ?? 'auto',
    ranking: decision?.ranking ?? [],
    chosen: decision?.chosen ?? null,
    explored: decision?.explored ?? false,
    cause: decision?.cause ?? null,
    basis: decision?.basis ?? null,
    experiment: decision?.experiment ?? null,
    attempts: attempts.map((event) => ({
      ...pastAttempt(engine, event),
      why: askedFor(event, decision?.cause ?? null),
    })),
  }
}

/** Of the first attempt it is the cause of the decision. */
function askedFor({ why, source, number }: AttemptEvent, cause: DecisionCause | null): string | null {
  if (source === 'test') return 'a test run asked it'
  if (source === 'probe') return 'a probe asked it, to find out whether it works'
  return why ?? (number === 1 ? (cause?.text ?? null) : null)
}

/** With today's index of its key; `retryAt` is what the provider stated. */
function pastAttempt({ registry }: EngineReader, event: AttemptEvent): AttemptReport {
  const waitMs = event.failure?.retryAfterMs
  const keyIndex = registry.find(event.target.stateId)?.keyIndex ?? event.target.keyIndex
  return attemptReport(event, keyIndex, waitMs === undefined ? null : event.at + waitMs)
}
