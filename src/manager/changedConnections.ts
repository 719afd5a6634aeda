/**
 * Ends the parks that a mistake in the configuration caused, once it is corrected: a refused key, an unknown model, an
 * unreachable host say nothing about another address, account or setting of the same key. How each key was connected is
 * kept in the store, because the correction usually comes between two runs of the command line.
 */

import { fingerprint } from '../config/fingerprint.ts'
import type { FailureKind } from '../domain/failure.ts'
import { PARK_RULES, type Park } from '../domain/park.ts'
import type { Engine } from '../engine/engine.ts'
import type { Credential } from '../engine/targets/targetRegistry.ts'

const COLLECTION = 'connections'

/** What another configuration of the key disproves. Limits are left: they may be those of the same account. */
const MISTAKEN = (Object.keys(PARK_RULES) as FailureKind[]).filter((kind) => {
  const streak = PARK_RULES[kind]?.streak
  return streak !== undefined && !['rate_minute', 'quota_day', 'zero_quota', 'in_flight_budget'].includes(streak)
})

/** Compares how each key is connected with how it was, and lifts the parks of those that changed. */
export function liftChanged(engine: Engine, salt: string): void {
  const { registry, store } = engine
  const news: [name: string, connection: string][] = []
  for (const credential of registry.credentials) {
    const name = `${credential.provider.id}@${credential.fingerprint}`
    const connection = connectionOf(credential, salt)
    const known = store.getDoc(COLLECTION, name)
    if (known === connection) continue
    news.push([name, connection])
    if (known !== undefined) lift(engine, credential)
  }
  if (news.length > 0) store.setDocs(COLLECTION, news)
}

/** Hashed, because headers may hold secrets. */
function connectionOf({ provider: { spec }, key, connection: { origin, basePath } }: Credential, salt: string): string {
  const { dialect, auth, headers } = spec
  return fingerprint(JSON.stringify([origin, basePath, dialect, auth, headers, key.account, key.free]), salt)
}

function lift(engine: Engine, credential: Credential): void {
  const { parks } = engine.learned
  const { now } = engine
  for (const park of [...parks.list(now), ...parks.awaiting(now)])
    if (MISTAKEN.includes(park.reason) && concerns(park, credential)) engine.lift(park.target, MISTAKEN)
}

function concerns({ scope, target }: Park, { provider, fingerprint, account }: Credential): boolean {
  if (target.provider !== provider.id) return false
  if (scope === 'provider' || scope === 'provider+model') return true
  return target.fingerprint === fingerprint || (scope === 'account' && target.account === account)
}
