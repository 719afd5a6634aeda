/** The facts of a set by provider and model, as of a day, and a configuration that goes by them. */

import type { Ability } from '../../domain/target.ts'
import { findProvider } from '../../providers/catalog.ts'
import type { InstalledFact, InstalledFacts, InstalledModel, SeedLimit } from '../../providers/dated.ts'
import type { ProviderSpec } from '../../providers/provider.ts'
import { coversModel } from '../../quota/limits/seed.ts'
import type { Fact } from './factSchema.ts'

type Writable<T> = { -readonly [K in keyof T]: T[K] }
type Draft = Writable<InstalledModel> & { abilities: { [A in Ability]?: InstalledFact<boolean> } }

/** The facts by provider. `today`: ISO date, which decides what is only "as of" and what is retired. */
export class FactIndex {
  readonly #byProvider = new Map<string, ProviderFacts>()
  readonly #today: string

  constructor(facts: readonly Fact[], today: string) {
    this.#today = today
    const groups = new Map<string, Fact[]>()
    for (const fact of facts) {
      const group = groups.get(fact.provider)
      if (group === undefined) groups.set(fact.provider, [fact])
      else group.push(fact)
    }
    for (const [provider, group] of groups) this.#byProvider.set(provider, new ProviderFacts(group, today))
  }

  /** The provider with what the facts say of it; unchanged when they say nothing. */
  applyTo(spec: ProviderSpec): ProviderSpec {
    const facts = this.#byProvider.get(spec.id) ?? this.#byProvider.get(findProvider(spec.id)?.id ?? spec.id)
    return facts === undefined ? spec : { ...spec, installed: facts.withScope(spec) }
  }

  get today(): string {
    return this.#today
  }
}

class ProviderFacts {
  readonly #exact = new Map<string, Fact[]>()
  /** The least specific first, so that what is said more precisely comes later and wins. */
  readonly #patterns: readonly Fact[]
  readonly #limits: readonly Extract<Fact, { kind: 'limit' }>[]
  readonly #today: string
  readonly #known = new Map<string, InstalledModel | null>()

  constructor(facts: readonly Fact[], today: string) {
    this.#today = today
    this.#limits = facts.filter((fact) => fact.kind === 'limit')
    const patterns: Fact[] = []
    for (const fact of facts) {
      if (fact.kind === 'limit') continue
      if (fact.model.includes('*')) patterns.push(fact)
      else this.#exact.set(fact.model, [...(this.#exact.get(fact.model) ?? []), fact])
    }
    this.#patterns = patterns.sort((a, b) => letters(a) - letters(b) || (a.checked < b.checked ? -1 : 1))
  }

  withScope(spec: ProviderSpec): InstalledFacts {
    return {
      of: (model) => this.#of(model),
      models: [...this.#exact.keys()],
      limits: this.#limits.map((fact): SeedLimit => {
        const { model, unit, window, limit, scope = spec.quotaScope, source, checked, asOfAfter } = fact
        return { model, unit, window, limit, scope, source, checkedAt: checked, asOfAfter }
      }),
    }
  }

  #of(model: string): InstalledModel | null {
    let known = this.#known.get(model)
    if (known === undefined) {
      known = this.#read(model)
      this.#known.set(model, known)
    }
    return known
  }

  #read(id: string): InstalledModel | null {
    const facts = [...this.#patterns.filter(({ model }) => coversModel(model, id)), ...(this.#exact.get(id) ?? [])]
    if (facts.length === 0) return null
    const draft: Draft = { id, abilities: {} }
    for (const fact of facts) this.#take(fact, draft)
    return draft
  }

  #take(fact: Fact, draft: Draft): void {
    const dated = <T>(value: T) => this.#dated(fact, value)
    switch (fact.kind) {
      case 'price':
        draft.price = dated(fact.price)
        break
      case 'free_tier':
        draft.freeTier = dated(fact.freeTier)
        break
      case 'listed':
        draft.listed = dated(fact.listed)
        break
      case 'window':
        if (fact.contextTokens !== undefined) draft.contextTokens = dated(fact.contextTokens)
        if (fact.maxOutputTokens !== undefined) draft.maxOutputTokens = dated(fact.maxOutputTokens)
        break
      case 'ability':
        for (const [ability, can] of Object.entries(fact.abilities))
          if (can !== undefined) draft.abilities[ability as Ability] = dated(can) // the keys of the schema
        break
      case 'retired': {
        const { on, successor } = fact
        const end = dated({ on, ...(successor !== undefined && { successor }) })
        if (on > this.#today) draft.retires = end
        else draft.retired = end
        break
      }
    }
  }

  #dated<T>({ source, checked, asOfAfter }: Fact, value: T): InstalledFact<T> {
    return { value, source, checkedAt: checked, asOfAfter, isAsOf: this.#today > asOfAfter }
  }
}

const letters = ({ model }: Fact) => model.replaceAll('*', '').length
