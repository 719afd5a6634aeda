/** What the gateway says of every name that may be asked for: of a group, what holds for whoever would be asked. */

import { ABILITIES, type Abilities, type Ability, type PriceHint, type Target } from '../../domain/target.ts'
import { EXPERIMENT_MODEL } from '../../engine/experiments/enrol.ts'
import type { EngineReader } from '../../engine/reader.ts'
import type { Selection } from '../../engine/request/modelNames.ts'
import { ineligible } from '../../routing/eligible.ts'

export interface ServedModel {
  readonly id: string
  /** The provider; `keywise` for keywise's own names and the user's aliases. */
  readonly owner: string
  /** The smallest window among those that would be asked first: what fits it fits whoever answers. Null: unknown. */
  readonly contextTokens: number | null
  /** The largest window of all: a request that is too long for the first goes there. */
  readonly largestContextTokens: number | null
  readonly maxOutputTokens: number | null
  /** What any of them can do, since a request goes to one that can; what none says is absent. */
  readonly abilities: Abilities
  /** USD per million tokens; null where it is unknown or they differ. */
  readonly price: PriceHint | null
}

/** The models that the caller may ask for; keywise's own names and the aliases first. */
export function servedModels(engine: EngineReader): readonly ServedModel[] {
  const { names, targets } = engine.registry
  const experiments = engine.experiments.running().map((name) => `${EXPERIMENT_MODEL}${name}`)
  const own = new Map(names.own.map((name) => [name, ofName(engine, name)]))
  for (const name of experiments) own.set(name, summary(engine, name, OURS, [], []))
  const served = new Map<string, Target[]>()
  for (const target of targets) {
    const { abilities } = target.profile
    if (own.has(target.model) || (abilities.chat === false && abilities.embeddings !== true)) continue
    const same = served.get(target.model)
    if (same === undefined) served.set(target.model, [target])
    else same.push(target)
  }
  return [
    ...own.values(),
    ...[...served].map(([id, same]) => summary(engine, id, same[0]?.provider ?? OURS, same, same)),
  ]
}

/** Of any name that a request may have; null when it stands for nothing. */
export function servedModel(engine: EngineReader, id: string): ServedModel | null {
  const { names } = engine.registry
  const listed = servedModels(engine).find((model) => model.id === id)
  if (listed !== undefined) return listed
  return names.has(id) ? ofName(engine, id) : null
}

const OURS = 'keywise'

/** An alias that stands for nothing now is a name all the same: whoever asks for it is told why. */
function ofName(engine: EngineReader, name: string): ServedModel {
  const { names, targets, config } = engine.registry
  if (!names.has(name)) return summary(engine, name, OURS, [], [])
  const selection = names.select(name)
  const all = targets.filter((target) => mayBeAsked(engine, target, selection))
  const first = askedFirst(all, selection, config.settings.routing.strategy === 'priority')
  return summary(engine, name, ownerOf(all, selection), first, all)
}

/** A choice is keywise's; a model that is named is its provider's. */
function ownerOf(all: readonly Target[], { auto, order }: Selection): string {
  return auto || order !== null ? OURS : (all[0]?.provider ?? OURS)
}

/** Neither the name nor the settings exclude it; parks and limits pass. */
function mayBeAsked({ eligibility }: EngineReader, target: Target, { among, auto, anyPrice }: Selection): boolean {
  const abilities = among === null ? (['chat'] as const) : []
  const needs = { inputTokens: 0, maxOutputTokens: null, abilities, model: null, provider: null, among, auto, anyPrice }
  return ineligible(target, needs, eligibility.rules) === null
}

/** The first group; under `priority` the first model of the order; otherwise any may be the first. */
function askedFirst(all: readonly Target[], { groups, order }: Selection, byOrder: boolean): readonly Target[] {
  const group = groups?.find((some) => all.some(({ stateId }) => some.has(stateId)))
  const among = group === undefined ? all : all.filter(({ stateId }) => group.has(stateId))
  if (!byOrder || order === null) return among
  const places = new Map(order.map((stateId, place) => [stateId, place]))
  const placeOf = ({ stateId }: Target) => places.get(stateId) ?? order.length
  const [leader] = [...among].sort((one, other) => placeOf(one) - placeOf(other))
  return among.filter(({ provider, model }) => provider === leader?.provider && model === leader.model)
}

/** Windows and output limits as requests to them will find them: what refusals stated comes before what is listed. */
function summary(
  { windows: known }: EngineReader,
  id: string,
  owner: string,
  first: readonly Target[],
  all: readonly Target[],
): ServedModel {
  const windows = all.flatMap((target) => known.windowOf(target) ?? [])
  return {
    id,
    owner,
    contextTokens: least(first.flatMap((target) => known.windowOf(target) ?? [])),
    largestContextTokens: windows.length === 0 ? null : windows.reduce((most, window) => Math.max(most, window)),
    maxOutputTokens: least(first.flatMap((target) => known.outputOf(target) ?? [])),
    abilities: Object.fromEntries(ABILITIES.flatMap((ability) => entryOf(ability, all))),
    price: commonPrice(all),
  }
}

const least = (numbers: readonly number[]) =>
  numbers.length === 0 ? null : numbers.reduce((lowest, number) => Math.min(lowest, number))

/** False only where all say so. */
function entryOf(ability: Ability, all: readonly Target[]): [Ability, boolean][] {
  const said = all.map(({ profile }) => profile.abilities[ability])
  if (said.includes(true)) return [[ability, true]]
  return said.length > 0 && said.every((one) => one === false) ? [[ability, false]] : []
}

function commonPrice(all: readonly Target[]): PriceHint | null {
  const price = all[0]?.profile.price ?? null
  const isCommon = ({ profile }: Target) =>
    profile.price?.input === price?.input && profile.price?.output === price?.output
  return all.every(isCommon) ? price : null
}
