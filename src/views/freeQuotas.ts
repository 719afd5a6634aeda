/** What contracts give for nothing, and how much of it is used: part of `GET /api/budgets`. */

import { isoOrNull } from '../domain/isoTime.ts'
import type { EngineReader } from '../engine/reader.ts'
import type { FreeQuota } from '../money/freeQuota.ts'

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
    const sharing = registry.credentials.filter((credential) => credential.account === account)
    const keys = sharing.map(({ provider, key }) => `${provider.id}#${key.index}`)
    const state = { used, reserved: Math.max(0, held), resetsAt: isoOrNull(resetsAt) }
    return { keys, account, models, unit, limit, per, timezone: timeZone, ...state }
  })
}
