/** Everything that can go wrong with an upstream, as data: the kinds of failure, each with its facts. */

import type { FieldRefusal } from './fieldRefusal.ts'
import type { LimitScope } from './scope.ts'
import type { Ability } from './target.ts'

export const FAILURE_KINDS = [
  /** The key is wrong, revoked or expired. */
  'auth_invalid',
  /** The key may not use this model, or the host or region is refused. */
  'auth_forbidden',
  /** The account has no credit left or must be paid. */
  'billing',
  /** The provider refuses more calls while the cost of running ones is open. */
  'in_flight_budget',
  /** A quota of a day or month is used up. */
  'quota_day',
  /** A limit of a minute, or of another window shorter than a day, is reached. */
  'rate_minute',
  /** The account has no quota at all for this model. */
  'zero_quota',
  /** The request alone is larger than the limit; waiting does not help. */
  'too_large_for_limit',
  /** The provider has no capacity at this moment. */
  'overloaded',
  /** A fault of the provider's server. */
  'server',
  /** No connection, no first content or no end in the time allowed. */
  'timeout',
  /** The connection failed or broke off. */
  'network',
  /** The provider does not have the model, or no longer. */
  'model_not_found',
  /** Prompt and answer do not fit into the model's context. */
  'context_too_long',
  /** The provider refused the content. */
  'content_filter',
  /** The answer holds no text, tool call, refusal, image or audio. */
  'empty',
  /** The answer is not what was asked for: prose for JSON, a tool call of an unknown name or without valid arguments. */
  'malformed',
  /** The model lacks an ability or parameter the request needs. */
  'unsupported',
  /** The request is refused: it is malformed, has a value that is not taken, or refers to an object that is missing. */
  'bad_request',
  /** The caller ended the call. */
  'client_gone',
  /** Another target, asked beside this one, answered first. */
  'slower',
] as const
/** The class of a failed attempt. */
export type FailureKind = (typeof FAILURE_KINDS)[number]

/** The unit a limit counts in. Some providers count `input-tokens` and `output-tokens` separately. */
export type LimitUnit = (typeof LIMIT_UNITS)[number]
export const LIMIT_UNITS = [
  'requests',
  'tokens',
  'input-tokens',
  'output-tokens',
  'neurons',
  'concurrency',
  'usd',
] as const
/** The length of a limit's window; `none` for concurrency and for credit. */
export type LimitWindow = (typeof LIMIT_WINDOWS)[number]
export const LIMIT_WINDOWS = ['second', 'minute', 'hour', 'day', 'week', 'month', 'none'] as const

/** Where a provider's day begins; `rolling` has no boundary of its own, `unknown` is unpublished. */
export type DayBoundary = 'UTC' | 'America/Los_Angeles' | 'rolling' | 'unknown'

/**
 * One statement about a limit, from a header or a body of an answer; `null` for what it does not state. `resetsAt` is
 * epoch milliseconds on our clock (skew already corrected).
 */
export interface LimitFact {
  readonly unit: LimitUnit
  readonly window: LimitWindow
  /** Whether the fact applies to the model or to everything the account does at this provider. */
  readonly scope: 'model' | 'account'
  readonly limit: number | null
  readonly remaining: number | null
  readonly resetsAt: number | null
  readonly source: 'header' | 'body'
}

/** The words by which clients of the upstream's own protocol know a refusal: redacted, and no prose. */
export interface VendorWords {
  readonly code?: string | undefined
  /** The part of the request, as the upstream spells it. */
  readonly parameter?: string | undefined
  /** Gemini's `status` as well. */
  readonly type?: string | undefined
  /** Gemini's typed details. */
  readonly details?: readonly Readonly<Record<string, unknown>>[] | undefined
}

interface Facts {
  /** HTTP status, null when no response came. */
  readonly status: number | null
  /** The upstream's message, redacted and cut to 300 characters; safe to show. */
  readonly message: string
  /** The wait stated by the upstream, in milliseconds from the answer; absent when it stated none. */
  readonly retryAfterMs?: number
  /** What the upstream says beside its message, with a code of its own (Anthropic's `error.details`); redacted. */
  readonly details?: Readonly<Record<string, unknown>>
  /** Present where the request itself is refused, in words. */
  readonly vendor?: VendorWords
}

/**
 * The parts of a request that a refusal can be about. `value`: a value, a nested field, a keyword or a format.
 * `object`: something it refers to (file, cache, thread, batch …), which this account does not have. `size`: too large
 * for this target. `media`: the format of a picture, recording or file, which this service does not read. `parameter`
 * and `ability`: an option or ability as such, which this target lacks. `content`: what it says.
 */
export type RequestSubject = 'request' | 'value' | 'object' | 'size' | 'media' | 'parameter' | 'ability' | 'content'

export type Failure =
  | (Facts & { readonly kind: 'auth_invalid'; readonly leaked?: boolean })
  | (Facts & {
      readonly kind: 'auth_forbidden'
      /** The refusal is about this host or region, not about the key. */
      readonly hostBlocked?: boolean
      /** The refusal is about everything that the key may do, not about this model. */
      readonly keyWide?: boolean
      /** The key lacks the scope of this one route; it says nothing about others. */
      readonly routeOnly?: boolean
    })
  | (Facts & {
      readonly kind: 'billing'
      readonly untilMonthEnd?: boolean
      /** Free models of the account are refused too (a negative balance), not only paid ones. */
      readonly coversFree?: boolean
      /** The spending limit of this key is reached; other keys of the account can pay. */
      readonly keyLimit?: boolean
    })
  | (Facts & { readonly kind: 'in_flight_budget' })
  | (Facts & {
      readonly kind: 'quota_day'
      readonly unit?: LimitUnit
      readonly window?: 'day' | 'month'
      readonly limit?: number
      readonly scope?: LimitScope
    })
  | (Facts & {
      readonly kind: 'rate_minute'
      readonly unit?: LimitUnit
      readonly window?: LimitWindow
      readonly limit?: number
      readonly scope?: LimitScope
    })
  | (Facts & { readonly kind: 'zero_quota' })
  | (Facts & {
      readonly kind: 'too_large_for_limit'
      /** The largest answer, in tokens, that the account's credit can pay for this prompt. */
      readonly affordableTokens?: number
      readonly unit?: LimitUnit
      readonly window?: LimitWindow
      readonly limit?: number
      readonly requested?: number
    })
  | (Facts & { readonly kind: 'overloaded' })
  | (Facts & { readonly kind: 'server' })
  | (Facts & {
      readonly kind: 'timeout'
      readonly phase: 'connect' | 'first-token' | 'idle' | 'total'
      readonly afterMs: number
    })
  | (Facts & {
      readonly kind: 'network'
      /** Node's error code: ECONNREFUSED, ENOTFOUND, CERT_HAS_EXPIRED … */
      readonly code: string
      /** At least one byte of the response had arrived. */
      readonly started?: boolean
    })
  | (Facts & {
      readonly kind: 'model_not_found'
      /** Nothing was said about a model: the address may be wrong, or the server behind a proxy gone for a moment. */
      readonly unexplained?: boolean
      /** The model that the provider suggests instead. */
      readonly successor?: string
      /** `ability`: it was asked for something else than a chat, which it is not known to do, and may chat all the same. */
      readonly about?: RequestSubject
    })
  | (Facts & {
      readonly kind: 'context_too_long'
      /** The window. */
      readonly limitTokens?: number
      /** Prompt and answer together, or the prompt alone where no answer is spoken of. */
      readonly requestedTokens?: number
      /** The prompt, where it is told apart. */
      readonly inputTokens?: number
      /** What was asked for the answer, where that is told apart. */
      readonly outputTokens?: number
    })
  | (Facts & { readonly kind: 'content_filter' })
  | (Facts & { readonly kind: 'empty' })
  | (Facts & {
      readonly kind: 'malformed'
      /** The provider itself stopped the answer: the model's call made no sense. Another try may well do. */
      readonly gaveUp?: boolean
    })
  | (Facts & {
      readonly kind: 'unsupported'
      /** Present where the refusal names it as such, not one of its values or fields. */
      readonly ability?: Ability
      readonly parameter?: string
      readonly about?: RequestSubject
      /** The most output tokens the model writes, where the request wanted more. */
      readonly mostOutputTokens?: number
      readonly fields?: readonly FieldRefusal[]
    })
  | (Facts & {
      readonly kind: 'bad_request'
      readonly about?: RequestSubject
      /** A proxy in front of the provider refused it, whichever model was asked. */
      readonly byEdge?: boolean
      readonly fields?: readonly FieldRefusal[]
    })
  | (Facts & { readonly kind: 'client_gone' })
  | (Facts & { readonly kind: 'slower' })

export type FailureOf<K extends FailureKind> = Extract<Failure, { kind: K }>

/** Whether the call was ended from our side while its target may have been working: that says nothing against it. */
export function wasCancelled(failure: Failure | null): boolean {
  return failure?.kind === 'client_gone' || failure?.kind === 'slower'
}
