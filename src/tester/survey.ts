/** What can be learned for free before any call: every key's models list, whether the key is good, what a local server holds. */

import type { Failure } from '../domain/failure.ts'
import type { Engine } from '../engine/engine.ts'
import type { Seat } from '../engine/targets/targetRegistry.ts'
import {
  checkKey,
  type DiscoverTools,
  type KeyCheckResult,
  type ListResult,
  loadedModels,
} from '../upstream/discovery/discover.ts'
import type { ListedModel } from '../upstream/discovery/modelsList.ts'

/** What was found out about one key. */
export interface Survey {
  readonly seat: Seat
  /** The list as the provider gave it now; null when it has none or gave none. */
  readonly list: readonly ListedModel[] | null
  /** One failure that decides all targets of the key: refused, or a host that cannot be reached. */
  readonly refusal: Refusal | null
  /** Why there is no list although the key may be good. */
  readonly listFailure: Failure | null
  /** The key was proved for free. */
  readonly proven: boolean
  /** Models held in memory; null where nobody says. */
  readonly loaded: ReadonlySet<string> | null
  /** Null where the key check does not tell. */
  readonly freeRequestsLeft: number | null
  /** Epoch milliseconds at which the asking began. */
  readonly startedAt: number
}

export interface Refusal {
  readonly failure: Failure
  /** Names the cause: `key groq@…` or `host groq`. */
  readonly id: string
}

const RETRY_AFTER_MS = 250

/** Asks all keys at once. Never throws for what providers do. */
export function surveyAll(engine: Engine, seats: readonly Seat[], tools: DiscoverTools): Promise<readonly Survey[]> {
  return Promise.all(seats.map((seat) => surveySeat(engine, seat, tools)))
}

async function surveySeat(engine: Engine, seat: Seat, tools: DiscoverTools): Promise<Survey> {
  const startedAt = engine.now
  const [listed, checked, loaded] = await Promise.all([
    readList(engine, seat, tools.signal),
    proveKey(seat, tools),
    loadedModels(seat.connection, tools),
  ])
  const hasList = seat.connection.spec.modelsList !== null
  return {
    seat,
    list: listed.ok && hasList ? listed.models : null,
    refusal: refusalOf(seat, listed, checked),
    listFailure: listed.ok ? null : listed.failure,
    proven: checked?.state === 'valid' || (listed.ok && provesKey(seat)),
    loaded,
    freeRequestsLeft: checked?.state === 'valid' ? checked.facts.freeRequestsLeftToday : null,
    startedAt,
  }
}

/** A hiccup of the connection gets a second chance before thirty targets are judged by it. */
async function readList(engine: Engine, seat: Seat, signal: AbortSignal | undefined): Promise<ListResult> {
  if (seat.connection.spec.modelsList === null) return { ok: true, models: [] }
  const first = await engine.parts.lists.readNow(seat, signal)
  if (first.ok || !PASSING.has(first.failure.kind)) return first
  await engine.parts.sleep(RETRY_AFTER_MS, signal)
  return engine.parts.lists.readNow(seat, signal)
}

const PASSING: ReadonlySet<Failure['kind']> = new Set(['network', 'server', 'overloaded'])

/** Only where the list does not prove the key itself. */
async function proveKey(seat: Seat, tools: DiscoverTools): Promise<KeyCheckResult | null> {
  return provesKey(seat) ? null : checkKey(seat.connection, tools)
}

function provesKey({ connection }: Seat): boolean {
  return connection.spec.modelsList?.public === false
}

function refusalOf(seat: Seat, listed: ListResult, checked: KeyCheckResult | null): Refusal | null {
  const failures = [...(checked?.state === 'refused' ? [checked.failure] : []), ...(listed.ok ? [] : [listed.failure])]
  const refused = failures.find((failure) => failure.kind === 'auth_invalid')
  if (refused !== undefined) return { failure: refused, id: `key ${seat.provider.id}@${seat.fingerprint}` }
  const away = failures.find(isUnreachable)
  // A host that answered one of the two questions can be reached.
  const answered = checked?.state === 'valid' || (listed.ok && seat.connection.spec.modelsList !== null)
  return away === undefined || answered ? null : { failure: away, id: `host ${seat.provider.id}` }
}

function isUnreachable(failure: Failure): boolean {
  if (failure.kind === 'network') return failure.started !== true
  if (failure.kind === 'timeout') return failure.phase === 'connect'
  return failure.kind === 'auth_forbidden' && failure.hostBlocked === true
}
