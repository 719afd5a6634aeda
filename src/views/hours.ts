/** `status --hours` and `GET /api/hours`: what is known of every target per hour of the day, and the user's rules. */

import { holdsAt } from '../domain/hoursRule.ts'
import { isoOrNull } from '../domain/isoTime.ts'
import type { PriceHint, Target } from '../domain/target.ts'
import type { EngineReader } from '../engine/reader.ts'
import { type HoursRules, hoursRules } from '../engine/targets/hours.ts'
import { hintAt } from '../engine/targets/targetRegistry.ts'
import type { HourCell } from '../routing/hours.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
/** Successes and failures are counted over this many days. */
const DAYS = 28

export interface HourRow extends HourCell {
  /** Of the last 28 days, tests included. */
  readonly attempts: number
  readonly successes: number
  /** 0..1; null without an attempt. */
  readonly successRate: number | null
  /** Whether the user's rules let it be used from the beginning of this hour, today. */
  readonly open: boolean
  /** USD per million tokens at the beginning of this hour, today; null when unknown. */
  readonly price: PriceHint | null
}

export interface TargetHours {
  readonly target: string
  readonly provider: string
  readonly model: string
  readonly keyIndex: number
  /** The user's rules for it, as written; every list must be satisfied by at least one of its rules. */
  readonly rules: readonly (readonly string[])[]
  /** Why the rules exclude it now, and until when; null when they do not. */
  readonly closed: { readonly reason: string; readonly opensAt: string | null } | null
  /** The time zone whose clock changes its daily rhythm was found to follow; null: none, its hours stay in UTC. */
  readonly zone: string | null
  /** 24 of them, from 0 to 23 UTC. */
  readonly hours: readonly HourRow[]
}

export interface HoursView {
  readonly generatedAt: string
  /** Of the hours below; a reader may show them by another clock. */
  readonly zone: 'UTC'
  readonly targets: readonly TargetHours[]
}

export function hoursView(engine: EngineReader): HoursView {
  const { now, registry } = engine
  const counts = countsByHour(engine)
  const rules = hoursRules(registry)
  const targets = registry.targets.map((target) =>
    hoursOfTarget(engine, target, rules.get(target.stateId) ?? [], counts),
  )
  return { generatedAt: new Date(now).toISOString(), zone: 'UTC', targets }
}

function hoursOfTarget(
  { now, registry, eligibility, learned }: EngineReader,
  target: Target,
  rules: HoursRules,
  counts: ReadonlyMap<string, HourCounts>,
): TargetHours {
  const why = eligibility.hours(target, now)
  const price = registry.priceOf(target)
  const midnight = Math.floor(now / DAY_MS) * DAY_MS
  const rowOf = (cell: HourCell): HourRow => {
    const at = midnight + cell.hour * HOUR_MS
    const seen = counts.get(placeOf(target, cell.hour)) ?? NOTHING
    return {
      ...cell,
      ...seen,
      successRate: seen.attempts === 0 ? null : seen.successes / seen.attempts,
      open: rules.every((group) => group.some((rule) => holdsAt(rule, at))),
      price: price === null ? null : hintAt(price, at),
    }
  }
  const { id, provider, model, keyIndex } = target
  return {
    target: id,
    provider,
    model,
    keyIndex,
    rules: rules.map((group) => group.map(({ text }) => text)),
    closed: why === null ? null : { reason: why.reason, opensAt: isoOrNull(why.until) },
    zone: learned.router.zoneOf(target),
    hours: (learned.router.hoursOf(target, now) ?? []).map(rowOf),
  }
}

interface HourCounts {
  readonly attempts: number
  readonly successes: number
}

const NOTHING: HourCounts = { attempts: 0, successes: 0 }

const placeOf = ({ provider, model, fingerprint }: Pick<Target, 'provider' | 'model' | 'fingerprint'>, hour: number) =>
  `${hour} ${provider} ${fingerprint} ${model}`

/** From the hourly sums of the ledger, which outlive its rows. */
function countsByHour({ store, now }: EngineReader): ReadonlyMap<string, HourCounts> {
  const since = Math.floor((now - DAYS * DAY_MS) / HOUR_MS) * HOUR_MS
  const counts = new Map<string, HourCounts>()
  for (const { group, attempts, successes } of store.sums({ since }, ['provider', 'model', 'key', 'hour'])) {
    const [provider = '', model = '', fingerprint = '', hour = ''] = group
    // `2026-11-23T14:00Z`
    const place = placeOf({ provider, model, fingerprint }, Number(hour.slice(11, 13)))
    const known = counts.get(place) ?? NOTHING
    counts.set(place, { attempts: known.attempts + attempts, successes: known.successes + successes })
  }
  return counts
}

/** When everything is outside its hours: until when, and by which rules. Null when anything is open. */
export interface AllClosed {
  /** ISO 8601; null when nothing opens within eight days. */
  readonly opensAt: string | null
  readonly text: string
}

export function allClosed({
  registry,
  eligibility,
  now,
}: Pick<EngineReader, 'registry' | 'eligibility' | 'now'>): AllClosed | null {
  const whys = registry.targets.map((target) => ({ target, why: eligibility.hours(target, now) }))
  if (whys.length === 0 || whys.some(({ why }) => why === null)) return null
  const [first] = whys.filter(({ why }) => why?.until != null).sort((a, b) => (a.why?.until ?? 0) - (b.why?.until ?? 0))
  if (first === undefined)
    return { opensAt: null, text: `Every target is outside its hours, and none ever opens: ${whys[0]?.why?.reason}` }
  const text = `Every target is outside its hours; the first to open is ${first.target.id}: ${first.why?.reason}`
  return { opensAt: isoOrNull(first.why?.until), text }
}
