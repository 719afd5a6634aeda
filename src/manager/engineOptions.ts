/** The options of everything that opens an engine: the manager, the tester, the gateway. */

import type { Dispatcher } from 'undici'
import type { VaultLookup } from '../config/vault/vaultLookup.ts'
import type { Logger } from '../domain/logger.ts'
import type { Durability, Store } from '../domain/store.ts'
import type { ProviderSpec } from '../providers/provider.ts'

/** Options of a manager; all may be left out. */
export interface EngineOptions {
  /**
   * A path, or the configuration itself. By default the first that exists of `KEYWISE_CONFIG`,
   * `./config/api-keys.json` and `$XDG_CONFIG_HOME/keywise/api-keys.json`, else the providers' environment variables.
   * @default the first that exists
   */
  readonly config?: string | object
  /**
   * Settings as in `settings` of the keys file; they take the place of those of the same name.
   * @default those of the configuration
   */
  readonly settings?: object
  /**
   * A path or `memory:`. By default what `KEYWISE_STORE` names, else `memory:` when `config` is an object, else a file
   * in the user's state folder.
   * @default the user's state folder
   */
  readonly store?: string | Store
  /**
   * What an answer waits for before it is complete: `process`, `power` or `relaxed`.
   * @default `settings.durability`
   */
  readonly durability?: Durability
  /**
   * Environment variables.
   * @default those of the process
   */
  readonly env?: Readonly<Record<string, string | undefined>>
  /**
   * The folder relative paths are resolved against.
   * @default the working directory
   */
  readonly cwd?: string
  /** Your own providers, made with `defineProvider`. */
  readonly providers?: readonly ProviderSpec[]
  /**
   * The time, in epoch milliseconds.
   * @default the system's clock
   */
  readonly now?: () => number
  /**
   * Monotonic milliseconds, for latencies and deadlines.
   * @default `performance.now`
   */
  readonly monotonic?: () => number
  /**
   * Random numbers from 0 to 1.
   * @default `Math.random`
   */
  readonly random?: () => number
  /**
   * Where log lines go; `false` disables logging.
   * @default stderr
   */
  readonly logger?: Logger | false
  /**
   * Maximum milliseconds before events are written; 0: at the end of the event loop's turn.
   * @default 0
   */
  readonly flushMs?: number
  /**
   * Waits; for tests with a clock of their own. The signal ends a wait early.
   * @default a timer
   */
  readonly sleep?: (ms: number, signal?: AbortSignal) => Promise<void>
  /**
   * The user agent sent to providers.
   * @default 'keywise'
   */
  readonly userAgent?: string
  /**
   * Use every chat model of every list, even long ones; models named in the configuration stay as they are.
   * @default false
   */
  readonly allModels?: boolean
  /** @internal An opened vault, in the place of the one on the disk. */
  readonly vault?: VaultLookup
  /** @internal Stands in for the sockets, for simulations of a whole network. */
  readonly transport?: Dispatcher
}
