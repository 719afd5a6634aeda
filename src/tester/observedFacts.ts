/**
 * What keys were seen to do, as a facts file (docs/facts.md) that anyone may be given: no key, account or address, no
 * text of a request, answer or error, and only models whose names are public.
 */

import { ONE_LINE } from '../config/facts/factSchema.ts'
import { currentUntil, isoDay } from '../domain/isoTime.ts'
import { ABILITIES, type Abilities, type Ability, abilityWord, type Target } from '../domain/target.ts'
import type { EngineReader } from '../engine/reader.ts'
import type { Credential } from '../engine/targets/targetRegistry.ts'
import { findProvider } from '../providers/catalog.ts'
import type { ProviderSpec } from '../providers/provider.ts'
import { familyOf } from '../quota/limits/seed.ts'
import type { ListedModel } from '../upstream/discovery/modelsList.ts'
import { PROVABLE } from './abilities.ts'
import type { TestResult } from './testResult.ts'

/** What identifies a fact, and what it says; a later one of the same name takes its place. */
type Found = Map<string, Readonly<Record<string, unknown>>>

/**
 * The text of the file. `tests`: the results of the run; what traffic has shown before is read from the engine.
 */
export function observedFacts(engine: EngineReader, tests: readonly TestResult[]): string {
  const found: Found = new Map()
  for (const target of engine.registry.targets) {
    const credential = engine.registry.credentialOf(target)
    if (!isPublic(engine, credential, target.model)) continue
    addLimits(found, engine, target)
    addWindows(found, engine, target)
    addAbilities(found, engine, target, tests)
  }
  for (const credential of engine.registry.credentials)
    if (isAtHome(credential.provider.spec)) addLists(found, engine, credential)
  return written([...found.values()], engine.now)
}

/** Another server under a provider's name says nothing of the provider, and its name and models are its owner's. */
function isAtHome(spec: ProviderSpec): boolean {
  return spec.elsewhere !== true && findProvider(spec.id) !== undefined
}

/** A list of one's own may name models that are trained for its owner. */
function isPublic(engine: EngineReader, credential: Credential, model: string): boolean {
  const { spec } = credential.provider
  if (!isAtHome(spec) || model.length > 200 || !ONE_LINE.test(model)) return false
  if (engine.tools.redact(model) !== model) return false
  if (spec.models.some(({ id }) => id === model)) return true
  return spec.modelsList?.public === true && listedModel(engine, credential, model) !== undefined
}

function listedModel({ lists }: EngineReader, credential: Credential, model: string): ListedModel | undefined {
  return lists.of(credential)?.models.find(({ id }) => id === model)
}

function add(found: Found, about: string, fact: Readonly<Record<string, unknown>>): void {
  found.set(`${String(fact['provider'])}/${String(fact['model'])} ${about}`, fact)
}

/** Those that were stated; of keys that differ the lowest. What was learned from refusals alone is a guess. */
function addLimits(found: Found, { learned, registry, now }: EngineReader, target: Target): void {
  const { seedLimits } = registry.credentialOf(target).provider.spec
  for (const { limit, unit, window, scope, source } of learned.quota.limitsOf(target, now)) {
    // An amount of money is what one account has.
    if (limit === null || unit === 'usd' || (source !== 'header' && source !== 'body')) continue
    const model = scope === 'model' ? target.model : familyOf(target.model, seedLimits) || '*'
    const about = `limit ${unit}/${window}`
    const known = found.get(`${target.provider}/${model} ${about}`)?.['limit']
    const least = typeof known === 'number' ? Math.min(known, limit) : limit
    const over = scope === 'model' ? 'account+model' : 'account'
    add(found, about, { provider: target.provider, model, kind: 'limit', unit, window, limit: least, scope: over })
  }
}

/** What a refusal said, else the provider's list; not what the configuration says. */
function addWindows(found: Found, engine: EngineReader, target: Target): void {
  const { windows, registry } = engine
  const listed = listedModel(engine, registry.credentialOf(target), target.model)
  const { contextTokens, maxOutputTokens } = target.profile
  const seen = (now: number | null, before: number | null, list: number | null | undefined) =>
    now !== null && now !== before ? now : (list ?? null)
  const context = seen(windows.windowOf(target), contextTokens, listed?.contextTokens)
  const output = seen(windows.outputOf(target), maxOutputTokens, listed?.maxOutputTokens)
  if (context === null && output === null) return
  add(found, 'window', {
    ...headOf(target),
    kind: 'window',
    ...(context !== null && { context_tokens: context }),
    ...(output !== null && { max_output_tokens: output }),
  })
}

/** Proved by the test, or refused twice; what one key proved another one's refusal does not disprove. */
function addAbilities(found: Found, engine: EngineReader, target: Target, tests: readonly TestResult[]): void {
  const abilities: { [A in Ability]?: boolean } = {}
  for (const ability of ABILITIES)
    if (engine.missingAbilities.missing(target, [ability]) !== undefined) abilities[ability] = false
  for (const { provider, model, abilities: proofs } of tests) {
    if (provider !== target.provider || model !== target.model) continue
    for (const ability of PROVABLE) {
      const ok = proofs?.[ability]?.ok
      if (typeof ok === 'boolean') abilities[ability] = ok || abilities[ability] === true
    }
  }
  if (Object.keys(abilities).length === 0) return
  add(found, 'ability', { ...headOf(target), kind: 'ability', abilities: inWords(abilities) })
}

const inWords = (abilities: Abilities) =>
  Object.fromEntries(Object.entries(abilities).map(([name, can]) => [abilityWord(name as Ability), can])) // its own keys

/** Which models of the catalogue the provider lists, and when it says that a model ends. */
function addLists(found: Found, engine: EngineReader, credential: Credential): void {
  const { spec } = credential.provider
  const list = engine.lists.of(credential)
  if (list === null) return
  const ids = new Set(list.models.map(({ id }) => id))
  for (const { id: model } of spec.models) {
    const known = found.get(`${spec.id}/${model} listed`)?.['listed'] === true
    add(found, 'listed', { provider: spec.id, model, kind: 'listed', listed: known || ids.has(model) })
  }
  for (const { id: model, retiresOn } of list.models) {
    const on = /^\d{4}-\d\d-\d\d/.exec(retiresOn ?? '')?.[0]
    if (on !== undefined && !Number.isNaN(Date.parse(on)) && isPublic(engine, credential, model))
      add(found, 'retired', { provider: spec.id, model, kind: 'retired', on })
  }
}

const headOf = ({ provider, model }: Target) => ({ provider, model })

/** One fact a line, as people and `diff` read them. */
function written(facts: readonly Readonly<Record<string, unknown>>[], now: number): string {
  const checked = isoDay(now)
  const dated = { source: 'observed', checked, as_of_after: currentUntil(checked) }
  const lines = facts.map((fact) => `    ${JSON.stringify({ ...fact, ...dated })}`).sort()
  const list = lines.length === 0 ? '[]' : `[\n${lines.join(',\n')}\n  ]`
  return `{\n  "keywise_facts": 1,\n  "published": "${checked}",\n  "facts": ${list}\n}\n`
}
