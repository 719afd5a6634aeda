/**
 * Reads the dialects of `api-keys.json`, even mixed: providers at the top level, below `providers`, or written back by
 * a tester. The result is uniform provider entries, and the part that holds the settings.
 */

import type { DialectId } from '../domain/chat.ts'
import { asRecord } from '../domain/json.ts'
import { nearest } from '../domain/nearest.ts'
import { findProvider } from '../providers/catalog.ts'
import type { ProviderSpec } from '../providers/provider.ts'
import { blockSchema, type KeyEntry, type ModelEntry, type ProviderBlock } from './blockSchema.ts'
import { checked } from './check.ts'
import { complain, type Remarks } from './remarks.ts'
import { TOP_NAMES } from './schema.ts'
import type { Path } from './showPath.ts'
import { showName } from './showPath.ts'

/** What the file states about one provider, in whatever dialect. */
export interface ProviderEntry {
  /** The known provider's id, or the user's own name for it. */
  readonly id: string
  readonly known: ProviderSpec | undefined
  /** Path of the first block. */
  readonly path: Path
  readonly keys: readonly PlacedKey[]
  readonly models: readonly ModelEntry[] | 'discover' | 'default'
  readonly endpoint?: { readonly text: string; readonly path: Path }
  /** The usual one first; never empty. */
  readonly dialects?: readonly DialectId[]
  readonly headers?: Readonly<Record<string, string>>
  readonly local?: boolean
  readonly balance?: ProviderBlock['balance']
}

/** One key of the file, with its block's defaults filled in. */
export interface PlacedKey {
  readonly value: string
  readonly path: Path
  /** Goes before the key, where the provider wants the account with it. */
  readonly accountId?: string
  readonly settings: Omit<Exclude<KeyEntry, string>, 'key'>
}

interface PlacedBlock {
  readonly block: ProviderBlock
  readonly path: Path
}

/** Fields that mark an unknown top-level object as a provider rather than a stray field. */
const PROVIDER_FIELDS = ['api_key', 'api_keys', 'keys', 'endpoint', 'base_url']
// A target is written `provider/model#key`, and scopes and aliases use `:` and `*`.
const PROVIDER_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/
const RESERVED_NAMES = new Set(['auto', 'all', 'settings', 'providers'])

/** The provider entries in file order. `find` looks up known providers. */
export function readProviders(remarks: Remarks, find: (name: string) => ProviderSpec | undefined): ProviderEntry[] {
  const blocks = new Map<string, PlacedBlock[]>()
  for (const [name, value, path] of candidates(remarks, find)) {
    const id = find(name)?.id ?? checkedName(name, path, remarks)
    const part = { path, schemaPath: ['providers', name] }
    const placed = { block: checked(blockSchema, value, part, remarks), path }
    blocks.set(id, [...(blocks.get(id) ?? []), placed])
  }
  return [...blocks].map(([id, parts]) => merged(id, find(id), parts, remarks))
}

type Candidate = readonly [name: string, value: unknown, path: Path]

function candidates(remarks: Remarks, find: (name: string) => ProviderSpec | undefined): Candidate[] {
  const { value: top } = remarks.document
  const found: Candidate[] = []
  for (const [name, value] of Object.entries(top)) {
    if (TOP_NAMES.includes(name) || value === null || /^[_$]|^\/\//.test(name)) continue
    if (find(name) || looksLikeProvider(value)) found.push([name, value, [name]])
    else strayField(name, remarks)
  }
  const nested = top['providers'] ?? {}
  const record = asRecord(nested)
  if (!record) throw complain(remarks.document, ['providers'], 'must be an object of providers')
  for (const [name, value] of Object.entries(record)) {
    if (value !== null) found.push([name, value, ['providers', name]])
  }
  return found
}

function looksLikeProvider(value: unknown): boolean {
  const record = asRecord(value)
  return (
    record !== undefined && PROVIDER_FIELDS.some((field) => Object.hasOwn(record, field) && record[field] !== undefined)
  )
}

/** Whether an object, such as a program's own configuration, says anything about providers. */
export function hasProviders(value: Readonly<Record<string, unknown>>): boolean {
  const nested = Object.values(asRecord(value['providers']) ?? {}).some((block) => asRecord(block) !== undefined)
  return nested || Object.entries(value).some(([name, block]) => !TOP_NAMES.includes(name) && isBlock(name, block))
}

/** A known provider may take its key from the environment, and have models alone. */
function isBlock(name: string, value: unknown): boolean {
  if (looksLikeProvider(value)) return true
  const { models, model } = asRecord(value) ?? {}
  return findProvider(name) !== undefined && (models !== undefined || model !== undefined)
}

function strayField(name: string, remarks: Remarks): void {
  const near = nearest(name, TOP_NAMES, 1).map((known) => ` (did you mean "${known}"?)`)
  remarks.add([name], `is neither a provider nor a field keywise knows${near.join('')}; it is kept and not used`)
}

function checkedName(name: string, path: Path, remarks: Remarks): string {
  if (PROVIDER_NAME.test(name) && !RESERVED_NAMES.has(name)) return name
  throw complain(remarks.document, path, 'cannot be the name of a provider; use letters, digits, ".", "_" and "-"')
}

function merged(
  id: string,
  known: ProviderSpec | undefined,
  parts: readonly PlacedBlock[],
  remarks: Remarks,
): ProviderEntry {
  return {
    id,
    known,
    path: parts[0]?.path ?? [id],
    keys: parts.flatMap((part) => keysOf(part, known)),
    models: parts.map((part) => modelsOf(part, known, remarks)).reduce(bothModels),
    ...endpointOf(parts),
    ...lastSaid(parts, (block) => block.dialect && { dialects: dialectsOf(block) }),
    ...lastSaid(parts, (block) => block.headers && { headers: block.headers }),
    ...lastSaid(parts, (block) => block.balance && { balance: block.balance }),
    ...lastSaid(parts, (block) => (block.local === undefined ? undefined : { local: block.local })),
  }
}

function dialectsOf({ dialect = [] }: ProviderBlock): readonly DialectId[] {
  const said = [dialect].flat().map((one) => (one === 'gemini' ? 'google' : one))
  return [...new Set(said)]
}

function lastSaid<T>(parts: readonly PlacedBlock[], read: (block: ProviderBlock) => T | undefined): T | undefined {
  return parts.map(({ block }) => read(block)).findLast((said) => said !== undefined)
}

function endpointOf(parts: readonly PlacedBlock[]): Pick<ProviderEntry, 'endpoint'> {
  const said = parts.flatMap(({ block, path }) =>
    (['baseUrl', 'endpoint'] as const).flatMap((field) => {
      const text = block[field]
      return text?.trim() ? [{ text, path: [...path, field === 'baseUrl' ? 'base_url' : field] }] : []
    }),
  )
  const endpoint = said.at(-1)
  return endpoint ? { endpoint } : {}
}

function keysOf({ block, path }: PlacedBlock, known: ProviderSpec | undefined): PlacedKey[] {
  const { account, free, weight, hours, contract, accountId } = block
  const forAll = Object.fromEntries(
    Object.entries({ account, free, weight, hours, contract }).filter(([, said]) => said !== undefined),
  )
  const placed = [
    ...spread(block.apiKey, [...path, 'api_key']),
    ...spread(block.apiKeys, [...path, 'api_keys']),
    ...spread(block.keys, [...path, 'keys']),
  ]
  return placed.map(({ entry, at }) => {
    const { key, ...settings } = typeof entry === 'string' ? { key: entry } : entry
    return {
      value: key,
      path: typeof entry === 'string' ? at : [...at, 'key'],
      ...(accountId && known?.accountEnv && { accountId }),
      settings: { ...forAll, ...settings },
    }
  })
}

function spread(entries: ProviderBlock['apiKey'], at: Path): { entry: KeyEntry; at: Path }[] {
  if (entries === undefined) return []
  return Array.isArray(entries)
    ? entries.map((entry, index) => ({ entry, at: [...at, index] }))
    : [{ entry: entries, at }]
}

function modelsOf(
  { block, path }: PlacedBlock,
  known: ProviderSpec | undefined,
  remarks: Remarks,
): ProviderEntry['models'] {
  if (block.models === 'discover') return 'discover'
  const lists = [...listsOf(block.models), block.freeModels, block.productionModels, block.previewModels]
  const named = lists.filter((list) => list !== undefined)
  const models = named.flat()
  if (block.model !== undefined && block.model.toLowerCase() !== 'auto') models.push(block.model)
  if (models.length > 0) return models.map((model) => withoutPrefix(model, block, known))
  if (named.length > 0) remarks.add([...path, 'models'], "is empty; the models are taken from the provider's list")
  return 'default'
}

function listsOf(models: Exclude<ProviderBlock['models'], 'discover'>): (readonly ModelEntry[] | undefined)[] {
  if (models === undefined || Array.isArray(models)) return [models]
  return [models.production, models.preview]
}

/** Google's own lists say `models/gemini-…`; everything else says `gemini-…`. */
function withoutPrefix(model: ModelEntry, block: ProviderBlock, known: ProviderSpec | undefined): ModelEntry {
  if ((dialectsOf(block)[0] ?? known?.dialect) !== 'google') return model
  const short = (id: string) => id.replace(/^models\//, '')
  return typeof model === 'string' ? short(model) : { ...model, id: short(model.id) }
}

function bothModels(a: ProviderEntry['models'], b: ProviderEntry['models']): ProviderEntry['models'] {
  if (a === 'discover' || b === 'discover') return 'discover'
  if (a === 'default') return b
  return b === 'default' ? a : [...a, ...b]
}

/** What the unknown name of a provider may have meant. */
export function meant(name: string, known: readonly string[]): string {
  const [near] = nearest(name, known, 1)
  return near === undefined ? '' : ` (did you mean "${showName(near)}"?)`
}
