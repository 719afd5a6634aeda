/** `models --json`: every model that can be requested and which keys serve it; retired models with their successors. */

import type { InstalledSet } from '../config/config.ts'
import { isoOrNull } from '../domain/isoTime.ts'
import { present } from '../domain/present.ts'
import { ABILITIES, type Ability, type PriceHint, type Target } from '../domain/target.ts'
import type { EngineReader } from '../engine/reader.ts'
import { emptyText } from '../engine/request/modelNames.ts'
import { PROFILES } from '../engine/request/shippedAliases.ts'
import type { FreeQuota } from '../money/freeQuota.ts'
import type { Price } from '../money/price.ts'
import { knownModel } from '../providers/installed.ts'
import type { ProviderSpec } from '../providers/provider.ts'
import { type Difference, differencesOf } from './differences.ts'
import { type ModelFact, modelFacts } from './modelFacts.ts'

export interface ModelRow {
  /** The id to request: `provider/model`. */
  readonly id: string
  readonly provider: string
  readonly model: string
  /** 1-based indices of the keys that serve it. */
  readonly keys: readonly number[]
  readonly contextTokens: number | null
  readonly maxOutputTokens: number | null
  /** USD per million tokens now, with the first of the keys; null when unknown. */
  readonly price: PriceHint | null
  /** What it costs with which keys, by the version of the price. */
  readonly prices: readonly KeyPrice[]
  /** Whether it can never be billed with these keys. */
  readonly free: boolean
  /** Known abilities; others may still work. */
  readonly abilities: readonly Ability[]
  /** Whether the provider's list, read at `listedAt`, has it; null while the list has not been read. */
  readonly listed: boolean | null
  readonly listedAt: string | null
  /** Date after which the provider stops serving it, where announced. */
  readonly retiresOn: string | null
  readonly retired: { readonly on: string; readonly successor: string | null } | null
  /** The aliases that resolve to it: those of the settings, and keywise's own by condition. */
  readonly aliases: readonly string[]
  /** Every value with its source and date, of its first key. */
  readonly facts: readonly ModelFact[]
  /** Where keys were seen to do something else than is published. */
  readonly differences: readonly Difference[]
}

interface KeyPrice {
  readonly keys: readonly number[]
  /** USD per million tokens now; null when unknown. */
  readonly price: PriceHint | null
  /** As in the ledger: `config 3fa91c02`; null when unknown. */
  readonly version: string | null
  /** What its contract gives for nothing, in tokens, requests or nano-USD; null for nothing. */
  readonly freeQuota: Pick<FreeQuota, 'unit' | 'limit' | 'per'> | null
}

export interface ModelsView {
  readonly generatedAt: string
  /** The facts file in force; null when none is installed. */
  readonly installed: InstalledSet | null
  readonly models: readonly ModelRow[]
  /** Alias to the target ids it currently resolves to, in its order. */
  readonly aliases: Readonly<Record<string, readonly string[]>>
  /** Aliases by condition that no target satisfies now, and what excludes how many. */
  readonly emptyAliases: Readonly<Record<string, string>>
}

export function modelsView(engine: EngineReader): ModelsView {
  const aliases = aliasesOf(engine)
  const served = new Map<string, Target[]>()
  for (const target of engine.registry.targets) {
    const id = `${target.provider}/${target.model}`
    served.set(id, [...(served.get(id) ?? []), target])
  }
  const rows = [...served].map(([id, targets]) => rowOf(engine, id, targets, aliases))
  return {
    generatedAt: new Date(engine.now).toISOString(),
    installed: installedIn(engine),
    models: [...rows, ...retiredRows(engine, served)],
    aliases: Object.fromEntries([...aliases].map(([alias, targets]) => [alias, targets.map(({ id }) => id)])),
    emptyAliases: Object.fromEntries(
      [...aliases.keys()].flatMap((alias) => {
        const membership = engine.registry.names.membership(alias)
        return membership !== null && membership.groups.length === 0 ? [[alias, emptyText(alias, membership)]] : []
      }),
    ),
  }
}

function installedIn({ registry }: EngineReader): InstalledSet | null {
  if (registry.config.facts === undefined) return null
  const { day: _asOf, ...set } = registry.config.facts
  return set
}

function aliasesOf({ registry }: EngineReader): ReadonlyMap<string, readonly Target[]> {
  const names = registry.names.own.filter((name) => !PROFILES.has(name))
  return new Map(
    names.map((alias) => {
      const found = nothingOrSelection(registry, alias)
      return [alias, found.flatMap((stateId) => registry.find(stateId) ?? [])]
    }),
  )
}

/** An alias may currently resolve to nothing. */
function nothingOrSelection({ names, targets }: EngineReader['registry'], alias: string): readonly string[] {
  if (!names.has(alias)) return []
  const { order, among } = names.select(alias)
  return order ?? (among === null ? targets.map(({ stateId }) => stateId) : [...among])
}

function rowOf(
  engine: EngineReader,
  id: string,
  targets: readonly Target[],
  aliases: ReadonlyMap<string, readonly Target[]>,
): ModelRow {
  const target = present(targets[0])
  const { profile } = target
  const credential = engine.registry.credentialOf(target)
  const list = engine.lists.of(credential)
  const listed = list?.models.find((model) => model.id === target.model)
  return {
    id,
    provider: target.provider,
    model: target.model,
    keys: targets.map(({ keyIndex }) => keyIndex),
    contextTokens: profile.contextTokens,
    maxOutputTokens: profile.maxOutputTokens,
    price: profile.price,
    prices: pricesOf(engine, targets),
    free: profile.free,
    abilities: ABILITIES.filter((ability) => profile.abilities[ability] === true),
    listed: list === null ? null : listed !== undefined,
    listedAt: isoOrNull(list?.readAt),
    retiresOn: listed?.retiresOn ?? knownModel(credential.provider.spec, target.model)?.retires?.on ?? null,
    retired: retirementOf(credential.provider.spec, target.model),
    aliases: [...aliases].filter(([, among]) => targets.some((one) => among.includes(one))).map(([alias]) => alias),
    facts: modelFacts(engine, target),
    differences: targets.flatMap((one) => differencesOf(engine, one)),
  }
}

function pricesOf({ registry }: EngineReader, targets: readonly Target[]): readonly KeyPrice[] {
  const byVersion = new Map<string | null, KeyPrice>()
  for (const target of targets) {
    const price = registry.priceOf(target)
    const version = price?.source ?? null
    const fresh = { keys: [], price: target.profile.price, version, freeQuota: freeQuotaOf(price) }
    const known = byVersion.get(version) ?? fresh
    byVersion.set(version, { ...known, keys: [...known.keys, target.keyIndex] })
  }
  return [...byVersion.values()]
}

function freeQuotaOf(price: Price | null): KeyPrice['freeQuota'] {
  if (price?.free === undefined) return null
  const { unit, limit, per } = price.free.quota
  return { unit, limit, per }
}

/** Models that the catalogue or the installed facts call retired and that are no longer served. */
function retiredRows({ registry }: EngineReader, served: ReadonlyMap<string, unknown>): ModelRow[] {
  return registry.config.providers.flatMap(({ id: provider, spec }) =>
    retiredModels(spec)
      .filter((model) => !served.has(`${provider}/${model}`))
      .map((model) => ({
        id: `${provider}/${model}`,
        provider,
        model,
        keys: [],
        contextTokens: null,
        maxOutputTokens: null,
        price: null,
        prices: [],
        free: false,
        abilities: [],
        listed: null,
        listedAt: null,
        retiresOn: null,
        retired: retirementOf(spec, model),
        aliases: [],
        facts: [],
        differences: [],
      })),
  )
}

function retiredModels(spec: ProviderSpec): readonly string[] {
  const ids = new Set([...spec.models.map(({ id }) => id), ...(spec.installed?.models ?? [])])
  return [...ids].filter((id) => knownModel(spec, id)?.retired !== undefined)
}

function retirementOf(spec: ProviderSpec, model: string): ModelRow['retired'] {
  const retired = knownModel(spec, model)?.retired
  return retired === undefined ? null : { on: retired.on, successor: retired.successor ?? null }
}
