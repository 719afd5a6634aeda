/** The one line or command that mends it when nothing could be called: the last part of the error's message. */

import type { FailureKind } from '../domain/failure.ts'
import type { Target } from '../domain/target.ts'
import type { EngineReader } from './reader.ts'

/** Why a target did not answer. */
export interface Cause {
  readonly target: Target
  readonly kind: FailureKind
  /** It is about this host or region rather than about the key. */
  readonly hostBlocked: boolean
  /** The upstream or its calendar stated when it ends. */
  readonly stated: boolean
}

const AGAIN = 'mended already? run "keywise keys retest"'

/** What a person can mend comes first; the most of them are in the way of every request. */
const MENDING: readonly (readonly [
  kinds: readonly FailureKind[],
  advice: (engine: EngineReader, cause: Cause) => string,
])[] = [
  [['auth_invalid'], newKey],
  [['billing'], credit],
  [['auth_forbidden'], permission],
  [['model_not_found', 'zero_quota'], otherModel],
  [['network'], (engine, { target }) => `${hostOf(engine, target)} could not be reached: ${AGAIN}`],
]

/** Null when only time helps, and the time is known. */
export function mendingAdvice(engine: EngineReader, causes: readonly Cause[]): string | null {
  for (const [kinds, advice] of MENDING) {
    const cause = causes.find(({ kind }) => kinds.includes(kind))
    if (cause !== undefined) return advice(engine, cause)
  }
  return causes.some(({ stated }) => !stated) ? AGAIN : null
}

function newKey(engine: EngineReader, { target }: Cause): string {
  const { key, provider } = engine.registry.credentialOf(target)
  return `${provider.spec.name} refuses its key: replace ${key.source}${at(provider.spec.keysUrl)}; ${AGAIN}`
}

function credit(engine: EngineReader, { target }: Cause): string {
  const { key, provider } = engine.registry.credentialOf(target)
  return `the account of ${key.source} has no credit: add some${at(provider.spec.keysUrl)}; ${AGAIN}`
}

function permission(engine: EngineReader, { target, hostBlocked }: Cause): string {
  const { key, provider } = engine.registry.credentialOf(target)
  if (hostBlocked)
    return `${provider.spec.name} refuses this host or region: use another network, or set HTTPS_PROXY; ${AGAIN}`
  return `${key.source} may not use ${target.model}: allow it in the account${at(provider.spec.keysUrl)}; ${AGAIN}`
}

function otherModel(engine: EngineReader, { target }: Cause): string {
  return `${addressAdvice(engine, target)}; ${AGAIN}`
}

/** Where a target is looked for, and where both its name and the address are written. */
export function addressAdvice(engine: Pick<EngineReader, 'registry'>, target: Target): string {
  const { key, provider } = engine.registry.credentialOf(target)
  return `${provider.spec.name} does not serve ${target.model} at ${hostOf(engine, target)}: correct its "models" or its address beside ${key.source}`
}

function hostOf(engine: Pick<EngineReader, 'registry'>, target: Target): string {
  const { connection } = engine.registry.credentialOf(target)
  return `${connection.origin}${connection.basePath}`
}

const at = (url: string | undefined) => (url === undefined ? '' : ` at ${url}`)
