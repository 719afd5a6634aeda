/**
 * What services refuse of requests and can be repaired without losing anything that the caller means: learned from
 * their refusals, for a model of a provider and a kind of client, and kept for a day. One client's odd field does not
 * make the bodies of others be parsed. After the day the field is sent again.
 */

import type { FieldRefusal } from '../../domain/fieldRefusal.ts'
import type { Target } from '../../domain/target.ts'
import { RENAMES, type Repaired, repair } from './repair.ts'

const LIFE_MS = 86_400_000
/** Names of clients are theirs to choose. */
const MOST_KINDS = 64
const MOST_FIXES = 32

interface Fix {
  readonly refusal: FieldRefusal
  /** Epoch milliseconds. */
  readonly until: number
}

interface Fixes {
  readonly byField: Map<string, Fix>
  /** When the last of them ends. */
  until: number
}

type Body = Record<string, unknown>
type Model = Pick<Target, 'provider' | 'model'>

export class LearnedRequestFixes {
  readonly #now: () => number
  readonly #models = new Map<string, Map<string, Fixes>>()

  constructor(now: () => number) {
    this.#now = now
  }

  /**
   * Learns from a refusal of `body`, which is written without what is known. True when the next call of the same
   * target will be written differently. `named` are the fields that the service has names for, where they are known.
   */
  learn(
    model: Model,
    clientKind: string,
    refusals: readonly FieldRefusal[],
    body: Body,
    named?: ReadonlySet<string>,
  ): boolean {
    const sent = this.apply(model, clientKind, body).body
    const useful = [...refusals, ...alikeUnknown(refusals, sent, named)].filter(
      (refusal) => !this.#isNameKnown(model, clientKind, refusal.path),
    )
    const helping = useful.filter((refusal) => repair(sent, refusal).body !== sent)
    for (const refusal of helping) this.#remember(model, clientKind, refusal)
    return helping.length > 0
  }

  /** A person wants these models tried as they are; null for all. */
  retest(models: readonly Model[] | null): void {
    if (models === null) this.#models.clear()
    else for (const { provider, model } of models) this.#models.delete(`${provider} ${model}`)
  }

  /** Whether requests of such a client are written differently for the model. */
  has(model: Model, clientKind: string): boolean {
    return this.#models.size > 0 && this.#fixesOf(model, clientKind) !== undefined
  }

  /** The body as this provider accepts it for this model, and the paths of what it now lacks. */
  apply(model: Model, clientKind: string, body: Body): { readonly body: Body; readonly leftOut: readonly string[] } {
    const fixes = this.#models.size === 0 ? undefined : this.#fixesOf(model, clientKind)
    if (fixes === undefined) return { body, leftOut: [] }
    const leftOut: string[] = []
    let repaired: Repaired = { body, isLeftOut: false }
    for (const { refusal, until } of fixes.byField.values()) {
      if (until <= this.#now()) continue
      repaired = repair(repaired.body, refusal)
      if (repaired.isLeftOut) leftOut.push(refusal.path)
    }
    return { body: repaired.body, leftOut }
  }

  #fixesOf({ provider, model }: Model, clientKind: string): Fixes | undefined {
    const fixes = this.#models.get(`${provider} ${model}`)?.get(clientKind)
    return fixes !== undefined && fixes.until > this.#now() ? fixes : undefined
  }

  /** Renamed once and refused under the other name too: it accepts neither. */
  #isNameKnown(model: Model, clientKind: string, path: string): boolean {
    const other = RENAMES.get(path)
    const known = other === undefined ? undefined : this.#fixesOf(model, clientKind)?.byField.get(`${other} field`)
    return known !== undefined && known.until > this.#now()
  }

  #remember({ provider, model }: Model, clientKind: string, refusal: FieldRefusal): void {
    const id = `${provider} ${model}`
    const kinds = this.#models.get(id) ?? new Map<string, Fixes>()
    const fixes = kinds.get(clientKind) ?? { byField: new Map<string, Fix>(), until: 0 }
    fixes.until = this.#now() + LIFE_MS
    fixes.byField.set(`${refusal.path} ${refusal.refused}`, { refusal, until: fixes.until })
    forgetOldest(fixes.byField, MOST_FIXES)
    // The kind that learned last is forgotten last.
    kinds.delete(clientKind)
    kinds.set(clientKind, fixes)
    forgetOldest(kinds, MOST_KINDS)
    this.#models.set(id, kinds)
  }
}

/** A refusal of an unknown field names one of several. */
function alikeUnknown(
  refusals: readonly FieldRefusal[],
  sent: Body,
  named: ReadonlySet<string> | undefined,
): readonly FieldRefusal[] {
  const isUnknown = (name: string) => named !== undefined && !named.has(name)
  if (!refusals.some(({ path, refused }) => refused === 'field' && path in sent && isUnknown(path))) return []
  const isRefused = (name: string) => refusals.some(({ path }) => path === name)
  return Object.keys(sent)
    .filter((name) => isUnknown(name) && !isRefused(name))
    .map((path) => ({ path, refused: 'field' }))
}

function forgetOldest(map: Map<string, unknown>, most: number): void {
  for (const name of map.keys()) {
    if (map.size <= most) return
    map.delete(name)
  }
}
