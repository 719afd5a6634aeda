/** Whom a limit, a park or a refusal covers: one set of words, with one spelling, for all three. */

import type { Target } from './target.ts'

/**
 * `target` is one key with one model; `account-free` all models of an account that cost nothing; `account+model` and
 * `provider+model` are one model on all keys of the account or of the provider.
 */
export type Scope = 'target' | 'key' | 'account' | 'account-free' | 'account+model' | 'provider+model' | 'provider'

/** What a provider counts its limits over; keys with the same `account` label share whatever is not `key`. */
export type QuotaScope = Extract<Scope, 'key' | 'account' | 'account+model'> | 'ip'

/** Whose limit an answer names: the model's, everything of the account, or all free models of the account together. */
export type LimitScope = 'model' | 'account' | 'free-models'

/** One key, account, model or provider. The names are kept apart, because a model's id may hold any character. */
export interface ScopeId {
  readonly scope: Scope
  readonly first: string
  readonly second: string
}

/** What a target is covered by. */
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
 * Every scope that covers the target. `account-free` is among them: whether the target is free is for the reader to
 * ask.
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

/** The same text for the same scope. */
export function scopeKey({ scope, first, second }: ScopeId): string {
  return `${scope}\n${first}\n${second}`
}
