/**
 * `models --explain NAME`: which targets a name stands for, in the order in which they are asked, and why not the
 * others.
 */

import type { AliasCondition } from '../config/alias.ts'
import type { Target } from '../domain/target.ts'
import { rankingNow } from '../engine/ranking.ts'
import type { EngineReader } from '../engine/reader.ts'
import { emptyText, type Membership, type Selection } from '../engine/request/modelNames.ts'
import { ineligible } from '../routing/eligible.ts'
import type { RankedTarget } from '../routing/explain.ts'

export interface MembershipView {
  readonly generatedAt: string
  readonly name: string
  /** Null for a name that is no alias by condition. */
  readonly condition: ShownCondition | null
  readonly members: readonly Member[]
  readonly others: readonly Other[]
  /** What a request to it is told while it has no members; null while it has. */
  readonly empty: string | null
}

interface ShownCondition extends Omit<AliasCondition, 'needs'> {
  readonly needs: readonly string[]
}

interface Member {
  readonly target: string
  /** 1 for those that are asked before all others; 1 for all where the name has no order. */
  readonly group: number
  /** Why it would be passed over just now, such as a park; null when it would not. */
  readonly reason: string | null
}

interface Other {
  readonly target: string
  /** The condition that it does not satisfy, as in the configuration; null where the name has none. */
  readonly condition: string | null
  readonly reason: string
}

/** Throws ModelNotFoundError for a name that nothing is known by. */
export function membershipView(engine: EngineReader, name: string): MembershipView {
  const { names } = engine.registry
  const membership = names.membership(name)
  const head = { generatedAt: new Date(engine.now).toISOString(), name, condition: shown(membership) }
  if (membership !== null && membership.groups.length === 0)
    return { ...head, members: [], others: unmetOf(membership), empty: emptyText(name, membership) }
  const selection = names.select(name)
  const rows = rankingNow(engine, name)
  const others = [...(membership === null ? [] : unmetOf(membership))]
  const known = new Set(others.map(({ target }) => target))
  const members: Member[] = []
  for (const row of rows) {
    if (known.has(row.target.id)) continue
    const why = whyNever(engine, row.target, selection)
    if (why === null) members.push(memberOf(row, selection))
    else others.push({ target: row.target.id, condition: null, reason: why })
  }
  return { ...head, members: members.sort((one, other) => one.group - other.group), others, empty: null }
}

function shown(membership: Membership | null): ShownCondition | null {
  if (membership === null) return null
  const { condition } = membership
  return { ...condition, needs: condition.needs.map(({ word }) => word) }
}

const unmetOf = ({ others }: Membership): Other[] =>
  others.map(({ target, unmet }) => ({ target: target.id, condition: unmet.condition, reason: unmet.reason }))

/** A reason that no waiting removes: the name, the settings, or what "auto" leaves out. */
function whyNever({ eligibility }: EngineReader, target: Target, { among, auto, anyPrice }: Selection): string | null {
  const abilities = among === null ? (['chat'] as const) : []
  const needs = { inputTokens: 0, maxOutputTokens: null, abilities, model: null, provider: null, among, auto, anyPrice }
  return ineligible(target, needs, eligibility.rules)?.reason ?? null
}

function memberOf({ target, eligible, reason }: RankedTarget, { groups }: Selection): Member {
  const at = groups?.findIndex((group) => group.has(target.stateId)) ?? 0
  return { target: target.id, group: at + 1, reason: eligible ? null : reason }
}

/** The user's aliases by condition that nothing satisfies, as one sentence each. */
export function emptyAliases({ registry: { names, config } }: EngineReader): readonly string[] {
  return Object.keys(config.settings.models).flatMap((alias) => {
    const membership = names.membership(alias)
    return membership !== null && membership.groups.length === 0 ? [emptyText(alias, membership)] : []
  })
}
