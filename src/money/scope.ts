/** What a budget covers: everything, a provider, a model, a key, an account, a label, or a gateway token. */

import type { TargetRef } from '../domain/store.ts'

export type BudgetScope =
  | { readonly kind: 'all' }
  | {
      readonly kind: 'target'
      readonly provider: string
      readonly model: string | null
      /** 1-based index of the key in the configuration. */
      readonly keyIndex: number | null
    }
  | { readonly kind: 'account'; readonly account: string }
  | { readonly kind: 'label'; readonly key: string; readonly value: string }
  | { readonly kind: 'token'; readonly token: string }

/** What an attempt is charged to; satisfied by a `Target` and by the `TargetRef` of an event. */
export type Payee = Pick<TargetRef, 'provider' | 'model' | 'fingerprint' | 'keyIndex' | 'account'>

/** `all`, `provider`, `provider/model`, `provider#key`, `account:NAME`, `label:K=V` or `token:NAME`; else undefined. */
export function readBudgetScope(text: string): BudgetScope | undefined {
  const scope = text.trim()
  if (scope === 'all') return { kind: 'all' }
  if (scope.startsWith('account:')) return named(scope.slice(8), (account) => ({ kind: 'account', account }))
  if (scope.startsWith('token:')) return named(scope.slice(6), (token) => ({ kind: 'token', token }))
  return scope.startsWith('label:') ? labelScope(scope.slice(6)) : targetScope(scope)
}

function named(name: string, scope: (name: string) => BudgetScope): BudgetScope | undefined {
  return name === '' ? undefined : scope(name)
}

function labelScope(text: string): BudgetScope | undefined {
  const equals = text.indexOf('=')
  if (equals < 1) return undefined
  return { kind: 'label', key: text.slice(0, equals), value: text.slice(equals + 1) }
}

const TARGET = /^([^/#\s:=]+)(?:\/([^#\s]+))?(?:#([1-9]\d{0,4}))?$/

function targetScope(text: string): BudgetScope | undefined {
  const match = TARGET.exec(text)
  if (match?.[1] === undefined) return undefined
  const keyIndex = match[3] === undefined ? null : Number(match[3])
  return { kind: 'target', provider: match[1], model: match[2] ?? null, keyIndex }
}

/** Whether the scope depends only on the target, so that the result can be cached per target. */
export function isTargetScope(scope: BudgetScope): boolean {
  return scope.kind !== 'label' && scope.kind !== 'token'
}

/** Whether an attempt is in the scope. `fingerprint`: the key that a key scope means, if its index may change. */
export function scopeCovers(
  scope: BudgetScope,
  fingerprint: string | null,
  payee: Payee,
  labels: Readonly<Record<string, string>> | null | undefined,
  token: string | null | undefined,
): boolean {
  switch (scope.kind) {
    case 'all':
      return true
    case 'target':
      return coversTarget(scope, fingerprint, payee)
    case 'account':
      return isAccount(scope.account, payee.account)
    case 'label':
      return labels != null && Object.hasOwn(labels, scope.key) && labels[scope.key] === scope.value
    case 'token':
      return token === scope.token
  }
}

function coversTarget(scope: BudgetScope & { kind: 'target' }, fingerprint: string | null, payee: Payee): boolean {
  if (scope.provider !== payee.provider) return false
  if (scope.model !== null && scope.model !== payee.model) return false
  if (scope.keyIndex === null) return true
  return fingerprint === null ? scope.keyIndex === payee.keyIndex : fingerprint === payee.fingerprint
}

/** Accounts are `provider:label` internally; users write the label, or both. */
export function isAccount(written: string, account: string): boolean {
  return account === written || account.endsWith(`:${written}`)
}
