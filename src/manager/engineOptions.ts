/** What whoever opens an engine may decide: the manager, the tester, the gateway. */

import type { Logger } from '../domain/logger.ts'
import type { Store } from '../domain/store.ts'
import type { ProviderSpec } from '../providers/provider.ts'

export interface EngineOptions {
  /** A path, or the configuration itself; absent: found as the contract's section 2 says. */
  readonly config?: string | object
  /** A path or `memory:`. Default: the user's state folder; `memory:` when `config` is an object. */
  readonly store?: string | Store
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly cwd?: string
  /** Providers of one's own, made with `defineProvider`. */
  readonly providers?: readonly ProviderSpec[]
  /** Epoch milliseconds; default the system's clock. */
  readonly now?: () => number
  /** Milliseconds that never jump, for latencies and deadlines; default `performance.now`. A test's clock gives both. */
  readonly monotonic?: () => number
  /** 0..1; default Math.random. */
  readonly random?: () => number
  /** `false` silences; default: lines to stderr. */
  readonly logger?: Logger | false
  /** Milliseconds that what is recorded may wait to be written; 0 (default): to the end of the event loop's turn. */
  readonly flushMs?: number
  /** For tests with a clock of their own: waits. The signal ends a wait early. */
  readonly sleep?: (ms: number, signal?: AbortSignal) => Promise<void>
  /** Shown to the providers. */
  readonly userAgent?: string
  /** Every model of every list that can chat, also of long lists; what the configuration names exactly stays exact. */
  readonly allModels?: boolean
}
