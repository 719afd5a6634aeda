/** The few errors that users of keywise see. Each has a stable `code`, its facts as fields, and says what to do. */

import type { AttemptReport } from './attempt.ts'
import type { FailureKind } from './failure.ts'

/** One code per class of error. */
export type ErrorCode =
  | 'ALL_TARGETS_FAILED'
  | 'CONFIG'
  | 'BUDGET_EXCEEDED'
  | 'VAULT'
  | 'INVALID_REQUEST'
  | 'MODEL_NOT_FOUND'
  | 'STORE'
  | 'ABORTED'
  | 'CLOSED'

interface KeywiseErrorOptions {
  readonly cause?: unknown
  readonly attempts?: readonly AttemptReport[]
}

/** The same symbol in every copy of the package that a process loads. */
const BRAND = Symbol.for('keywise.error')

/** The base class of every error that keywise throws deliberately. */
export class KeywiseError extends Error {
  /** Stable; programs should switch on it. */
  readonly code: ErrorCode
  /** The attempts made before the error; empty when no call was made. */
  readonly attempts: readonly AttemptReport[]

  constructor(code: ErrorCode, message: string, options: KeywiseErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = new.target.name
    this.code = code
    this.attempts = options.attempts ?? []
  }
}

Object.defineProperty(KeywiseError.prototype, BRAND, { value: true })

/** Whether a value is a keywise error, also one of another copy of the package, where `instanceof` fails. */
export function isKeywiseError(error: unknown): error is KeywiseError {
  return typeof error === 'object' && error !== null && BRAND in error
}

/** Every eligible target was tried and failed, or none may be tried now. */
export class AllTargetsFailedError extends KeywiseError {
  /** The earliest time (ISO 8601) at which a retry can succeed; null when unknown. */
  readonly retryAt: string | null
  /**
   * When no target was called: the failures that exclude each possible target; empty when anything else excludes one.
   */
  readonly parkedFor: readonly FailureKind[]

  constructor(
    message: string,
    facts: KeywiseErrorOptions & { readonly retryAt: string | null; readonly parkedFor?: readonly FailureKind[] },
  ) {
    super('ALL_TARGETS_FAILED', message, facts)
    this.retryAt = facts.retryAt
    this.parkedFor = facts.parkedFor ?? []
  }
}

/** The configuration is unusable; says in which file, where (line, column, path) and what to do. */
export class ConfigError extends KeywiseError {
  /** Null for a configuration passed as an object. */
  readonly file: string | null
  /** 1-based. */
  readonly line: number | null
  /** 1-based. */
  readonly column: number | null
  /** Dotted path inside the file, such as `groq.keys[2]`. */
  readonly path: string | null

  constructor(
    message: string,
    facts: {
      file?: string | null
      line?: number | null
      column?: number | null
      path?: string | null
      cause?: unknown
    } = {},
  ) {
    super('CONFIG', message, facts)
    this.file = facts.file ?? null
    this.line = facts.line ?? null
    this.column = facts.column ?? null
    this.path = facts.path ?? null
  }
}

/** A hard budget has no room for the request, and the user's rule forbids a fallback. */
export class BudgetExceededError extends KeywiseError {
  /** The scope of the budget. */
  readonly scope: string
  /**
   * When there is room for the request (ISO 8601): the period ends, or the share of a paced budget has grown enough; null
   * where waiting does not help.
   */
  readonly resetsAt: string | null

  constructor(
    message: string,
    facts: KeywiseErrorOptions & { readonly scope: string; readonly resetsAt: string | null },
  ) {
    super('BUDGET_EXCEEDED', message, facts)
    this.scope = facts.scope
    this.resetsAt = facts.resetsAt
  }
}

/**
 * `absent`: there is no vault; `locked`: nothing was given to open it with; `refused`: what was given does not open it;
 * `damaged`: it was changed or is not whole; `newer`: a newer keywise wrote it; `entry`: it does not have the key, or has
 * it for somebody else; `unwritable`: it could not be written.
 */
type VaultTrouble = 'absent' | 'locked' | 'refused' | 'damaged' | 'newer' | 'entry' | 'unwritable'

/** A `vault:NAME` value that cannot be resolved, or a vault that cannot be read or written. */
export class VaultError extends KeywiseError {
  /** What is the matter; the message says what to do. */
  readonly reason: VaultTrouble

  constructor(message: string, options: KeywiseErrorOptions & { readonly reason: VaultTrouble }) {
    super('VAULT', message, options)
    this.reason = options.reason
  }
}

/** How far a request is above the largest context window that it could go to, in tokens. */
export interface ContextOverflow {
  /** Of the prompt: as the provider counted them, or at least. */
  readonly inputTokens: number
  /** Asked for the answer, where the prompt alone would fit; null where it would not. */
  readonly outputTokens: number | null
  /** The window. */
  readonly limitTokens: number
  /** `inputTokens` is keywise's estimate, because no provider stated it. */
  readonly isEstimated: boolean
}

/** Anthropic's are an object, Gemini's a list of them. */
export type ErrorDetails = Readonly<Record<string, unknown>> | readonly Readonly<Record<string, unknown>>[]

/** The caller's own request is wrong; every other target would refuse it too. */
export class InvalidRequestError extends KeywiseError {
  /** The field at fault, as the caller spells it; null when the whole request is at fault. */
  readonly parameter: string | null
  /** The HTTP status of the gateway's answer: 400 unless given (413, 415, 422). */
  readonly status: number
  /** The request fits no context window. */
  readonly isTooLong: boolean
  /** By how much it is too long; null where nobody stated the window, and for every other mistake. */
  readonly overflow: ContextOverflow | null
  /** What the provider says beside its message, for clients of its protocol (Anthropic's and Gemini's `error.details`). */
  readonly details: ErrorDetails | null
  /** The code by which clients of the provider's protocol know this mistake; null for none. */
  readonly vendorCode: string | null
  /** The provider's word for the class of the mistake (Gemini's `status`), where the client speaks its protocol. */
  readonly vendorType: string | null

  constructor(
    message: string,
    facts: KeywiseErrorOptions & {
      readonly parameter?: string | null
      readonly status?: number
      readonly isTooLong?: boolean
      readonly overflow?: ContextOverflow | null
      readonly details?: ErrorDetails | null
      readonly vendorCode?: string | null
      readonly vendorType?: string | null
    } = {},
  ) {
    super('INVALID_REQUEST', message, facts)
    this.parameter = facts.parameter ?? null
    this.status = facts.status ?? 400
    this.isTooLong = facts.isTooLong ?? false
    this.overflow = facts.overflow ?? null
    this.details = facts.details ?? null
    this.vendorCode = facts.vendorCode ?? null
    this.vendorType = facts.vendorType ?? null
  }
}

/** No target has the requested model. */
export class ModelNotFoundError extends KeywiseError {
  /** As requested. */
  readonly model: string
  /** The closest ids that exist, best first. */
  readonly nearest: readonly string[]

  /** `words`: what a provider said of a model that is configured here; `why`: the message where the name is known. */
  constructor(
    model: string,
    nearest: readonly string[],
    options: KeywiseErrorOptions & { words?: string; why?: string } = {},
  ) {
    const [hint, use] =
      nearest.length > 0 ? [`; nearest: ${nearest.join(', ')}`, 'one of these, "auto"'] : ['', '"auto"']
    const said = options.words === undefined ? '' : ` (the provider says: ${options.words})`
    super(
      'MODEL_NOT_FOUND',
      options.why ??
        `no key has a model "${model}"${said}${hint}. Use ${use}, or map it with settings.models: { "${model}": ["provider/model"] }`,
      options,
    )
    this.model = model
    this.nearest = nearest
  }
}

/** The store cannot be opened and must not be overwritten (made by a newer keywise, or not a keywise store). */
export class StoreError extends KeywiseError {
  constructor(message: string, options: KeywiseErrorOptions = {}) {
    super('STORE', message, options)
  }
}

/**
 * The caller aborted the call by its own signal. The name is the platform's, so `error.name === 'AbortError'` holds.
 */
export class AbortedError extends KeywiseError {
  constructor(options: KeywiseErrorOptions = {}) {
    super('ABORTED', 'the caller ended the call', options)
    this.name = 'AbortError'
  }
}

/** The manager or client was closed before. */
export class ClosedError extends KeywiseError {
  constructor() {
    super('CLOSED', 'this manager is closed; make a new one')
  }
}
