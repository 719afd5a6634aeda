/**
 * Resolves a model name to targets. The most specific meaning wins: `auto…`, a target's own id, `provider/model`, an
 * alias of exactly that name, a served id, an alias with a wildcard, the same model under another spelling.
 */

import { ModelNotFoundError } from '../../domain/errors.ts'
import { nearest } from '../../domain/nearest.ts'
import type { Target } from '../../domain/target.ts'
import type { Profile } from '../../routing/weights.ts'
import { baseName, type Likeness, likenessOf, withoutListPrefix } from './likeness.ts'
import { matchesPattern } from './pattern.ts'

export interface Selection {
  /** As the caller wrote it. */
  readonly name: string
  readonly profile: Profile
  /** The choice of model was left to keywise. */
  readonly auto: boolean
  /** The targets it resolves to, by `stateId`; null for all. */
  readonly among: ReadonlySet<string> | null
  /** In the alias's order, for the `priority` strategy; null where there is none. */
  readonly order: readonly string[] | null
}

const PROFILES: ReadonlyMap<string, Profile> = new Map([
  ['auto', 'balanced'],
  ['auto:fast', 'fast'],
  ['auto:cheap', 'cheap'],
  ['auto:smart', 'smart'],
])
/** Aliases may refer to aliases; nesting deeper than this must be a cycle. */
const MAX_DEPTH = 5

type Aliases = Readonly<Record<string, readonly string[]>>

const NO_ALIASES: Aliases = {}

/** Resolves names against a fixed set of targets and caches the results; create a new one when targets change. */
export class ModelNames {
  readonly #targets: readonly Target[]
  readonly #aliases: Aliases
  readonly #known = new Map<string, Selection>()

  constructor(targets: readonly Target[], aliases: Aliases) {
    this.#targets = targets
    this.#aliases = aliases
  }

  /** Throws ModelNotFoundError, naming the nearest ids, when nothing matches. */
  select(name: string): Selection {
    const known = this.#known.get(name)
    if (known !== undefined) return known
    const selection = this.#resolve(name, 0)
    if (selection === null) throw new ModelNotFoundError(name.slice(0, 200), this.nearest(name))
    if (this.#known.size < 10_000) this.#known.set(name, selection)
    return selection
  }

  /** Whether the name currently resolves to anything. */
  has(name: string): boolean {
    return this.#known.has(name) || this.#resolve(name, 0) !== null
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

  #resolve(name: string, depth: number): Selection | null {
    const profile = PROFILES.get(name)
    if (profile !== undefined) return { name, profile, auto: true, among: null, order: null }
    const aliases = depth < MAX_DEPTH ? this.#aliases : NO_ALIASES
    const ofProvider = this.#ofProvider(name)
    if (ofProvider.length > 0) return pinned(name, ofProvider)
    if (Object.hasOwn(aliases, name)) return this.#resolveAlias(name, aliases[name] ?? [], depth)
    const bare = withoutListPrefix(name)
    if (bare !== name && !this.#targets.some(({ model }) => model === name)) return this.#resolve(bare, depth)
    const served = this.#spelled(name, 1)
    if (served.length > 0) return pinned(name, served)
    const wild = Object.keys(aliases).find((key) => key.includes('*') && matchesPattern(key, name))
    if (wild !== undefined) return this.#resolveAlias(name, aliases[wild] ?? [], depth)
    return pinned(name, this.#spelled(name, 2))
  }

  #resolveAlias(name: string, entries: readonly string[], depth: number): Selection | null {
    const order: string[] = []
    for (const entry of entries) {
      if (entry.includes('*')) {
        order.push(...this.#matching(entry))
        continue
      }
      const one = this.#resolve(entry, depth + 1)
      if (one === null) continue
      // An alias that resolves to `auto…` means that profile over all targets.
      if (one.among === null) return { ...one, name }
      order.push(...(one.order ?? one.among))
    }
    return order.length === 0 ? null : { name, profile: 'balanced', auto: false, among: new Set(order), order }
  }

  #matching(pattern: string): string[] {
    return this.#targets
      .filter(
        (target) =>
          matchesPattern(pattern, `${target.provider}/${target.model}`) || matchesPattern(pattern, target.model),
      )
      .map(idOf)
  }

  /** A target's own id, or `provider/model` as the provider spells it. */
  #ofProvider(name: string): readonly Target[] {
    const byId = this.#targets.filter(({ id }) => id === name)
    return byId.length > 0 ? byId : this.#targets.filter(({ provider, model }) => `${provider}/${model}` === name)
  }

  /**
   * The targets whose model is the named one, up to that likeness: of the provider that is named, otherwise of any. Each
   * provider's closest spelling counts, so a model that it has exactly is never another one.
   */
  #spelled(name: string, most: Likeness): readonly Target[] {
    const slash = name.indexOf('/')
    const provider = name.slice(0, Math.max(0, slash)).toLowerCase()
    const own = slash < 0 ? [] : this.#targets.filter((target) => target.provider === provider)
    const ofProvider = closest(own, name.slice(slash + 1), most)
    return ofProvider.length > 0 ? ofProvider : closest(this.#targets, name, most)
  }
}

function closest(targets: readonly Target[], name: string, most: Likeness): readonly Target[] {
  const best = new Map<string, { likeness: Likeness; targets: Target[] }>()
  for (const target of targets) {
    const likeness = likenessOf(target.model, name)
    if (likeness === null) continue
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
  return { name, profile: 'balanced', auto: false, among: new Set(targets.map(idOf)), order: null }
}

const idOf = (target: Target) => target.stateId
