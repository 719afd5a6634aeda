/**
 * Resolves a model name to targets. The most specific meaning wins: `auto…`, a target's own id, `provider/model`, an
 * alias of exactly that name, a served id, an alias with a wildcard, the same model under another spelling.
 */

import { type Alias, type AliasCondition, type Aliases, isCondition } from '../../config/alias.ts'
import { ModelNotFoundError } from '../../domain/errors.ts'
import { nearest } from '../../domain/nearest.ts'
import { matchesPattern } from '../../domain/pattern.ts'
import type { Target } from '../../domain/target.ts'
import { findProvider } from '../../providers/catalog.ts'
import { isOfVendor } from '../../providers/vendors.ts'
import type { Profile } from '../../routing/weights.ts'
import { baseName, type Likeness, likenessOf, withoutListPrefix } from './likeness.ts'
import { PROFILES, SHIPPED_ALIASES, SHIPPED_NAMES } from './shippedAliases.ts'
import { type AbilityFindings, exclusionsText, type Unmet, unmetBy } from './unmetCondition.ts'

export interface Selection {
  /** As the caller wrote it. */
  readonly name: string
  readonly profile: Profile
  /** The choice of model was left to keywise. */
  readonly auto: boolean
  /** The user said what the chosen model may cost. */
  readonly anyPrice: boolean
  /** The targets it resolves to, by `stateId`; null for all. */
  readonly among: ReadonlySet<string> | null
  /** In the alias's order, for the `priority` strategy; null where there is none. */
  readonly order: readonly string[] | null
  /** Who is asked before whom, by `stateId`, under every strategy; null where all are equal. */
  readonly groups: readonly ReadonlySet<string>[] | null
}

/** Who satisfies the condition of an alias, and why the others do not. */
export interface Membership {
  readonly condition: AliasCondition
  /** Never empty groups, in the order in which they are asked. */
  readonly groups: readonly (readonly Target[])[]
  readonly others: readonly { readonly target: Target; readonly unmet: Unmet }[]
}

type Meaning = { readonly profile: Profile } | { readonly targets: readonly Target[] } | { readonly alias: Alias }

/** Aliases may refer to aliases; nesting deeper than this must be a cycle. */
const MAX_DEPTH = 5
const NO_FINDINGS: AbilityFindings = { version: 0, missing: () => undefined }
const WHOLE_CHOICE = { anyPrice: false, among: null, order: null, groups: null }

/** Resolves names against a fixed set of targets and keeps the results; create a new one when targets change. */
export class ModelNames {
  readonly #targets: readonly Target[]
  readonly #aliases: Aliases
  readonly #findings: AbilityFindings
  readonly #servedIds: ReadonlySet<string>
  readonly #known = new Map<string, Selection>()
  /** The version of the findings by which the known selections were made. */
  #version = 0

  constructor(targets: readonly Target[], aliases: Aliases, findings = NO_FINDINGS) {
    this.#targets = targets
    this.#aliases = { ...SHIPPED_ALIASES, ...aliases }
    this.#findings = findings
    this.#servedIds = new Set(targets.map(({ model }) => model))
  }

  /** Throws ModelNotFoundError, naming the nearest ids, or what excludes every target, when nothing matches. */
  select(name: string): Selection {
    const known = this.#knownNow().get(name)
    if (known !== undefined) return known
    const selection = this.#resolve(name, 0)
    if (selection === null) throw this.#unknown(name)
    if (this.#known.size < 10_000) this.#known.set(name, selection)
    return selection
  }

  /** Whether the name currently resolves to anything. */
  has(name: string): boolean {
    return this.#knownNow().has(name) || this.#resolve(name, 0) !== null
  }

  /** The names that have a meaning of their own: keywise's, then the user's without a wildcard. */
  get own(): readonly string[] {
    const named = Object.keys(this.#aliases).filter((alias) => !alias.includes('*'))
    return [...new Set([...SHIPPED_NAMES, ...named])]
  }

  /** Of an alias by condition that has this name, or a wildcard that fits it; null for every other name. */
  membership(name: string): Membership | null {
    const meaning = this.#meaningOf(name, 0)
    return 'alias' in meaning && isCondition(meaning.alias) ? this.#membersOf(meaning.alias, 0) : null
  }

  /** The ids and aliases closest to a name, best first. */
  nearest(name: string): readonly string[] {
    return nearest(name, [
      ...new Set([
        ...Object.keys(this.#aliases),
        ...this.#targets.flatMap(({ provider, model }) => [model, `${provider}/${model}`, baseName(model)]),
      ]),
    ])
  }

  #knownNow(): ReadonlyMap<string, Selection> {
    const { version } = this.#findings
    if (version !== this.#version) this.#known.clear()
    this.#version = version
    return this.#known
  }

  #unknown(name: string): ModelNotFoundError {
    const shown = name.slice(0, 200)
    const membership = this.membership(name)
    if (membership !== null) return new ModelNotFoundError(shown, [], { why: emptyText(shown, membership) })
    return new ModelNotFoundError(shown, this.nearest(name))
  }

  #resolve(name: string, depth: number): Selection | null {
    const meaning = this.#meaningOf(name, depth)
    if ('profile' in meaning) return { name, profile: meaning.profile, auto: true, ...WHOLE_CHOICE }
    if ('targets' in meaning) return pinned(name, meaning.targets)
    const { alias } = meaning
    return isCondition(alias) ? this.#resolveCondition(name, alias, depth) : this.#resolveList(name, alias, depth)
  }

  #meaningOf(name: string, depth: number): Meaning {
    const profile = PROFILES.get(name)
    if (profile !== undefined) return { profile }
    const exactly = this.#exactly(name)
    if (exactly.length > 0) return { targets: exactly }
    const alias = this.#aliasNamed(name, depth)
    if (alias !== undefined) return { alias }
    const bare = withoutListPrefix(name)
    if (bare !== name && !this.#targets.some(({ model }) => model === name)) return this.#meaningOf(bare, depth)
    const served = this.#spelled(name, 1)
    if (served.length > 0) return { targets: served }
    const wild = depth < MAX_DEPTH ? this.#wildAlias(name) : undefined
    return wild === undefined ? { targets: this.#spelled(name, 2) } : { alias: wild }
  }

  /** A target's own id, or `provider/model` as the provider spells it. */
  #exactly(name: string): readonly Target[] {
    const itself = this.#targets.filter(({ id }) => id === name)
    return itself.length > 0 ? itself : this.#targets.filter(({ provider, model }) => `${provider}/${model}` === name)
  }

  #aliasNamed(name: string, depth: number): Alias | undefined {
    if (depth < MAX_DEPTH && Object.hasOwn(this.#aliases, name)) return this.#aliases[name]
    const shipped: Aliases = SHIPPED_ALIASES
    return Object.hasOwn(shipped, name) ? shipped[name] : undefined
  }

  #wildAlias(name: string): Alias | undefined {
    const key = Object.keys(this.#aliases).find((alias) => alias.includes('*') && matchesPattern(alias, name))
    return key === undefined ? undefined : this.#aliases[key]
  }

  #resolveList(name: string, entries: readonly string[], depth: number): Selection | null {
    const order: string[] = []
    for (const entry of entries) {
      const found = this.#entry(entry, depth)
      // An alias that resolves to `auto…` means that profile over all targets.
      if (found !== null && found.among === null) return { ...found, name }
      order.push(...(found?.order ?? found?.among ?? []))
    }
    if (order.length === 0) return null
    return { name, profile: 'balanced', auto: false, anyPrice: false, among: new Set(order), order, groups: null }
  }

  /** One name of a list: a pattern, or whatever may be asked for. */
  #entry(entry: string, depth: number): Selection | null {
    if (!entry.includes('*')) return this.#resolve(entry, depth + 1)
    const fits = (text: string) => matchesPattern(entry, text)
    return pinned(
      entry,
      this.#targets.filter(({ provider, model }) => fits(`${provider}/${model}`) || fits(model)),
    )
  }

  #resolveCondition(name: string, condition: AliasCondition, depth: number): Selection | null {
    const groups = this.#membersOf(condition, depth).groups.map((group) => group.map(idOf))
    if (groups.length === 0) return null
    const order = groups.flat()
    return {
      name,
      profile: 'balanced',
      auto: true,
      anyPrice: condition.maxUsdOut !== null,
      among: new Set(order),
      order,
      groups: groups.length < 2 ? null : groups.map((group) => new Set(group)),
    }
  }

  #membersOf(condition: AliasCondition, depth: number): Membership {
    const among = condition.from.map((entry) => this.#fitting(entry, depth))
    const isNamed = ({ stateId }: Target) => among.some((some) => some === 'all' || some.has(stateId))
    const judged = this.#targets.map((target) => ({
      target,
      unmet: unmetBy(target, condition, isNamed(target), this.#findings),
    }))
    const members = judged.flatMap(({ target, unmet }) => (unmet === null ? target : []))
    const others = judged.flatMap(({ target, unmet }) => (unmet === null ? [] : { target, unmet }))
    return { condition, groups: this.#grouped(members, condition.order, depth), others }
  }

  /** Each target in the group of the first entry that it fits; those that fit none in the last one. */
  #grouped(members: readonly Target[], order: readonly string[], depth: number): (readonly Target[])[] {
    const places = order.map((entry) => this.#fitting(entry, depth))
    const groups = Array.from({ length: order.length + 1 }, (): Target[] => [])
    for (const target of members) {
      const place = places.findIndex((some) => some === 'all' || some.has(target.stateId))
      // -1 is the last one.
      groups.at(place)?.push(target)
    }
    return groups.filter((group) => group.length > 0)
  }

  #fitting(entry: string, depth: number): ReadonlySet<string> | 'all' {
    if (entry === '*') return 'all'
    const found = this.#entry(entry, depth)
    return found === null ? new Set() : (found.among ?? 'all')
  }

  /**
   * The targets whose model is the named one, up to that likeness: of the provider that is named, otherwise of any. Each
   * provider's closest spelling counts, so a model that it has exactly is never another one.
   */
  #spelled(name: string, most: Likeness): readonly Target[] {
    const slash = name.indexOf('/')
    const own = slash < 0 ? [] : this.#targetsOf(name.slice(0, slash).toLowerCase())
    const ofProvider = this.#closest(own, name.slice(slash + 1), most)
    if (ofProvider.length > 0) return ofProvider
    // Who names a provider means no other one, but its name may be a vendor's too: `openai/gpt-oss-120b` at Groq.
    return this.#closest(this.#targets, name, own.length > 0 ? 1 : most)
  }

  /** By the provider's id, else by another name that the catalogue has for it: `gemini`, `x-ai`. */
  #targetsOf(provider: string): readonly Target[] {
    const own = this.#targets.filter((target) => target.provider === provider)
    const id = own.length > 0 ? provider : findProvider(provider)?.id
    return id === provider ? own : this.#targets.filter((target) => target.provider === id)
  }

  /** What stands before the last part of a name is looked at too: a vendor may be left out, anything else is no model. */
  #closest(targets: readonly Target[], name: string, most: Likeness): readonly Target[] {
    const isOther = name.includes('/') && !isOfVendor(name.toLowerCase(), this.#servedIds)
    return closest(targets, name, isOther ? 1 : most, isOther ? 1 : 2)
  }
}

/** Of the targets with a model of at most `loosest` likeness; none unless one is as like as `most`. */
function closest(targets: readonly Target[], name: string, most: Likeness, loosest: Likeness): readonly Target[] {
  const best = new Map<string, { likeness: Likeness; targets: Target[] }>()
  for (const target of targets) {
    const likeness = likenessOf(target.model, name)
    if (likeness === null || likeness > loosest) continue
    const known = best.get(target.provider)
    if (known === undefined || likeness < known.likeness) best.set(target.provider, { likeness, targets: [target] })
    else if (likeness === known.likeness) known.targets.push(target)
  }
  const all = [...best.values()]
  return all.some(({ likeness }) => likeness <= most) ? all.flatMap((one) => one.targets) : []
}

/** The selection of these targets alone; null when there are none. */
function pinned(name: string, targets: readonly Target[]): Selection | null {
  if (targets.length === 0) return null
  const among = new Set(targets.map(idOf))
  return { name, profile: 'balanced', auto: false, anyPrice: false, among, order: null, groups: null }
}

const idOf = (target: Target) => target.stateId

/** What a name that fills itself says while nothing satisfies its condition. */
export function emptyText(name: string, { others }: Membership): string {
  if (others.length === 0) return `"${name}" has no target now: no model is known`
  const text = exclusionsText(others.map(({ unmet }) => unmet))
  return `"${name}" has no target now: of ${others.length}, ${text}; "keywise models --explain ${name}" says why of each, settings.models changes the condition`
}
