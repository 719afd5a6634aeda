/** The options of everything that opens an engine: the manager, the tester, the gateway. */

import type { Logger } from '../domain/logger.ts'
import type { Store } from '../domain/store.ts'
import type { ProviderSpec } from '../providers/provider.ts'

export interface EngineOptions {
  /**
   * A path, or the configuration itself. Default: `KEYWISE_CONFIG`, `./config/api-keys.json`, the user's folder, or
   * environment variables.
   */
  readonly config?: string | object
  /** A path or `memory:`. Default: the user's state folder; `memory:` when `config` is an object. */
  readonly store?: string | Store
  /** Environment variables; default: those of the process. */
  readonly env?: Readonly<Record<string, string | undefined>>
  /** The folder relative paths are resolved against; default: the working directory. */
  readonly cwd?: string
  /** Your own providers, made with `defineProvider`. */
  readonly providers?: readonly ProviderSpec[]
  /** Epoch milliseconds; default the system's clock. */
  readonly now?: () => number
  /** Monotonic milliseconds for latencies and deadlines; default `performance.now`. */
  readonly monotonic?: () => number
  /** 0..1; default Math.random. */
  readonly random?: () => number
  /** `false` disables logging; default: lines to stderr. */
  readonly logger?: Logger | false
  /** Maximum milliseconds before events are written; 0 (default): at the end of the event loop's turn. */
  readonly flushMs?: number
  /** Waits; for tests with a clock of their own. The signal ends a wait early. */
  readonly sleep?: (ms: number, signal?: AbortSignal) => Promise<void>
  /** The user agent sent to providers. */
  readonly userAgent?: string
  /** Use every chat model of every list, even long ones; models named in the configuration stay as they are. */
  readonly allModels?: boolean
}
