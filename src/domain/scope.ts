/** What a limit, a park or a refusal covers: one vocabulary, with one spelling, for all three. */

import type { Target } from './target.ts'

/**
 * `target` is one key with one model; `account-free` is all free models of an account; `account+model` and
 * `provider+model` are one model on all keys of the account or of the provider.
 */
export type Scope = 'target' | 'key' | 'account' | 'account-free' | 'account+model' | 'provider+model' | 'provider'

/**
 * What a provider counts its limits by; keys with the same `account` label share every limit that is not per `key`.
 * `unknown`: a refusal is taken for the model's until a second model of the account is refused too.
 */
export type QuotaScope = Extract<Scope, 'key' | 'account' | 'account+model'> | 'ip' | 'unknown'

/** What a limit named in an answer covers: the model, the whole account, or all its free models together. */
export type LimitScope = 'model' | 'account' | 'free-models'

/** One key, account, model or provider. The names are kept apart because a model id may contain any character. */
export interface ScopeId {
  readonly scope: Scope
  readonly first: string
  readonly second: string
}

/** The part of a target that decides which scopes cover it. */
export type Covered = Pick<Target, 'stateId' | 'provider' | 'model' | 'fingerprint' | 'account'>

const NAMES: { readonly [S in Scope]: (target: Covered) => Omit<ScopeId, 'scope'> } = {
  target: ({ stateId }) => ({ first: stateId, second: '' }),
  key: ({ provider, fingerprint }) => ({ first: provider, second: fingerprint }),
  account: ({ account }) => ({ first: account, second: '' }),
  'account-free': ({ account }) => ({ first: account, second: '' }),
  'account+model': ({ account, model }) => ({ first: account, second: model }),
  'provider+model': ({ provider, model }) => ({ first: provider, second: model }),
  provider: ({ provider }) => ({ first: provider, second: '' }),
}

export function isScope(text: string): text is Scope {
  return Object.hasOwn(NAMES, text)
}

export function scopeOf(target: Covered, scope: Scope): ScopeId {
  return { scope, ...NAMES[scope](target) }
}

/**
 * Every scope that covers the target. `account-free` is always included: the caller checks whether the target is free.
 */
export function scopesOf(target: Covered): readonly ScopeId[] {
  return ALL.map((scope) => scopeOf(target, scope))
}

const ALL: readonly Scope[] = [
  'target',
  'key',
  'account',
  'account-free',
  'account+model',
  'provider+model',
  'provider',
]

/** A text that is the same for the same scope. */
export function scopeKey({ scope, first, second }: ScopeId): string {
  return `${scope}\n${first}\n${second}`
}
