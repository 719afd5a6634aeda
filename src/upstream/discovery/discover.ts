/** What can be learned of a key without spending anything: the provider's models list, and whether the key is good. */

import type { Failure, LimitFact } from '../../domain/failure.ts'
import { asArray, asNumber, asRecord, asString } from '../../domain/json.ts'
import { printable } from '../../domain/printable.ts'
import { nanoToUsd } from '../../money/amount.ts'
import { type Connection, resolvePath } from '../connection.ts'
import { type JsonTools, requestJson } from '../requestJson.ts'
import { readBalance, type ToldBalance } from './balance.ts'
import { type ListedModel, readModelsPage } from './modelsList.ts'

export type ListResult =
  | {
      readonly ok: true
      readonly models: readonly ListedModel[]
      /** How many were left out because of what their names hold; absent for none. */
      readonly refused?: number
    }
  | { readonly ok: false; readonly failure: Failure }

export type KeyCheckResult =
  | { readonly state: 'valid'; readonly facts: KeyFacts; readonly limits: readonly LimitFact[] }
  /** Nothing free proves this provider's keys; only a call does. */
  | { readonly state: 'unproven' }
  | { readonly state: 'refused'; readonly failure: Failure }

/** What a key endpoint says of the account (OpenRouter `/key`, DeepSeek `/user/balance`). */
interface KeyFacts {
  readonly creditLeftUsd: number | null
  readonly freeTier: boolean | null
  readonly freeRequestsLeftToday: number | null
  /** Whether paid calls can be paid for now; null when the endpoint does not say. */
  readonly hasCredit: boolean | null
}

const MAX_PAGES = 30
/** Many times more than any provider lists. Each model becomes a target, and to make them all takes a while. */
const MOST_MODELS = 10_000

const TOO_MANY = `the models list has more than ${MOST_MODELS} models; name those to use in "models"`

/** The provider's whole list with this key. A public list succeeds with any key and proves nothing. */
export async function listModels(connection: Connection, tools: JsonTools): Promise<ListResult> {
  const list = connection.spec.modelsList
  if (list === null) return { ok: true, models: [] }
  const models = new Map<string, ListedModel>()
  let refused = 0
  let path = list.path
  for (let page = 0; page < MAX_PAGES; page++) {
    const answer = await requestJson(connection, 'GET', path, tools)
    if (!answer.ok) return answer
    const read = readModelsPage(answer.body, list.shape, connection.spec)
    if (read === null)
      return {
        ok: false,
        failure: { kind: 'server', status: answer.status, message: `no models list: ${saidBy(answer.body, tools)}` },
      }
    const known = read.models.filter(({ id }) => tools.hide(id) === id)
    refused += read.refused + read.models.length - known.length
    for (const model of known) models.set(model.id, model)
    if (models.size > MOST_MODELS)
      return { ok: false, failure: { kind: 'server', status: answer.status, message: TOO_MANY } }
    if (read.next === null || read.models.length === 0) break
    path = /^https?:|^\//.test(read.next)
      ? samePlace(connection, list.path, read.next)
      : withQuery(list.path, read.next)
  }
  return { ok: true, models: [...models.values()], ...(refused > 0 && { refused }) }
}

/** What an answer that is no list says, such as the error text of a server that answers every path with 200. */
function saidBy(body: unknown, { redact }: JsonTools): string {
  const record = asRecord(body)
  const error = record?.['error'] ?? record?.['message']
  const text = asString(error) ?? asString(asRecord(error)?.['message'])
  return text === undefined ? 'the answer has an unknown shape' : printable(redact(text).slice(0, 200))
}

/** Proves the key where the provider has a call for that; costs no quota. */
export async function checkKey(connection: Connection, tools: JsonTools): Promise<KeyCheckResult> {
  const check = connection.spec.keyCheck
  if (check === 'call' || check === 'none') return { state: 'unproven' }
  const answer = await requestJson(connection, check.method, check.path, tools)
  if (!answer.ok)
    return isRouteOnly(answer.failure) ? { state: 'unproven' } : { state: 'refused', failure: answer.failure }
  return { state: 'valid', facts: keyFacts(answer.body, connection, tools.now()), limits: answer.limits }
}

/** A key that may not list models, or not see its account, can still be good for calls. */
function isRouteOnly(failure: Failure): boolean {
  return failure.kind === 'auth_forbidden' && failure.routeOnly === true
}

/** The models a local server holds in memory; null when it does not say. */
export async function loadedModels(connection: Connection, tools: JsonTools): Promise<ReadonlySet<string> | null> {
  const path = connection.spec.loadedList
  if (path === undefined) return null
  const answer = await requestJson(connection, 'GET', path, tools)
  const models = answer.ok ? asArray(asRecord(answer.body)?.['models']) : undefined
  return models === undefined ? null : new Set(models.flatMap((model) => asString(asRecord(model)?.['name']) ?? []))
}

function keyFacts(body: unknown, { spec }: Connection, now: number): KeyFacts {
  const whole = asRecord(body) ?? {}
  const data = asRecord(whole['data']) ?? whole
  const free = asRecord(data['free_model_daily_requests'])
  const source = spec.balance?.find(({ path }) => typeof spec.keyCheck === 'object' && path === spec.keyCheck.path)
  const { credits, available } = source === undefined ? NOTHING_TOLD : readBalance(body, source, now)
  const usd = credits.find(({ currency }) => currency === 'USD')
  return {
    creditLeftUsd: usd === undefined ? null : nanoToUsd(usd.left),
    // A key with credit left of its own limit may still share an empty account.
    hasCredit: available ?? (usd !== undefined && usd.left <= 0 ? false : null),
    freeTier: typeof data['is_free_tier'] === 'boolean' ? data['is_free_tier'] : null,
    freeRequestsLeftToday: asNumber(free?.['remaining']) ?? null,
  }
}

const NOTHING_TOLD: ToldBalance = { credits: [], available: null }

/** A page the provider itself names, never on another host: the key travels with it. */
function samePlace(connection: Connection, listPath: string, next: string): string {
  const list = resolvePath(connection, listPath)
  const url = new URL(next, list.origin)
  if (url.origin !== list.origin) return listPath
  return /^https?:/.test(listPath) ? url.href : url.pathname.slice(connection.basePath.length) + url.search
}

function withQuery(path: string, query: string): string {
  return path + (path.includes('?') ? '&' : '?') + query
}
