/** What every version of a price says, kept from the first time it priced something: rows of the ledger only name it. */

import { isoOrNull } from '../domain/isoTime.ts'
import { asRecord, asString, type Json } from '../domain/json.ts'
import type { AttemptEvent, Store } from '../domain/store.ts'
import type { Price } from '../money/price.ts'
import { type PriceTerms, termsOf } from '../money/priceVersion.ts'

/** One version of the price of one model. */
export interface PriceRecord {
  /** As in the ledger: `config 3fa91c02`, `genai-prices 0.1.8 2026-09-23`. */
  readonly version: string
  readonly provider: string
  readonly model: string
  /** ISO 8601. */
  readonly firstUsedAt: string
  /** USD per million tokens, as the configuration spells it; of several `rates` the last whose conditions hold counts. */
  readonly terms: PriceTerms
}

const COLLECTION = 'prices'

export class PriceLog {
  readonly #store: Pick<Store, 'updateDoc'>
  /** The last price of each target, so that a call only compares it. */
  readonly #seen = new Map<string, Price>()
  readonly #written = new Set<string>()

  constructor(store: Pick<Store, 'updateDoc'>) {
    this.#store = store
  }

  /** Writes the version unless it is known already. What the provider itself reported was priced by none. */
  note(price: Price, { target, usage, priceSource, startedAt }: AttemptEvent): void {
    if (this.#seen.get(target.stateId) === price || usage === null || priceSource === 'reported') return
    this.#seen.set(target.stateId, price)
    const { provider, model } = target
    const key = `${price.source} ${provider}/${model}`
    if (this.#written.has(key)) return
    this.#written.add(key)
    const record = { version: price.source, provider, model, firstUsedAt: isoOrNull(startedAt), terms: termsOf(price) }
    this.#store.updateDoc(COLLECTION, key, (known) => known ?? record)
  }
}

/** All that are known, by version and model. Throws StoreError when the store cannot be read. */
export function priceRecords(store: Pick<Store, 'listDocs'>): readonly PriceRecord[] {
  return store.listDocs(COLLECTION).flatMap(([, doc]) => readRecord(doc))
}

function readRecord(doc: Json): PriceRecord[] {
  const { version, provider, model, firstUsedAt, terms } = asRecord(doc) ?? {}
  const names = [version, provider, model, firstUsedAt].map((value) => asString(value))
  if (names.includes(undefined) || asRecord(terms) === undefined) return []
  return [asRecord(doc) as unknown as PriceRecord] // written above, and each of its fields was looked at
}
