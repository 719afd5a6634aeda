/** The provider a configuration block describes: a known one, a known one at another address, or the user's own. */

import type { DialectId } from '../domain/chat.ts'
import { USUAL_UNIT_PATHS } from '../domain/units.ts'
import type { WireFacts } from '../domain/wireFacts.ts'
import { CLAUDE_WIRE } from '../providers/claudeModels.ts'
import { GEMINI_WIRE } from '../providers/geminiModels.ts'
import { GPT_RESPONSES_WIRE } from '../providers/gptModels.ts'
import {
  type AuthScheme,
  type BalanceSource,
  defineProvider,
  type ModelsList,
  type ProviderSpec,
} from '../providers/provider.ts'

/** What a block states about the provider itself. */
export interface Overrides {
  readonly baseUrl?: string
  readonly dialect?: DialectId
  /** Further dialects of the same address, where `dialect` is stated. */
  readonly alsoSpeaks?: readonly DialectId[]
  readonly headers?: Readonly<Record<string, string>>
  readonly local?: boolean
  readonly balance?: BalanceSource
  /** The address is a loopback or private one. */
  readonly privateAddress?: boolean
  /** There is no key to send. */
  readonly keyless: boolean
}

const AUTH: { readonly [D in DialectId]: AuthScheme } = {
  openai: 'bearer',
  'openai-responses': 'bearer',
  anthropic: 'x-api-key',
  google: 'x-goog-api-key',
}

const LIST_SHAPE: { readonly [D in DialectId]: ModelsList['shape'] } = {
  openai: 'openai',
  'openai-responses': 'openai',
  anthropic: 'anthropic',
  google: 'google',
}

/** Whoever speaks the dialect of a vendor for its models takes what they take; OpenAI's is spoken by servers of all kinds. */
const VENDOR_WIRE: { readonly [D in DialectId]?: WireFacts } = {
  'openai-responses': GPT_RESPONSES_WIRE,
  anthropic: CLAUDE_WIRE,
  google: GEMINI_WIRE,
}

// https://platform.claude.com/docs/en/api/versioning
const ANTHROPIC_VERSION = { 'anthropic-version': '2023-06-01' }

/** A provider that only the configuration knows, at `baseUrl`. */
export function customProvider(id: string, baseUrl: string, overrides: Overrides): ProviderSpec {
  const dialect = overrides.dialect ?? 'openai'
  return defineProvider({
    id,
    name: id,
    dialect,
    baseUrl,
    auth: overrides.keyless ? 'none' : AUTH[dialect],
    ...alsoSpoken(overrides),
    headers: headersFor(dialect, overrides),
    keyCheck: overrides.keyless ? 'none' : 'call',
    // Whether this server's model list requires the key is unknown, so reading it proves nothing about the key.
    modelsList: { path: '/models', shape: LIST_SHAPE[dialect], public: true },
    // Each key counts by itself until the user gives several the same `account`. Servers that speak OpenAI's dialect
    // count per model or for all models, and seldom say which.
    quotaScope: dialect.startsWith('openai') ? 'unknown' : 'account',
    dayBoundary: 'unknown',
    trainsOnFreePrompts: overrides.local ? false : null,
    seedLimits: [],
    // What it serves is the user's to say, and the server's.
    ...(dialect.startsWith('openai') && { endpoints: USUAL_UNIT_PATHS }),
    models: [],
    env: [],
    ...toldBalance(overrides),
    local: overrides.local ?? false,
    privateAddress: overrides.privateAddress ?? false,
    elsewhere: true,
    ...wireFor(dialect),
    verified: false,
  })
}

/** A known provider with the block's overrides applied; unchanged when there are none. */
export function adjustedProvider(spec: ProviderSpec, overrides: Overrides): ProviderSpec {
  const moved = overrides.baseUrl !== undefined && overrides.baseUrl !== spec.baseUrl
  const dialect = overrides.dialect ?? spec.dialect
  const translated = dialect !== spec.dialect
  const auth = authFor(spec, dialect, overrides.keyless)
  const said =
    moved ||
    translated ||
    overrides.dialect ||
    auth !== spec.auth ||
    overrides.headers ||
    overrides.local !== undefined ||
    overrides.balance
  if (!said) return spec
  return defineProvider({
    ...spec,
    dialect,
    auth,
    baseUrl: overrides.baseUrl ?? spec.baseUrl,
    ...(moved && { elsewhere: true }),
    // Another server need not serve what the provider does.
    ...((moved || overrides.dialect) && { alsoSpeaks: [] }),
    ...alsoSpoken(overrides),
    headers: headersFor(dialect, overrides, spec.headers),
    local: overrides.local ?? spec.local ?? false,
    ...(translated && { wire: VENDOR_WIRE[dialect] }),
    ...(moved || translated ? atHome(spec, dialect, overrides.keyless) : {}),
    ...(moved && spec.quirks?.credential ? { quirks: withoutAddress(spec) } : {}),
    ...toldBalance(overrides),
  })
}

/** What the user says of it goes before what the catalogue says; nothing is told without a key. */
function toldBalance({ balance, keyless }: Overrides): Pick<ProviderSpec, 'balance'> {
  return balance === undefined || keyless ? {} : { balance: [balance] }
}

function alsoSpoken({ alsoSpeaks = [] }: Overrides): Pick<ProviderSpec, 'alsoSpeaks'> {
  if (alsoSpeaks.length === 0) return {}
  return { alsoSpeaks: alsoSpeaks.map((dialect) => ({ dialect, ...wireFor(dialect) })) }
}

function wireFor(dialect: DialectId): { readonly wire?: WireFacts } {
  const wire = VENDOR_WIRE[dialect]
  return wire === undefined ? {} : { wire }
}

function authFor(spec: ProviderSpec, dialect: DialectId, keyless: boolean): AuthScheme {
  if (keyless) return 'none'
  return spec.auth === 'none' || dialect !== spec.dialect ? AUTH[dialect] : spec.auth
}

function headersFor(dialect: DialectId, overrides: Overrides, own: ProviderSpec['headers'] = {}) {
  const isAnthropic = dialect === 'anthropic' || overrides.alsoSpeaks?.includes('anthropic')
  return { ...(isAnthropic ? ANTHROPIC_VERSION : {}), ...own, ...overrides.headers }
}

/** Key check and model list under the base URL: a key is never sent to a host other than the one the user named. */
function atHome(spec: ProviderSpec, dialect: DialectId, keyless: boolean): Partial<ProviderSpec> {
  const translated = dialect !== spec.dialect
  const checkElsewhere = translated || (typeof spec.keyCheck === 'object' && !spec.keyCheck.path.startsWith('/'))
  const listElsewhere = translated || !spec.modelsList?.path.startsWith('/')
  return {
    keyCheck: keyless ? 'none' : checkElsewhere ? 'call' : spec.keyCheck,
    ...(spec.balance && {
      balance: keyless || translated ? [] : spec.balance.filter(({ path }) => path.startsWith('/')),
    }),
    modelsList: listElsewhere ? { path: '/models', shape: LIST_SHAPE[dialect], public: true } : spec.modelsList,
  }
}

/** A credential's account is part of the provider's own address, not of one the user supplied. */
function withoutAddress(spec: ProviderSpec): ProviderSpec['quirks'] {
  return { ...spec.quirks, credential: (key) => ({ key: spec.quirks?.credential?.(key).key ?? key }) }
}
