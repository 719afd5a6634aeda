/**
 * Who holds what requests name by its id: stored responses, message threads, files, containers. The store remembers it
 * for the token that asked, so that it is known after a restart and to every process of the store.
 */

import { hash } from 'node:crypto'
import { type Target, targetId } from '../../domain/target.ts'
import type { Engine } from '../../engine/engine.ts'
import type { Credential } from '../../engine/targets/targetRegistry.ts'

/** `answer`: an upstream's own; `object`: what was given to it; `made`: what it made for any token. */
type Kind = 'answer' | 'object' | 'made'

/** A key that holds something; `credential` is undefined where the configuration has neither it nor its account any more. */
interface Holder {
  readonly credential: Credential | undefined
  /** The id of the target that answered, as it is called now. */
  readonly target: string
}

/** Undefined for what was never seen here, and for what another token asked for. */
export function holderOf({ store, registry }: Engine, kind: Kind, id: string, caller: string): Holder | undefined {
  const holding = store.holding(rowOf(kind, id, caller))
  if (holding === undefined) return undefined
  const { provider, model, fingerprint, account } = holding
  const credential =
    registry.findCredential(provider, fingerprint) ??
    registry.credentials.find((other) => other.provider.id === provider && other.account === account)
  return { credential, target: targetId(provider, model, credential?.key.index ?? 0) }
}

/** The target answered with the thing, or for it. */
export function recordHolder({ store, now }: Engine, kind: Kind, id: string, caller: string, target: Target): void {
  const { provider, model, fingerprint, account } = target
  store.recordHolding({ id: rowOf(kind, id, caller), at: now, provider, model, fingerprint, account })
}

/** An answer made it, so that it is its token's alone. */
export function recordMaking(engine: Engine, id: string, target: Target): void {
  recordHolder(engine, 'made', id, ANYBODY, target)
}

/** Whether another token asked for what the id names. What was made elsewhere is open to all, like its key. */
export function isAnothers(engine: Engine, kind: Kind, id: string, caller: string): boolean {
  const isMade = engine.store.holding(rowOf('made', id, ANYBODY)) !== undefined
  return isMade && engine.store.holding(rowOf(kind, id, caller)) === undefined
}

/** No token has this name. */
const ANYBODY = ''

const rowOf = (kind: Kind, id: string, caller: string) =>
  hash('sha256', JSON.stringify([kind, id, caller]), 'base64url').slice(0, 24)
