/** The user's hours as a reason to leave a target out, with the time at which it opens. */

import { type HoursRule, holdsAt, opensAt, readHours } from '../../domain/hoursRule.ts'
import { matchesPattern } from '../../domain/pattern.ts'
import type { Target } from '../../domain/target.ts'
import type { Ineligible } from '../../routing/eligible.ts'
import type { TargetRegistry } from './targetRegistry.ts'

/** Rules that must all be kept, each by one of its alternatives. */
export type HoursRules = readonly (readonly HoursRule[])[]

/** The rules of every target that has any: of its key, and those of `settings.hours` whose pattern it fits. */
export function hoursRules(registry: TargetRegistry): ReadonlyMap<string, HoursRules> {
  const patterns = Object.entries(registry.config.settings.hours).map(([pattern, rules]) => ({
    pattern,
    rules: readAll(rules),
  }))
  const byTarget = new Map<string, HoursRules>()
  for (const target of registry.targets) {
    const key = registry.credentialOf(target).key.hours
    const groups = patterns.filter(({ pattern }) => concerns(pattern, target)).map(({ rules }) => rules)
    if (key !== undefined) groups.push(readAll(key))
    if (groups.length > 0) byTarget.set(target.stateId, groups)
  }
  return byTarget
}

const readAll = (rules: readonly string[]) => rules.flatMap((rule) => readHours(rule) ?? [])

function concerns(pattern: string, target: Target): boolean {
  return (
    pattern === target.provider ||
    matchesPattern(pattern, `${target.provider}/${target.model}`) ||
    matchesPattern(pattern, target.id)
  )
}

/** A closed time that was looked up: what it says, and while which moments it holds. */
interface Closed {
  readonly why: Ineligible
  readonly from: number
  readonly until: number
}

/** Looked for again after this long when no opening was found. */
const LOOK_AGAIN_MS = 3_600_000

/** Why the user's hours keep a target out at a moment; null when they do not. */
export function hoursOf(registry: TargetRegistry): (target: Target, now: number) => Ineligible | null {
  const rules = hoursRules(registry)
  if (rules.size === 0) return () => null
  const closed = new Map<string, Closed>()
  return (target, now) => {
    const groups = rules.get(target.stateId)
    if (groups === undefined) return null
    // Looking for the opening takes a while, and every request asks: until then the answer stays.
    const known = closed.get(target.stateId)
    if (known !== undefined && now >= known.from && now < known.until) return known.why
    const kept = groups.find((group) => !group.some((rule) => holdsAt(rule, now)))
    if (kept === undefined) return null
    const opens = opensAt(groups, now)
    const why = { code: 'hours', reason: reasonOf(groups, kept, opens), until: opens } as const
    closed.set(target.stateId, { why, from: now, until: opens ?? now + LOOK_AGAIN_MS })
    return why
  }
}

function reasonOf(groups: HoursRules, kept: readonly HoursRule[], opens: number | null): string {
  const texts = (rules: readonly HoursRule[]) => rules.map(({ text }) => text).join(', ')
  if (opens === null) return `outside its hours, which never occur (${groups.map(texts).join(' and ')})`
  const iso = new Date(opens).toISOString()
  return `outside its hours (${texts(kept)}); opens ${iso.slice(0, 10)} ${iso.slice(11, 16)} UTC`
}
