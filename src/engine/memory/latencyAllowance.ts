/**
 * How long a target may take to its first content, or to a whole plain answer: from percentiles of its observed times,
 * as in adaptive timeouts.
 */

import { asArray, asString, type Json } from '../../domain/json.ts'
import type { AttemptEvent } from '../../domain/store.ts'
import type { Target } from '../../domain/target.ts'
import type { PendingRequest } from '../request/pendingRequest.ts'
import { LogNormal } from './logNormal.ts'

/** Used for a first content while nothing is known. */
const UNKNOWN_MS = 60_000
const LEAST_MS = 5000
const MOST_MS = 120_000
/** A plain answer is given no more, however long it may be. */
const MOST_WHOLE_MS = 600_000
/** Observations needed before they are used. */
const ENOUGH = 20
/** What was learned is mostly of short prompts; of a long one at least 5,000 tokens are read in a second. */
const PROMPT_TOKEN_MS = 0.2
/** Standard deviations of a normal distribution up to its 99.9th and its 95th percentile. */
const Z999 = 3.09
const Z95 = 1.645
/** The length a plain answer may have when the caller states none, in tokens: few chat answers are longer. */
const LONG_ANSWER_TOKENS = 4096
/** Per token while nothing is known: 100 tokens a second, on top of a generous first content. */
const UNKNOWN_TOKEN_MS = 10
/** A long answer at a busy hour may take this many times the usual time per token. */
const SLACK = 2
/** A shorter answer does not show the time per token. */
const LEAST_STREAM_TOKENS = 20
/** In a shorter plain answer the time before the first token weighs too much. */
const LEAST_PLAIN_TOKENS = 100

interface TargetTimes {
  /** To the first content of a stream. */
  readonly first: LogNormal
  /** To the end of a plain answer. */
  readonly whole: LogNormal
  /** Per output token. */
  readonly token: LogNormal
}

export class LatencyAllowance {
  readonly #times = new Map<string, TargetTimes>()

  /** Learns from an answer, and from the silence of a target that another one beat. */
  fold(event: AttemptEvent): void {
    const { ok, failure, latencyMs, firstTokenMs, streamed } = event
    // The few tokens of a test say nothing about how long a whole answer takes.
    if (event.source === 'test' && !streamed) return
    const beaten = failure?.kind === 'slower'
    const ms = ok ? firstTokenMs : beaten ? (firstTokenMs ?? latencyMs) : null
    if (ms === null || !isTime(ms)) return
    const times = this.#timesOf(event.target.stateId)
    const seen = streamed ? times.first : times.whole
    // How long a beaten target would have taken is unknown, but longer. Without it only the fast answers would be seen.
    if (beaten && ms < seen.median) return
    seen.add(ms)
    if (ok && event.source === 'live') learnTokenTime(times.token, event)
  }

  /**
   * Milliseconds for the first content of a stream, or for the whole of a plain answer. A number in the settings holds
   * for both. `slowStartMs`: the minimum for the provider's first content.
   *
   * `auto`, stream: the 99.9th percentile of the target's times to the first content, at least 5 s, + 0.2 ms per token
   * of the prompt, at most 120 s. Until 20 were seen: 60 s.
   *
   * `auto`, plain: that time + the most tokens to expect x twice the usual time per token. The time to the first
   * content is that of streams, else the 99.9th percentile of its plain answers; the tokens are the caller's limit, or
   * 4,096, and never more than the model can write; the time per token is (total - first) / tokens of streams and
   * total / tokens of plain answers. Until 20 of each were seen: 60 s + tokens x 10 ms. At most 10 minutes.
   */
  firstTokenMs(
    target: Target,
    pending: Pick<PendingRequest, 'request' | 'needs'>,
    setting: number | 'auto',
    slowStartMs = 0,
  ): number {
    if (setting !== 'auto') return setting
    const times = this.#times.get(target.stateId)
    const { inputTokens, maxOutputTokens } = pending.needs
    const readMs = inputTokens * PROMPT_TOKEN_MS
    if (pending.request.stream) return Math.max(slowStartMs, firstOf(times?.first, readMs) ?? UNKNOWN_MS)
    const first = firstOf(times?.first, readMs) ?? firstOf(times?.whole, readMs)
    const tokens = mostTokens(target, maxOutputTokens)
    const perToken = times === undefined || times.token.count < ENOUGH ? null : SLACK * times.token.median
    const whole =
      first === null || perToken === null
        ? Math.max(slowStartMs, UNKNOWN_MS, first ?? 0) + tokens * UNKNOWN_TOKEN_MS
        : Math.max(slowStartMs, first) + tokens * perToken
    return Math.min(MOST_WHOLE_MS, whole)
  }

  /** The 95th percentile of the times to a stream's first content, or to a plain answer; null until 20 were seen. */
  p95Ms(target: Pick<Target, 'stateId'>, stream: boolean): number | null {
    const times = this.#times.get(target.stateId)
    const seen = stream ? times?.first : times?.whole
    return seen === undefined || seen.count < ENOUGH ? null : seen.percentile(Z95)
  }

  toJson(): Json {
    return [...this.#times].map(([stateId, { first, whole, token }]) => [
      stateId,
      first.toJson(),
      whole.toJson(),
      token.toJson(),
    ])
  }

  /** Reads what `toJson` wrote; invalid entries are dropped. */
  static fromJson(json: unknown): LatencyAllowance {
    const allowance = new LatencyAllowance()
    for (const entry of asArray(json) ?? []) {
      const [id, ...times] = asArray(entry) ?? []
      const stateId = asString(id)
      const [first, whole, token] = times.map((one) => LogNormal.fromJson(one))
      if (stateId === undefined || first === undefined || whole === undefined || token === undefined) continue
      allowance.#times.set(stateId, { first, whole, token })
    }
    return allowance
  }

  #timesOf(stateId: string): TargetTimes {
    const known = this.#times.get(stateId)
    if (known !== undefined) return known
    const fresh = { first: new LogNormal(), whole: new LogNormal(), token: new LogNormal() }
    this.#times.set(stateId, fresh)
    return fresh
  }
}

function learnTokenTime(token: LogNormal, { streamed, latencyMs, firstTokenMs, usage }: AttemptEvent): void {
  const tokens = usage?.outputTokens ?? 0
  if (!(tokens >= (streamed ? LEAST_STREAM_TOKENS : LEAST_PLAIN_TOKENS))) return
  const ms = (streamed ? latencyMs - (firstTokenMs ?? 0) : latencyMs) / tokens
  if (isTime(ms)) token.add(ms)
}

function firstOf(seen: LogNormal | undefined, readMs: number): number | null {
  if (seen === undefined || seen.count < ENOUGH) return null
  return Math.min(MOST_MS, Math.max(LEAST_MS, seen.percentile(Z999)) + readMs)
}

function mostTokens({ profile }: Target, asked: number | null): number {
  return Math.min(asked ?? LONG_ANSWER_TOKENS, profile.maxOutputTokens ?? Number.POSITIVE_INFINITY)
}

const isTime = (ms: number) => ms > 0 && ms <= 3_600_000
