/**
 * Abilities (tools, images, JSON …) that calls have shown a provider's model to lack, overriding its list and our
 * catalogue: kept for seven days, shared by all processes on one store.
 */

import { asNumber, asRecord } from '../../domain/json.ts'
import type { Store } from '../../domain/store.ts'
import { ABILITIES, type Ability, type Target } from '../../domain/target.ts'

const COLLECTION = 'shortcomings'
const LIFE_MS = 7 * 86_400_000
/** How often findings of other processes are read. */
const LOOK_EVERY_MS = 60_000

type Model = Pick<Target, 'provider' | 'model'>

export class MissingAbilities {
  readonly #store: Store
  readonly #now: () => number
  #until = new Map<string, number>()
  #lookedAt = Number.NEGATIVE_INFINITY

  constructor(store: Store, now: () => number) {
    this.#store = store
    this.#now = now
  }

  /** A call or a test has shown that the model lacks the ability. */
  learn({ provider, model }: Model, ability: Ability): void {
    const until = this.#now() + LIFE_MS
    this.#until.set(`${provider}/${model} ${ability}`, until)
    this.#store.updateDoc(
      COLLECTION,
      `${provider}/${model}`,
      (known) => ({ ...asRecord(known), [ability]: until }) as Record<string, number>,
    ) // numbers by ability
  }

  /** A success has shown that the model has the ability after all. */
  forget({ provider, model }: Model, ability: Ability): void {
    if (!this.#until.delete(`${provider}/${model} ${ability}`)) return
    this.#store.updateDoc(COLLECTION, `${provider}/${model}`, (known) => {
      const { [ability]: _gone, ...rest } = asRecord(known) ?? {}
      return Object.keys(rest).length === 0 ? undefined : (rest as Record<string, number>) // numbers by ability
    })
  }

  /** The first of the abilities that the model lacks; undefined when none is known to be missing. */
  missing({ provider, model }: Model, abilities: readonly Ability[]): Ability | undefined {
    const now = this.#now()
    if (now - this.#lookedAt > LOOK_EVERY_MS || now < this.#lookedAt) this.#look(now)
    if (this.#until.size === 0) return undefined
    return abilities.find((ability) => (this.#until.get(`${provider}/${model} ${ability}`) ?? 0) > now)
  }

  #look(now: number): void {
    this.#lookedAt = now
    const read = new Map<string, number>()
    for (const [name, value] of this.#store.listDocs(COLLECTION)) {
      for (const ability of ABILITIES) {
        const until = asNumber(asRecord(value)?.[ability])
        if (until !== undefined && until > now) read.set(`${name} ${ability}`, until)
      }
    }
    this.#until = read
  }
}
