/** From a provider entry of the file to what the engine works with: the provider, its keys, its models. */

import { Secret } from '../domain/redact.ts'
import type { Contract } from '../money/contract.ts'
import type { ProviderSpec } from '../providers/provider.ts'
import type { KeyBudget, ModelEntry } from './blockSchema.ts'
import { adjustedProvider, customProvider, type Overrides } from './customProvider.ts'
import { type Endpoint, readEndpoint } from './endpoint.ts'
import { hasAddress, keysFromEnvironment } from './environment.ts'
import { meant, type PlacedKey, type ProviderEntry } from './keysFile.ts'
import { complain, type Remarks } from './remarks.ts'
import { readSecret, type Surroundings } from './secrets.ts'
import type { Path } from './showPath.ts'
import { showPath } from './showPath.ts'
import { addressFor, type VaultUse, vaultName } from './vault/vaultLookup.ts'

export interface ProviderConfig {
  readonly id: string
  /** With the configuration's endpoint, dialect and headers applied; synthesized for a provider of the user's own. */
  readonly spec: ProviderSpec
  /** Never empty. A provider that needs no key has one with an empty secret, and `spec.auth` is `none`. */
  readonly keys: readonly KeyConfig[]
  /**
   * Exactly these; `discover`: the provider's whole list; `default`: the whole list where it is short, else the picks.
   */
  readonly models: readonly ModelConfig[] | 'discover' | 'default'
}

export interface KeyConfig {
  /** 1-based position in the configuration; a key dropped as a duplicate leaves a gap. */
  readonly index: number
  readonly secret: Secret
  readonly label?: string
  /** Keys with the same account share one quota. */
  readonly account?: string
  /** Whether calls are free, as stated by the user; undefined when not stated. */
  readonly free?: boolean
  /** Default 1. */
  readonly weight: number
  readonly budget?: KeyBudget
  /** Rules such as `22-06 Europe/Madrid`; the key may be used when any of them matches. */
  readonly hours?: readonly string[]
  /** What its account agreed with the provider. */
  readonly contract?: Contract
  /** Where it came from the vault: its name there, and since when (ISO 8601) the vault has it. */
  readonly vault?: { readonly name: string; readonly since: string }
  /** `config/api-keys.json groq.api_key`, or `env GROQ_API_KEY`. */
  readonly source: string
}

export type ModelConfig = Exclude<ModelEntry, string>

export interface Context {
  readonly remarks: Remarks
  readonly around: Surroundings
  /** Ids of the known providers, to suggest the nearest name. */
  readonly names: readonly string[]
  readonly warn: (message: string) => void
}

/** A key as found, before duplicates are dropped. */
interface FoundKey {
  readonly value: string
  readonly path?: Path
  readonly source: string
  readonly settings: PlacedKey['settings']
  readonly vault?: KeyConfig['vault']
}

/** The provider of one entry of the file; undefined, with a remark, when it has no key. Throws ConfigError. */
export function providerFrom(entry: ProviderEntry, context: Context): ProviderConfig | undefined {
  const { remarks } = context
  const endpoint = endpointOf(entry, context)
  const keys = keysOf(entry, endpoint, context)
  const keyless = keys.length === 0 && (endpoint !== undefined || entry.known?.auth === 'none')
  if (keys.length === 0 && !keyless) {
    remarks.add(entry.path, `has no key and is left out; ${keyAdvice(entry.known)}`)
    return undefined
  }
  const spec = specOf(entry, endpoint, keyless)
  checkAddresses(spec, keys, context)
  remarkOn(spec, entry, endpoint, keyless, remarks)
  return {
    id: entry.id,
    spec,
    keys: keyless ? [noKey(entry, remarks)] : withoutDuplicates(keys, context),
    models: modelsOf(entry.models),
  }
}

/** A known provider with its keys from the environment; undefined when there are none. */
export function providerFromEnvironment(spec: ProviderSpec, context: Context): ProviderConfig | undefined {
  const keys = fromVariables(spec, context)
  if (keys.length === 0) return undefined
  return { id: spec.id, spec, keys: withoutDuplicates(keys, context), models: 'default' }
}

function endpointOf(entry: ProviderEntry, { remarks, names }: Context): Extract<Endpoint, { ok: true }> | undefined {
  if (!entry.endpoint) {
    if (entry.known) return undefined
    const advice = 'correct the name, or add "endpoint" (and "dialect") for a server of your own'
    throw complain(remarks.document, entry.path, `is not a provider keywise knows${meant(entry.id, names)}; ${advice}`)
  }
  const endpoint = readEndpoint(entry.endpoint.text, entry.known)
  if (!endpoint.ok) throw complain(remarks.document, entry.endpoint.path, endpoint.why)
  return endpoint.url === entry.known?.baseUrl ? undefined : endpoint
}

/**
 * The keys of the block; if it has none, those of the environment, unless they would go to an address the user gave.
 */
function keysOf(entry: ProviderEntry, endpoint: { url: string } | undefined, context: Context): readonly FoundKey[] {
  const moved = endpoint !== undefined
  const use = { provider: entry.id, address: addressFor(moved ? endpoint.url : null, entry.headers) }
  const placed = entry.keys.filter(({ value }) => value.trim().toLowerCase() !== 'none')
  if (placed.length > 0) return placed.map((key) => fromFile(key, use, context))
  const useless = entry.keys[0]
  if (useless && entry.known && entry.known.auth !== 'none' && !moved)
    throw complain(context.remarks.document, useless.path, `is "none", but ${entry.known.name} needs a key`)
  return entry.known && !moved && !useless ? fromVariables(entry.known, context) : []
}

function fromFile(
  { value, path, accountId, settings }: PlacedKey,
  use: VaultUse,
  { remarks, around }: Context,
): FoundKey {
  const key = readSecret({ value, path, use }, remarks.document, around)
  const secret = accountId === undefined || key.includes(':') ? key : `${accountId}:${key}`
  const name = vaultName(value)
  const since = name === null ? undefined : around.vault.find(name)?.createdAt
  if (/^(?:<.*>|your[-_ ].*|.*\.\.\.)$/i.test(secret)) remarks.add(path, 'looks like a placeholder, not like a key')
  return {
    value: secret,
    path,
    source: `${remarks.document.name} ${showPath(path)}`,
    settings,
    ...(name !== null && since !== undefined && { vault: { name, since } }),
  }
}

function fromVariables(spec: ProviderSpec, { around, warn }: Context): readonly FoundKey[] {
  return keysFromEnvironment(spec, around.env, warn).map((key) => ({ ...key, settings: {} }))
}

function specOf(entry: ProviderEntry, endpoint: { url: string; private: boolean } | undefined, keyless: boolean) {
  const local = entry.local ?? (keyless && endpoint?.private && !hasPrice(entry.models) ? true : undefined)
  const overrides: Overrides = {
    keyless,
    ...(endpoint && { baseUrl: endpoint.url }),
    ...dialectOf(entry, endpoint?.url),
    ...(entry.headers && { headers: entry.headers }),
    ...(local !== undefined && { local }),
    ...(entry.balance && { balance: entry.balance }),
    privateAddress: entry.local !== false && endpoint?.private === true,
  }
  return entry.known
    ? adjustedProvider(entry.known, overrides)
    : customProvider(entry.id, endpoint?.url ?? '', overrides)
}

/** The URL on Google's page about OpenAI compatibility ends in `/openai` and speaks that dialect. */
function dialectOf(entry: ProviderEntry, url: string | undefined): Pick<Overrides, 'dialect' | 'alsoSpeaks'> {
  const [dialect, ...alsoSpeaks] = entry.dialects ?? []
  if (dialect) return { dialect, alsoSpeaks }
  return entry.known?.dialect === 'google' && url?.endsWith('/openai') ? { dialect: 'openai' } : {}
}

function hasPrice(models: ProviderEntry['models']): boolean {
  return typeof models !== 'string' && models.some((model) => typeof model !== 'string' && model.price !== undefined)
}

function checkAddresses(spec: ProviderSpec, keys: readonly FoundKey[], { remarks }: Context): void {
  const lost = keys.find(({ value }) => !hasAddress(spec, value))
  if (!lost) return
  const message = `does not say the account; write it as "account:key", or add "account_id" or "endpoint" for ${spec.name}`
  throw complain(remarks.document, lost.path ?? [], message)
}

function remarkOn(
  spec: ProviderSpec,
  entry: ProviderEntry,
  endpoint: Extract<Endpoint, { ok: true }> | undefined,
  keyless: boolean,
  remarks: Remarks,
): void {
  if (spec.retired && !endpoint) remarks.add(entry.path, `is retired since ${spec.retired.on}: ${spec.retired.note}`)
  if (endpoint && !endpoint.encrypted && !endpoint.private && !keyless)
    remarks.add(entry.endpoint?.path ?? entry.path, 'sends the key unencrypted; use https')
}

function withoutDuplicates(keys: readonly FoundKey[], { remarks, warn }: Context): readonly KeyConfig[] {
  const first = new Map<string, FoundKey>()
  const kept: KeyConfig[] = []
  keys.forEach((key, place) => {
    const { value, source, path, settings, vault } = key
    const same = first.get(value)
    if (!same) {
      first.set(value, key)
      const secret = new Secret(value)
      kept.push({ weight: 1, ...settings, index: place + 1, secret, source, ...(vault && { vault }) })
    } else {
      const message = `is the same key as ${same.path ? showPath(same.path) : same.source}; it is left out`
      if (path) remarks.add(path, message)
      else warn(`${source}: ${message}`)
    }
  })
  return kept
}

function noKey(entry: ProviderEntry, remarks: Remarks): KeyConfig {
  const settings = entry.keys[0]?.settings ?? {}
  const source = `${remarks.document.name} ${showPath(entry.path)}`
  return { weight: 1, ...settings, index: 1, secret: new Secret(''), source }
}

function modelsOf(models: ProviderEntry['models']): ProviderConfig['models'] {
  if (typeof models === 'string') return models
  const byId = new Map<string, ModelConfig>()
  for (const model of models) {
    const config = typeof model === 'string' ? { id: model } : model
    byId.set(config.id, { ...byId.get(config.id), ...config })
  }
  return [...byId.values()]
}

function keyAdvice(known: ProviderSpec | undefined): string {
  const variable = known?.env[0]
  return variable === undefined ? 'add "api_key"' : `add "api_key" or set ${variable}`
}
