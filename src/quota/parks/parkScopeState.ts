/** The park state of one key, account, model or provider: its consecutive failures and its latest success. */

import type { FailureKind } from '../../domain/failure.ts'
import { asNumber, asRecord, type Json } from '../../domain/json.ts'
import { isAboutMoney, isOutage, PARK_RULES, type Park, type ParkRule, parkRuleOfStreak } from '../../domain/park.ts'
import type { ScopeId } from '../../domain/scope.ts'
import type { AttemptEvent } from '../../domain/store.ts'
import type { Target } from '../../domain/target.ts'
import {
  type Occurrence,
  parkOf,
  type QuotaFacts,
  readOccurrences,
  statedUntil,
  writeOccurrence,
} from './failureStreak.ts'

/** More consecutive failures change nothing: every guess has reached its cap long before. */
const MOST_OCCURRENCES = 32
const NEVER = Number.NEGATIVE_INFINITY
const SHORTEST_RAMP_MS = 1_000
const LONGEST_RAMP_MS = 60_000
/** An outage is over as a whole, and nothing was counted meanwhile: what waited elsewhere comes back sooner. */
const LONGEST_RAMP_AFTER_OUTAGE_MS = 5_000
/** The share at which a ramp starts. */
const FIRST_SHARE = 0.1

/** Repeated occurrences of the same failure in one scope. */
class FailureStreak {
  readonly rule: ParkRule
  occurrences: readonly Occurrence[] = []
  park: Park | null = null

  constructor(rule: ParkRule) {
    this.rule = rule
  }

  /**
   * Whether the park applies to this target. Free models of an account stay available when its credit is used up,
   * unless they were refused for it themselves; a limit on free models does not affect the paid ones.
   */
  concerns(target: Target, states: readonly ParkScopeState[]): boolean {
    const scope = this.park?.scope
    if (scope === 'account-free') return target.profile.free
    if (!isAboutMoney(this.rule) || !target.profile.free) return true
    const own = states.find((state) => state.id.scope === 'target')?.succeededAt ?? NEVER
    return this.occurrences.some((seen) => seen.coversFree || (seen.target.model === target.model && seen.at > own))
  }
}

export class ParkScopeState {
  readonly id: ScopeId
  readonly #facts: (provider: string) => QuotaFacts | undefined
  streaks: readonly FailureStreak[] = []
  /** Epoch ms at which a probe of this process started. */
  probeSince = NEVER
  /** When a call in spite of a park last failed as expected, in any process. */
  expectedAt = NEVER
  /** When the newest successful attempt started; failures before that are cleared. */
  succeededAt = NEVER
  /** The same for paid attempts: a free answer does not prove credit. */
  #paidAt = NEVER
  /** When the newest successful attempt ended. */
  #answeredAt = NEVER
  #liftedAt = NEVER
  readonly #liftedOf = new Map<FailureKind, number>()
  #rampFrom = NEVER
  #rampMs = 0

  constructor(id: ScopeId, facts: (provider: string) => QuotaFacts | undefined, liftedAt: number) {
    this.id = id
    this.#facts = facts
    this.#liftedAt = liftedAt
  }

  add(rule: ParkRule, occurrence: Occurrence): void {
    // An expected failure that states no wait changes nothing; in a long outage there are thousands of them.
    if (occurrence.expected) this.expectedAt = Math.max(this.expectedAt, occurrence.at)
    if (occurrence.expected && occurrence.statedMs === null) return
    const streak = this.#streak(rule)
    if (streak.occurrences.some((known) => known.id === occurrence.id)) return
    streak.occurrences = [...streak.occurrences, occurrence].sort(byTime)
  }

  succeed({ startedAt, at }: AttemptEvent, wasFree: boolean): void {
    this.#beginRamp(startedAt, at)
    this.succeededAt = Math.max(this.succeededAt, startedAt)
    this.#answeredAt = Math.max(this.#answeredAt, at)
    if (!wasFree) this.#paidAt = Math.max(this.#paidAt, startedAt)
  }

  lift(at: number, only?: readonly FailureKind[]): void {
    if (only === undefined) this.#liftedAt = Math.max(this.#liftedAt, at)
    else for (const kind of only) this.#liftedOf.set(kind, Math.max(this.#liftedOf.get(kind) ?? NEVER, at))
  }

  /** Drops what is lifted or disproved and recomputes the parks from the rest. */
  refresh(): void {
    if (this.streaks.length === 0) return
    for (const streak of this.streaks) {
      const facts = this.#factsOf(streak)
      const clearedAt = this.#clearedAt(streak.rule)
      streak.occurrences = this.#remaining(streak, clearedAt, facts)
      streak.park = parkOf(streak.occurrences, streak.rule, this.id.scope, clearedAt, facts)
    }
    if (this.streaks.some((streak) => streak.occurrences.length === 0))
      this.streaks = this.streaks.filter((streak) => streak.occurrences.length > 0)
  }

  /** Whether a park's time is over and no request sent since has succeeded. */
  isUnproven(target: Target, states: readonly ParkScopeState[], now: number): boolean {
    return this.streaks.some(
      (streak) =>
        streak.park !== null &&
        now >= streak.park.until &&
        !this.hasProved(streak.park) &&
        streak.concerns(target, states),
    )
  }

  hasProved(park: Park): boolean {
    return this.succeededAt >= park.until
  }

  awaitsKeyCheck(now: number): boolean {
    return this.streaks.some(({ park }) => park?.backBy === 'key-check' && now >= park.until && !this.hasProved(park))
  }

  share(now: number): number {
    const ageMs = now - this.#rampFrom
    return ageMs >= 0 && ageMs < this.#rampMs ? Math.max(FIRST_SHARE, ageMs / this.#rampMs) : 1
  }

  /** When the ramp reaches `share`; `now` if it already has. */
  reaches(share: number, now: number): number {
    return share <= this.share(now) ? now : Math.max(now, Math.ceil(this.#rampFrom + share * this.#rampMs))
  }

  /** Whether a snapshot needs it: it has failures, or a failure that arrives late could still matter. */
  isWorthKeeping(since: number): boolean {
    if (this.streaks.length > 0 || this.#answeredAt > since || this.#liftedAt > since) return true
    return [...this.#liftedOf.values()].some((at) => at > since)
  }

  toJson(): Json {
    return {
      ...this.id,
      expectedAt: finite(this.expectedAt),
      succeededAt: finite(this.succeededAt),
      paidAt: finite(this.#paidAt),
      answeredAt: finite(this.#answeredAt),
      liftedAt: finite(this.#liftedAt),
      liftedOf: Object.fromEntries(this.#liftedOf),
      streaks: Object.fromEntries(
        this.streaks.map(({ rule, occurrences }) => [rule.streak, occurrences.map(writeOccurrence)]),
      ),
    }
  }

  restore(record: Readonly<Record<string, unknown>>): void {
    this.expectedAt = asNumber(record['expectedAt']) ?? NEVER
    this.succeededAt = asNumber(record['succeededAt']) ?? NEVER
    this.#paidAt = asNumber(record['paidAt']) ?? NEVER
    this.#answeredAt = asNumber(record['answeredAt']) ?? NEVER
    this.#liftedAt = Math.max(this.#liftedAt, asNumber(record['liftedAt']) ?? NEVER)
    for (const [kind, at] of Object.entries(asRecord(record['liftedOf']) ?? {})) {
      // An unknown kind lifts nothing, and PARK_RULES has every known one.
      if (typeof at === 'number' && Object.hasOwn(PARK_RULES, kind)) this.#liftedOf.set(kind as FailureKind, at)
    }
    for (const [name, value] of Object.entries(asRecord(record['streaks']) ?? {})) {
      const rule = parkRuleOfStreak(name)
      if (rule !== undefined) for (const occurrence of readOccurrences(value)) this.add(rule, occurrence)
    }
  }

  #streak(rule: ParkRule): FailureStreak {
    const known = this.streaks.find((streak) => streak.rule.streak === rule.streak)
    if (known !== undefined) return known
    const streak = new FailureStreak(rule)
    this.streaks = [...this.streaks, streak]
    return streak
  }

  #clearedAt(rule: ParkRule): number {
    if (isAboutMoney(rule)) return this.#paidAt
    return rule.clearedBy === 'end' ? this.#answeredAt : this.succeededAt
  }

  #remaining(streak: FailureStreak, clearedAt: number, facts: QuotaFacts | undefined): readonly Occurrence[] {
    const remaining = streak.occurrences.filter(
      (seen) => !this.#isLifted(seen) && (seen.at > clearedAt || this.#isStillStated(seen, streak.rule, facts)),
    )
    return remaining.length <= MOST_OCCURRENCES ? remaining : withoutOldest(remaining, streak.rule, facts)
  }

  #isLifted({ at, kind }: Occurrence): boolean {
    return at <= this.#liftedAt || at <= (this.#liftedOf.get(kind) ?? NEVER)
  }

  #isStillStated(seen: Occurrence, rule: ParkRule, facts: QuotaFacts | undefined): boolean {
    return (statedUntil(seen, rule, facts) ?? NEVER) > this.succeededAt
  }

  #factsOf(streak: FailureStreak): QuotaFacts | undefined {
    const provider = streak.occurrences[0]?.target.provider
    return provider === undefined ? undefined : this.#facts(provider)
  }

  /**
   * The first success after a park that ends by probing lets requests back gradually, over a tenth of its length. A
   * guess may be disproved before its time is over.
   */
  #beginRamp(startedAt: number, at: number): void {
    for (const { park, rule } of this.streaks) {
      if (park?.backBy !== 'probe' || this.hasProved(park)) continue
      if (startedAt < (park.stated ? park.until : park.since)) continue
      const longest = isOutage(rule) ? LONGEST_RAMP_AFTER_OUTAGE_MS : LONGEST_RAMP_MS
      this.#rampFrom = at
      this.#rampMs = Math.min(Math.max((park.until - park.since) / 10, SHORTEST_RAMP_MS), longest)
    }
  }
}

function byTime(one: Occurrence, other: Occurrence): number {
  return one.at - other.at || (one.id < other.id ? -1 : 1)
}

/** Keeps the newest ones that count, and the one whose stated time ends last. */
function withoutOldest(
  occurrences: readonly Occurrence[],
  rule: ParkRule,
  facts: QuotaFacts | undefined,
): readonly Occurrence[] {
  let longest: Occurrence | undefined
  let longestUntil = NEVER
  for (const seen of occurrences) {
    const until = statedUntil(seen, rule, facts) ?? NEVER
    if (until > longestUntil) {
      longest = seen
      longestUntil = until
    }
  }
  const newest = occurrences.filter(({ expected }) => !expected).slice(-MOST_OCCURRENCES)
  if (longest === undefined || newest.includes(longest)) return newest
  return [...newest.slice(-MOST_OCCURRENCES + 1), longest].sort(byTime)
}

function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null
}
