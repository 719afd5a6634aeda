/**
 * What can be learned for free before any call: each key's models list and validity, and the models a local server
 * holds.
 */

import type { Failure } from '../domain/failure.ts'
import type { Engine } from '../engine/engine.ts'
import type { Credential } from '../engine/targets/targetRegistry.ts'
import { checkKey, type KeyCheckResult, type ListResult, loadedModels } from '../upstream/discovery/discover.ts'
import type { ListedModel } from '../upstream/discovery/modelsList.ts'
import type { JsonTools } from '../upstream/requestJson.ts'

/** What was learned about one key. */
export interface Survey {
  readonly credential: Credential
  /** The provider's current list; null when it has none or gave none. */
  readonly list: readonly ListedModel[] | null
  /** One failure that decides all targets of the key: a refused key, or an unreachable host. */
  readonly refusal: SurveyRefusal | null
  /** Why there is no list although the key may be good. */
  readonly listFailure: Failure | null
  /** A free check accepted the key. */
  readonly proven: boolean
  /** Models held in memory; null where the server does not report them. */
  readonly loaded: ReadonlySet<string> | null
  /** Null where the key check does not report it. */
  readonly freeRequestsLeft: number | null
  /** Epoch milliseconds at which the survey began. */
  readonly startedAt: number
}

interface SurveyRefusal {
  readonly failure: Failure
  /** Names the cause: `key groq@…` or `host groq`. */
  readonly id: string
}

const RETRY_AFTER_MS = 250

/** Surveys all keys in parallel. Provider failures never throw. */
export function surveyAll(
  engine: Engine,
  credentials: readonly Credential[],
  tools: JsonTools,
): Promise<readonly Survey[]> {
  return Promise.all(credentials.map((credential) => surveyCredential(engine, credential, tools)))
}

async function surveyCredential(engine: Engine, credential: Credential, tools: JsonTools): Promise<Survey> {
  const startedAt = engine.now
  const [listed, checked, loaded] = await Promise.all([
    readList(engine, credential, tools.signal),
    proveKey(credential, tools),
    loadedModels(credential.connection, tools),
  ])
  const hasList = credential.connection.spec.modelsList !== null
  return {
    credential,
    list: listed.ok && hasList ? listed.models : null,
    refusal: refusalOf(credential, listed, checked),
    listFailure: listed.ok ? null : listed.failure,
    proven: checked?.state === 'valid' || (listed.ok && provesKey(credential)),
    loaded,
    freeRequestsLeft: checked?.state === 'valid' ? checked.facts.freeRequestsLeftToday : null,
    startedAt,
  }
}

/** A transient connection failure is retried once before thirty targets are judged by it. */
async function readList(engine: Engine, credential: Credential, signal: AbortSignal | undefined): Promise<ListResult> {
  if (credential.connection.spec.modelsList === null) return { ok: true, models: [] }
  const first = await engine.lists.readNow(credential, signal)
  if (first.ok || !PASSING.has(first.failure.kind)) return first
  await engine.sleep(RETRY_AFTER_MS, signal)
  return engine.lists.readNow(credential, signal)
}

const PASSING: ReadonlySet<Failure['kind']> = new Set(['network', 'server', 'overloaded'])

/** Needed only where the list does not itself prove the key. */
async function proveKey(credential: Credential, tools: JsonTools): Promise<KeyCheckResult | null> {
  return provesKey(credential) ? null : checkKey(credential.connection, tools)
}

function provesKey({ connection }: Credential): boolean {
  return connection.spec.modelsList?.public === false
}

function refusalOf(credential: Credential, listed: ListResult, checked: KeyCheckResult | null): SurveyRefusal | null {
  const failures = [...(checked?.state === 'refused' ? [checked.failure] : []), ...(listed.ok ? [] : [listed.failure])]
  // A key that the provider's own check accepts is good, whatever its list answers.
  const refused = checked?.state === 'valid' ? undefined : failures.find((failure) => failure.kind === 'auth_invalid')
  if (refused !== undefined) return { failure: refused, id: `key ${credential.provider.id}@${credential.fingerprint}` }
  const away = failures.find(isUnreachable)
  // A host that answered either request is reachable.
  const answered = checked?.state === 'valid' || (listed.ok && credential.connection.spec.modelsList !== null)
  return away === undefined || answered ? null : { failure: away, id: `host ${credential.provider.id}` }
}

function isUnreachable(failure: Failure): boolean {
  if (failure.kind === 'network') return failure.started !== true
  if (failure.kind === 'timeout') return failure.phase === 'connect'
  return failure.kind === 'auth_forbidden' && failure.hostBlocked === true
}
