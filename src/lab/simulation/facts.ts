/** What a simulated world is like, as drawn from its seed: the truth that only the world knows, not the product. */

import type { DialectId } from '../../domain/chat.ts'
import type { FakeLimit } from '../fake/scenario.ts'

/**
 * How a call can go wrong. Words of refusals are those of the simulated providers (`fake/scenario.ts`); the others are
 * faults of the wire.
 */
export type TroubleKind =
  | 'server'
  | 'overloaded'
  | 'rate_minute'
  | 'quota_day'
  | 'billing'
  | 'auth_invalid'
  | 'refused'
  | 'unknown_host'
  | 'reset'
  | 'stale_socket'
  | 'silence'
  | 'stall'
  | 'html'
  | 'empty'
  | 'error_in_200'
  | 'garbage'
  | 'cut_clean'
  | 'cut_reset'
  | 'cut_stall'
  | 'cut_error'

/** A time in which every call of a scope fails in one way. */
export interface Episode {
  /** Milliseconds since the start. */
  readonly from: number
  readonly until: number
  readonly trouble: TroubleKind
  /** Null: all models, all keys. */
  readonly model: string | null
  /** 1-based. */
  readonly key: number | null
  /** The wait that a refusal states, in seconds; null for none. */
  readonly retryAfter: number | null
}

/** What strikes single calls now and then. */
export interface Noise {
  readonly trouble: TroubleKind
  readonly chance: number
  readonly retryAfter: number | null
}

export interface ProviderFacts {
  readonly id: string
  readonly dialect: DialectId
  /** `https://alpha.example` */
  readonly origin: string
  readonly basePath: string
  /** Not in the catalogue, so that its address and language are configured. */
  readonly isOwn: boolean
  readonly keys: readonly { readonly text: string; readonly account: string | null }[]
  /** Prices in USD per million tokens. */
  readonly models: readonly { readonly id: string; readonly input: number; readonly output: number }[]
  readonly limits: readonly FakeLimit[]
  readonly episodes: readonly Episode[]
  readonly noise: readonly Noise[]
  /** Median milliseconds to the first byte of an answer, and the spread of their logarithm. */
  readonly latencyMs: number
  readonly spread: number
}

/** A span of time with requests at a mean distance of `gapMs`. */
export interface TrafficPhase {
  readonly requests: number
  readonly gapMs: number
}

export interface WorldFacts {
  readonly seed: number
  /** Epoch milliseconds. */
  readonly startsAt: number
  readonly providers: readonly ProviderFacts[]
  /** The `settings` of the configuration. */
  readonly settings: Readonly<Record<string, unknown>>
  /** How often what is to happen every second happens, in milliseconds. */
  readonly secondMs: number
  /** Names that requests may ask for. */
  readonly aliases: readonly string[]
  /** Targets are tried in the order of the aliases. */
  readonly isOrdered: boolean
  /** Processes that share the store. */
  readonly processes: number
  readonly phases: readonly TrafficPhase[]
  /** When a process is killed, and when it is restarted in an orderly way. */
  readonly kills: readonly number[]
  readonly restarts: readonly number[]
  readonly clockSteps: readonly { readonly at: number; readonly byMs: number }[]
  readonly diskFaults: readonly { readonly from: number; readonly until: number; readonly chance: number }[]
  /** Of callers: how many leave before the end, and how many give a deadline. */
  readonly leaving: number
  readonly hurried: number
}
