/**
 * Names under which headers and bodies state a wait: `retry-after-ms`, `resets_in_seconds`, `quotaResetTimeStamp`,
 * `x-codex-primary-reset-at`. Read word by word, since every sender has its own order of the same words.
 */

import { asNumber, asRecord } from '../../domain/json.ts'
import { parseWait } from '../../quota/reset.ts'

interface WaitName {
  /** How directly the name speaks of this refusal; lower is better. 2 and 3 may belong to a limit that is not met. */
  readonly rank: 0 | 1 | 2 | 3
  /** Milliseconds per unit of a bare number; null where the number itself must tell. */
  readonly unitMs: number | null
}

const UNITS: ReadonlyMap<string, number> = new Map([
  ['ms', 1],
  ['msec', 1],
  ['millis', 1],
  ['milliseconds', 1],
  ['s', 1000],
  ['sec', 1000],
  ['secs', 1000],
  ['seconds', 1000],
  ['minutes', 60_000],
  ['mins', 60_000],
  ['hours', 3_600_000],
])
/** Numbers of another kind beside the same words: `x-retry-count`, `max_retry_after`, `reset_url`. */
const STRANGERS = new Set(
  'count counts attempt attempts attempted retries max maximum num number policy should enabled reason strategy url message credits password token id used preset presets'.split(
    ' ',
  ),
)

const RANKS: readonly (readonly [RegExp, WaitName['rank']])[] = [
  [/retry(?:after|delay|in|at|wait|time)|tryagain(?:in|after|at)/, 0],
  [/^wait|towait|waitfor|waittime|wait(?:seconds|ms)|cooldown|backoff|estimatedtime/, 1],
  [/available(?:in|at|after)|resumes?(?:in|at)|(?:blocked|limited|paused)until/, 1],
  [/(?:time|seconds)remaining|remaining(?:time|seconds|ms)/, 1],
  [/resets?(?:in|after|delay|seconds|secs|ms|minutes|hours)/, 2],
  [/reset|flushtime|(?:renews?|refresh(?:es)?|refills?|replenish(?:es)?)(?:in|at|after|time)/, 3],
]
/** A cheap look before the careful one. */
const MAY_BE_WAIT =
  /retry|reset|wait|cool|backoff|again|available|resume|remaining|until|flush|estimated|renew|refresh|refill|replenish/i

/** What the name states; null when it is no wait. */
export function waitName(name: string): WaitName | null {
  if (name.length > 64 || !MAY_BE_WAIT.test(name)) return null
  const words = name
    .replace(/([a-z\d])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z]+/)
  if (words.some((word) => STRANGERS.has(word))) return null
  const joined = words.join('')
  const rank = RANKS.find(([pattern]) => pattern.test(joined))?.[1]
  return rank === undefined ? null : { rank, unitMs: unitOf(words) }
}

function unitOf(words: readonly string[]): number | null {
  for (const word of words) {
    const unit = UNITS.get(word)
    if (unit !== undefined) return unit
  }
  return null
}

/** Numbers from here on are dates (milliseconds since 1970), whatever unit the name says. */
const EPOCH_MILLISECONDS = 1e12
const EPOCH_SECONDS = 1e9

export interface WaitClock {
  /** Epoch milliseconds. */
  readonly now: number
  /** How far the upstream's clock is ahead of ours, in milliseconds. */
  readonly skewMs: number
  /** The zone of dates that name none. */
  readonly zone: string | undefined
}

/** The value of such a field in milliseconds from now; undefined when it is unusable. */
export function waitOf(value: unknown, { unitMs }: WaitName, { now, skewMs, zone }: WaitClock): number | undefined {
  const count = typeof value === 'string' && /^\s*\d{1,15}(?:\.\d{1,12})?\s*$/.test(value) ? Number(value) : value
  if (typeof count === 'number') {
    const isDate = count >= EPOCH_MILLISECONDS || (unitMs !== 1 && count >= EPOCH_SECONDS)
    return parseWait(unitMs === null || isDate ? count : (count * unitMs) / 1000, now, skewMs)
  }
  if (typeof count === 'string') return parseWait(count, now, skewMs, zone)
  // google.protobuf.Duration as an object: { seconds: 30, nanos: 0 }
  const seconds = Number(asRecord(value)?.['seconds'] ?? Number.NaN)
  return Number.isFinite(seconds)
    ? parseWait(seconds + (asNumber(asRecord(value)?.['nanos']) ?? 0) / 1e9, now)
    : undefined
}
