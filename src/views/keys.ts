/** `keys list --json` and `GET /api/keys`: every key, masked, with what is known of it. Never the key. */

import { isoOrNull } from '../domain/isoTime.ts'
import { asNumber, asRecord } from '../domain/json.ts'
import type { Park } from '../domain/park.ts'
import { maskKey } from '../domain/redact.ts'
import type { EngineReader } from '../engine/reader.ts'
import type { CheckedKey } from '../engine/targets/keyChecks.ts'
import type { Credential } from '../engine/targets/targetRegistry.ts'
import { nanoToUsd } from '../money/amount.ts'
import { type Difference, differencesOf } from './differences.ts'
import { type ParkedView, parkedView } from './status.ts'

/** `valid`: it answered, or a free check proved it. `unproven`: nobody knows yet. */
type KeyState = 'valid' | 'refused' | 'parked' | 'unproven'

export interface KeyRow {
  readonly provider: string
  /** 1-based. */
  readonly keyIndex: number
  /** `gsk_…a1b2`; null for a provider that takes none. */
  readonly key: string | null
  readonly label: string | null
  /** Keys of the same account share one quota; null when the key stands alone. */
  readonly account: string | null
  /** Where it was found: `config/api-keys.json groq.api_key`, `env GROQ_API_KEY`. */
  readonly source: string
  /** Its name in the vault; null for a key that is not there. */
  readonly vault: string | null
  /** Since when the vault has it, or since when it is known here. */
  readonly since: string | null
  /** The last call with it, answered or not. */
  readonly lastUsed: string | null
  /** Other entries of the configuration with the very same key, such as `my-llm#1`. */
  readonly sameKeyAs: readonly string[]
  /** Other keys of the same account, which share its quota. */
  readonly sharesAccountWith: readonly string[]
  readonly state: KeyState
  /** For people: why it is refused or parked. */
  readonly reason: string | null
  readonly parked: ParkedView | null
  readonly lastSuccess: string | null
  /** When a free check last asked the provider about it. */
  readonly checkedAt: string | null
  /** As its provider told it last; null where it tells none in USD. */
  readonly creditLeftUsd: number | null
  readonly freeRequestsLeftToday: number | null
  /** How many targets stand on it. */
  readonly targets: number
  /** Where it was seen to do something else than is published. */
  readonly differences: readonly Difference[]
}

interface KeysView {
  readonly generatedAt: string
  readonly keys: readonly KeyRow[]
}

export function keysView(engine: EngineReader): KeysView {
  const { now, registry } = engine
  return {
    generatedAt: new Date(now).toISOString(),
    keys: registry.credentials.map((credential) => keyRow(engine, credential, now)),
  }
}

export function keyRow(engine: EngineReader, credential: Credential, now: number): KeyRow {
  const { provider, key, fingerprint } = credential
  const own = engine.registry.targets.filter((one) => one.provider === provider.id && one.fingerprint === fingerprint)
  const park = parkOf(engine, credential, now)
  const checked = engine.checks.last(credential)
  const lastSuccess = lastSuccessOf(engine, credential)
  const secret = key.secret.reveal()
  return {
    provider: provider.id,
    keyIndex: key.index,
    key: secret === '' ? null : maskKey(secret),
    label: key.label ?? null,
    account: key.account ?? null,
    source: key.source,
    vault: key.vault?.name ?? null,
    since: key.vault?.since ?? isoOrNull(firstSeen(engine, credential)),
    lastUsed: isoOrNull(lastUsedOf(engine, credential)),
    ...relatives(engine, credential),
    ...stateOf(park, checked, lastSuccess),
    parked: park === undefined ? null : parkedView(park),
    lastSuccess: isoOrNull(lastSuccess),
    checkedAt: isoOrNull(checked?.at),
    creditLeftUsd: creditLeftOf(engine, credential, checked),
    freeRequestsLeftToday: checked?.freeRequestsLeftToday ?? null,
    targets: own.length,
    differences: own.flatMap((target) => differencesOf(engine, target)),
  }
}

/** The store's collection of when keys were first seen, by `keyId`. */
export const FIRST_SEEN = 'key-first-seen'

export function keyId({ provider, fingerprint }: Pick<Credential, 'provider' | 'fingerprint'>): string {
  return `${provider.id}@${fingerprint}`
}

function firstSeen({ store }: EngineReader, credential: Credential): number | null {
  return asNumber(asRecord(store.getDoc(FIRST_SEEN, keyId(credential)))?.['at']) ?? null
}

function relatives({ registry }: EngineReader, own: Credential): Pick<KeyRow, 'sameKeyAs' | 'sharesAccountWith'> {
  const others = registry.credentials.filter((one) => one !== own)
  const named = (some: readonly Credential[]) => some.map(({ provider, key }) => `${provider.id}#${key.index}`)
  const hasKey = own.key.secret.reveal() !== ''
  return {
    sameKeyAs: named(others.filter((one) => hasKey && one.fingerprint === own.fingerprint)),
    sharesAccountWith: named(
      others.filter((one) => one.account === own.account && one.fingerprint !== own.fingerprint),
    ),
  }
}

/** Of all its models, the time of the last answer or failure. */
function lastUsedOf({ learned }: EngineReader, { provider, fingerprint }: Credential): number | null {
  let last: number | null = null
  for (const row of learned.tally.rows()) {
    if (row.provider !== provider.id || row.fingerprint !== fingerprint) continue
    for (const at of [row.lastSuccess, row.lastError?.at ?? null]) if (at !== null && at > (last ?? 0)) last = at
  }
  return last
}

function stateOf(
  park: Park | undefined,
  checked: CheckedKey | null,
  lastSuccess: number | null,
): { readonly state: KeyState; readonly reason: string | null } {
  if (park !== undefined) return { state: park.reason === 'auth_invalid' ? 'refused' : 'parked', reason: park.text }
  if (checked?.state === 'refused' && checked.at > (lastSuccess ?? 0))
    return { state: 'refused', reason: checked.message }
  return { state: lastSuccess !== null || checked?.state === 'valid' ? 'valid' : 'unproven', reason: null }
}

/** The least of its own limit and of its account's credit, where that was told since the key was checked. */
function creditLeftOf({ credits }: EngineReader, credential: Credential, checked: CheckedKey | null): number | null {
  const amounts = credits.questions([credential]).flatMap((question) => {
    const known = credits.last(question)
    const usd = known?.credits.find(({ currency }) => currency === 'USD')
    return usd === undefined || (known?.at ?? 0) < (checked?.at ?? 0) ? [] : [nanoToUsd(usd.left)]
  })
  return amounts.length > 0 ? Math.min(...amounts) : (checked?.creditLeftUsd ?? null)
}

/** The park of the key itself or of its account; a refused key stays refused until something proves it. */
function parkOf(
  { learned }: EngineReader,
  { provider, fingerprint, account }: Credential,
  now: number,
): Park | undefined {
  const { parks } = learned
  const isOurs = ({ scope, target }: Park) =>
    target.provider === provider.id &&
    ((scope === 'key' && target.fingerprint === fingerprint) || (scope === 'account' && target.account === account))
  return (
    parks.list(now).findLast(isOurs) ??
    parks.awaiting(now).find((park) => park.reason === 'auth_invalid' && isOurs(park))
  )
}

function lastSuccessOf({ learned }: EngineReader, { provider, fingerprint }: Credential): number | null {
  let last: number | null = null
  for (const row of learned.tally.rows()) {
    if (row.provider !== provider.id || row.fingerprint !== fingerprint || row.lastSuccess === null) continue
    if (last === null || row.lastSuccess > last) last = row.lastSuccess
  }
  return last
}
