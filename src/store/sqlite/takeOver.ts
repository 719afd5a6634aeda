/** Stores what a killed process left in its journal. Every row has an id that the store keeps once, so that it may come twice. */

import type { AttemptEvent, BegunCall, InterruptedCalls } from '../../domain/store.ts'
import type { LeftBehind } from '../journal/leftBehind.ts'
import { parseStored } from './documents.ts'
import type { SqliteFile } from './file.ts'

/** The documents that say what was interrupted, by the origin of the process. */
export const INTERRUPTED = 'interrupted'
/** How long they are kept. */
const KEPT_MS = 7 * 86_400_000

/** Call inside a transaction. Returns the calls that were under way; null for none that were not known. */
export function takeOver(file: SqliteFile, left: LeftBehind, now: number): InterruptedCalls | null {
  file.holdings.write(left.holdings.filter(({ id, at }) => (file.holdings.find(id)?.at ?? at) <= at))
  file.log.insert(left.events)
  // Of a process that may live, what is under way may still end otherwise.
  if (left.owner !== 'dead') return null
  file.log.insert(left.undecided)
  const begun = left.begun.filter(({ id }) => file.log.find(id) === undefined)
  file.log.insert(begun.map((call) => interruptedAttempt(call, left)))
  if (begun.length === 0) return null
  const interrupted = sumOf(begun)
  file.drawers.setDoc(INTERRUPTED, left.origin, JSON.stringify(interrupted))
  forgetOld(file, now)
  return interrupted
}

/** Nobody's failure: it says nothing about the target, and it may have been billed. */
function interruptedAttempt(call: BegunCall, { origin, lastAt }: LeftBehind): AttemptEvent {
  const { mostNanoUsd, ...known } = call
  return {
    kind: 'attempt',
    ...known,
    origin,
    at: lastAt,
    latencyMs: Math.max(0, lastAt - call.startedAt),
    firstTokenMs: null,
    ok: false,
    failure: { kind: 'client_gone', status: null, message: 'keywise was killed before the answer was complete' },
    notCharged: true,
    usage: null,
    costNanoUsd: mostNanoUsd === 0 ? 0 : null,
    ...(mostNanoUsd !== null && mostNanoUsd > 0 && { costRange: { atLeast: 0, atMost: mostNanoUsd } }),
    priceSource: null,
    limits: [],
  }
}

function sumOf(begun: readonly BegunCall[]): InterruptedCalls {
  const starts = begun.map(({ startedAt }) => startedAt)
  return {
    calls: begun.length,
    firstAt: starts.reduce((first, at) => Math.min(first, at), Number.POSITIVE_INFINITY),
    lastAt: starts.reduce((last, at) => Math.max(last, at), 0),
    mostNanoUsd: begun.reduce((sum, { mostNanoUsd }) => sum + (mostNanoUsd ?? 0), 0),
    unpriced: begun.filter(({ mostNanoUsd }) => mostNanoUsd === null).length,
  }
}

function forgetOld(file: SqliteFile, now: number): void {
  for (const [origin, text] of file.drawers.listDocs(INTERRUPTED)) {
    if (now - (readInterrupted(parseStored(text))?.lastAt ?? 0) > KEPT_MS)
      file.drawers.setDoc(INTERRUPTED, origin, undefined)
  }
}

/** Undefined for a document of another form. */
export function readInterrupted(value: unknown): InterruptedCalls | undefined {
  const known = value as InterruptedCalls | undefined // its fields are checked
  const numbers = [known?.calls, known?.firstAt, known?.lastAt, known?.mostNanoUsd, known?.unpriced]
  return numbers.every((number) => typeof number === 'number') ? known : undefined
}
