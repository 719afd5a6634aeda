/**
 * The sixteen faults of the public Failover Bench (github.com/failoverbench/failoverbench, methodology v0.1), rebuilt: what
 * the primary does, and by which checks the gateway's conduct is judged. Numbers S01 to S16 are those of that bench.
 */

import type { Heard } from './caller.ts'
import { OUTAGE_MS, type WallCall, type WallModel } from './wall.ts'

/** What was seen of one scenario, from both sides. */
export interface Seen {
  /** Of a sequence: all of them, in order. */
  readonly heard: readonly Heard[]
  /** When each of them was sent, in milliseconds since the beginning. */
  readonly sentAt: readonly number[]
  readonly primary: readonly WallCall[]
  readonly fallback: readonly WallCall[]
  readonly fallbackModel: string
  /** A healthy call through the same gateway was answered afterwards. */
  readonly isAlive: boolean
}

export interface Check {
  readonly name: string
  /** A failed one makes the scenario a `fail`; of the others, which are advice, a `partial`. */
  readonly isRequired: boolean
  readonly holds: (seen: Seen) => boolean
}

export interface FailoverScenario {
  readonly id: string
  readonly title: string
  readonly primary: WallModel
  readonly fallback: WallModel
  /** What is right for the caller to get. */
  readonly ideal: 'answer' | 'error'
  /** A call that takes longer than this hangs. */
  readonly longestMs: number
  /** More than one request, this far apart. */
  readonly sequence?: { readonly count: number; readonly everyMs: number }
  readonly checks: readonly Check[]
}

const required = (name: string, holds: Check['holds']): Check => ({ name, isRequired: true, holds })
const advice = (name: string, holds: Check['holds']): Check => ({ name, isRequired: false, holds })

const last = ({ heard }: Seen) => heard.at(-1)!
const tries = ({ primary }: Seen) => primary.length
const within = (ms: number) => (seen: Seen) => last(seen).ms <= ms
const triesWithin = ({ primary }: Seen, ms: number) =>
  primary.filter(({ at }) => at - (primary[0]?.at ?? 0) < ms).length
const namesFallback = (seen: Seen) =>
  seen.fallback.length === 0 || (last(seen).model ?? '').split('/').at(-1) === seen.fallbackModel

const bounded = required('at most 6 tries of the primary', (seen) => tries(seen) <= 6)
const onceOnly = required('the same model is not asked again', (seen) => tries(seen) === 1)
const isAlive = required('alive afterwards', (seen) => seen.isAlive)
const hasUsage = advice('usage is reported', (seen) => last(seen).hasUsage)

/** Milliseconds from the end of the outage to the primary's first answer; null when it was not used again. */
export function backAfterMs({ primary }: Pick<Seen, 'primary'>): number | null {
  const back = primary.find(({ status }) => status === 200)
  return back === undefined ? null : back.at - OUTAGE_MS
}

function isServedInOutage({ heard, sentAt }: Seen): boolean {
  return heard.every(({ outcome }, place) => sentAt[place]! >= OUTAGE_MS || outcome === 'answer')
}

const USUAL = { fallback: 'ok', ideal: 'answer' } as const

export const FAILOVER_SCENARIOS: readonly FailoverScenario[] = [
  {
    ...USUAL,
    ...{ id: 'S01', title: '429 with Retry-After 2, once', primary: 'limited-once', longestMs: 20_000 },
    checks: [
      advice('asked again', (seen) => tries(seen) >= 2),
      advice('after the stated wait', ({ primary: [first, second] }) => (second?.at ?? 0) - (first?.at ?? 0) >= 1800),
      required('no hammering', (seen) => triesWithin(seen, 1500) <= 2),
    ],
  },
  {
    ...USUAL,
    ...{ id: 'S02', title: '429, always', primary: 'limited', longestMs: 40_000 },
    checks: [required('no hammering', (seen) => triesWithin(seen, 3000) <= 4), bounded],
  },
  {
    ...USUAL,
    ...{ id: 'S03', title: '500 once', primary: 'error-once', longestMs: 20_000 },
    checks: [advice('asked again', (seen) => tries(seen) >= 2)],
  },
  { ...USUAL, id: 'S04', title: '503, always', primary: 'overloaded', longestMs: 40_000, checks: [bounded] },
  { ...USUAL, id: 'S05', title: 'reset before headers', primary: 'reset-once', longestMs: 20_000, checks: [] },
  {
    ...USUAL,
    ...{ id: 'S06', title: 'silence', primary: 'silent', longestMs: 130_000 },
    checks: [
      required('ends within 100 s', within(100_000)),
      advice('a silent model is asked once', (seen) => tries(seen) <= 1),
    ],
  },
  {
    ...USUAL,
    ...{ id: 'S07', title: 'first token after 20 s', primary: 'late', longestMs: 60_000 },
    checks: [advice('answered within 15 s', within(15_000))],
  },
  { ...USUAL, id: 'S08', title: 'stream cut after 40 words', primary: 'cut', longestMs: 40_000, checks: [] },
  {
    ...USUAL,
    ...{ id: 'S09', title: 'stream stands still for 30 s', primary: 'stalled', longestMs: 70_000 },
    checks: [required('ends within 45 s', within(45_000)), isAlive],
  },
  {
    ...USUAL,
    ...{ id: 'S10', title: 'a chunk that is no JSON', primary: 'garbled', longestMs: 30_000 },
    checks: [isAlive, advice('whole answer', (seen) => last(seen).outcome === 'answer')],
  },
  {
    ...USUAL,
    ...{ id: 'S11', title: 'stream without [DONE]', primary: 'no-done', longestMs: 30_000 },
    checks: [required('ends within 8 s', within(8_000)), hasUsage],
  },
  { ...USUAL, id: 'S12', title: 'context too long', primary: 'too-long', longestMs: 20_000, checks: [onceOnly] },
  {
    ...USUAL,
    ...{ id: 'S13', title: 'content filter', primary: 'filtered', longestMs: 20_000 },
    ideal: 'error',
    checks: [onceOnly],
  },
  {
    ...USUAL,
    ...{ id: 'S14', title: 'stream cut, fallback without prefill', primary: 'cut', longestMs: 40_000 },
    fallback: 'no-prefill',
    checks: [
      required(
        'the refused prefill is not the answer',
        (seen) => last(seen).outcome !== 'error' || seen.fallback.every(({ status }) => status !== 400),
      ),
    ],
  },
  {
    ...USUAL,
    ...{ id: 'S15', title: 'outage of 60 s, a request each 4 s', primary: 'outage', longestMs: 30_000 },
    sequence: { count: 20, everyMs: 4_000 },
    checks: [
      required('served during the outage', isServedInOutage),
      required('primary used again within 30 s', (seen) => (backAfterMs(seen) ?? Number.POSITIVE_INFINITY) <= 30_000),
    ],
  },
  {
    ...USUAL,
    ...{ id: 'S16', title: 'the fallback is named and counted', primary: 'overloaded', longestMs: 40_000 },
    checks: [required('the answer names the fallback', namesFallback), hasUsage, bounded],
  },
]

export type FailoverVerdict = 'pass' | 'partial' | 'safe' | 'fail'

export interface Judged {
  readonly verdict: FailoverVerdict
  /** What was missed. */
  readonly missed: readonly string[]
}

/**
 * `pass`: the caller got what is right and every check holds. `partial`: a check that is advice failed, or a refusal was
 * answered by another model. `safe`: an honest error in time. `fail`: a hang, a shortened answer that looks whole, or a
 * required check failed.
 */
export function verdictOf(scenario: FailoverScenario, seen: Seen): Judged {
  const missed = scenario.checks.filter((check) => !check.holds(seen))
  const names = missed.map(({ name }) => name)
  const outcomes = new Set(seen.heard.map(({ outcome }) => outcome))
  if (outcomes.has('hang')) return { verdict: 'fail', missed: ['hang', ...names] }
  if (outcomes.has('cut')) return { verdict: 'fail', missed: ['shortened answer presented as whole', ...names] }
  if (missed.some(({ isRequired }) => isRequired)) return { verdict: 'fail', missed: names }
  if (scenario.ideal === 'error' && outcomes.has('answer'))
    return { verdict: 'partial', missed: ['answered by another model', ...names] }
  if (scenario.ideal === 'answer' && outcomes.has('error')) return { verdict: 'safe', missed: ['no answer', ...names] }
  return { verdict: missed.length === 0 ? 'pass' : 'partial', missed: names }
}
