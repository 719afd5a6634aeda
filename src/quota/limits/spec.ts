/** How a provider counts: the part of its data that quotas use. Every `ProviderSpec` is one. */

import type { DayBoundary } from '../../domain/failure.ts'
import type { QuotaScope } from '../../domain/scope.ts'
import type { QuotaSeed } from './seed.ts'
import type { UnnamedWindows } from './statedLimit.ts'

export interface QuotaSpec {
  readonly quotaScope: QuotaScope
  readonly dayBoundary: DayBoundary
  /** Counts the requested output, not the produced one. */
  readonly chargesMaxTokens?: boolean
  /** Failed calls count against the request quota too. */
  readonly countsFailures?: boolean
  readonly limitWindows?: UnnamedWindows
  readonly seedLimits: readonly QuotaSeed[]
  /** Published limits that the user installed; they never divide an account's models, as those of `seedLimits` may. */
  readonly installed?: { readonly limits: readonly QuotaSeed[] }
}
