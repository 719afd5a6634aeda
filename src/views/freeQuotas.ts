/** What contracts give for nothing, and how much of it is used: part of `GET /api/budgets`. */

import { isoOrNull } from '../domain/isoTime.ts'
import type { EngineReader } from '../engine/reader.ts'
import { type FreeQuota, freeQuotaId } from '../money/freeQuota.ts'
import type { Price } from '../money/price.ts'

export interface FreeQuotaView {
  /** The keys that share it, as `provider#index`. */
  readonly keys: readonly string[]
  readonly account: string
  /** Patterns of the models that share it; null for all. */
  readonly models: readonly string[] | null
  readonly unit: FreeQuota['unit']
  /** Tokens, requests or nano-USD, as all amounts here. */
  readonly limit: number
  readonly per: string
  readonly timezone: string
  /** By attempts that ended, over all processes. */
  readonly used: number
  /** The most that attempts under way can use, and those of killed processes may have. */
  readonly reserved: number
  /** ISO 8601; null where it is given once. */
  readonly resetsAt: string | null
}

/** Throws StoreError when the store cannot be read. */
export function freeQuotasView({ registry, learned, now }: EngineReader): readonly FreeQuotaView[] {
  return registry.freeQuotas.map((quota) => {
    const { account, models, unit, limit, per, timeZone } = quota
    const { used, held, resetsAt } = learned.freeCounts.use(quota, now)
    const id = freeQuotaId(quota)
    const sharing = registry.targets.filter((target) => idOf(registry.priceOf(target)) === id)
    const keys = [...new Set(sharing.map(({ provider, keyIndex }) => `${provider}#${keyIndex}`))]
    const state = { used, reserved: Math.max(0, held), resetsAt: isoOrNull(resetsAt) }
    return { keys, account, models, unit, limit, per, timezone: timeZone, ...state }
  })
}

const idOf = (price: Price | null) => (price?.free === undefined ? null : freeQuotaId(price.free.quota))
