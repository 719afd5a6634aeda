/** What is known of a model: how the facts that a user installed go together with the catalogue. */

import { currentUntil } from '../domain/isoTime.ts'
import type { Abilities, Ability } from '../domain/target.ts'
import type { DatedFact, DatedFields, DatedPart, InstalledFact } from './dated.ts'
import type { CatalogueModel, ProviderSpec } from './provider.ts'

/** Where the shipped fields stand. */
const PARTS: { readonly [F in keyof DatedFields]: DatedPart } = {
  contextTokens: 'models',
  maxOutputTokens: 'models',
  freeTier: 'models',
  retired: 'retirements',
  retires: 'retirements',
  listed: 'models',
}

/**
 * What the catalogue and the installed facts know of a model; of the two, what was checked later, and on the same day
 * what was installed. Null when neither knows it.
 */
export function knownModel(spec: ProviderSpec, id: string): CatalogueModel | null {
  const shipped = shippedModel(spec, id)
  const installed = spec.installed?.of(id) ?? null
  if (installed === null) return shipped
  const fields = (Object.keys(PARTS) as (keyof DatedFields)[]) // its keys are exactly these
    .map((field) => [field, knownFact(spec, id, field)?.value])
    .filter(([, value]) => value !== undefined)
  const abilities: { [A in Ability]?: boolean } = { ...shipped?.abilities }
  for (const name of Object.keys(installed.abilities)) {
    const ability = name as Ability // the keys of InstalledModel.abilities
    const value = knownAbility(spec, id, ability)?.value
    if (value !== undefined) abilities[ability] = value
  }
  return { ...shipped, id, ...Object.fromEntries(fields), abilities }
}

/** One field of a model with its source and date; null when it is unknown. */
export function knownFact<F extends keyof DatedFields>(
  spec: ProviderSpec,
  id: string,
  field: F,
): DatedFact<DatedFields[F]> | null {
  const fact = spec.installed?.of(id)?.[field] as InstalledFact<DatedFields[F]> | undefined // as InstalledFields says
  const model = shippedModel(spec, id)
  const shipped = model?.[field] as DatedFields[F] | undefined // the catalogue has the same fields
  // That something costs nothing is no longer promised after its day.
  const isOver = field === 'freeTier' && fact?.isAsOf === true && fact.value === true
  return later(isOver ? undefined : fact, dated(shipped, spec, PARTS[field], model))
}

/** The same for an ability, of the model itself or of its line. */
export function knownAbility(spec: ProviderSpec, id: string, ability: Ability): DatedFact<boolean> | null {
  const fact = spec.installed?.of(id)?.abilities[ability]
  const model = shippedModel(spec, id)
  const own = model?.abilities?.[ability]
  const shipped =
    own === undefined ? dated(familyOf(spec, id)?.[ability], spec, 'families') : dated(own, spec, 'models', model)
  // After its day it excludes nothing any more.
  const isOver = fact?.isAsOf === true && !fact.value
  return later(isOver ? undefined : fact, shipped)
}

const shippedModel = (spec: ProviderSpec, id: string) => spec.models.find((model) => model.id === id) ?? null

const familyOf = (spec: ProviderSpec, id: string): Abilities | undefined =>
  spec.families?.find(({ match }) => match.test(id))?.abilities

function later<T>(installed: DatedFact<T> | undefined, shipped: DatedFact<T> | null): DatedFact<T> | null {
  if (installed === undefined || (shipped !== null && shipped.checkedAt > installed.checkedAt)) return shipped
  return installed
}

function dated<T>(
  value: T | undefined,
  { checked }: ProviderSpec,
  part: DatedPart,
  model?: CatalogueModel | null,
): DatedFact<T> | null {
  if (value === undefined) return null
  const own = part === 'models' ? model?.checked : undefined
  const { source, checkedAt } = own ?? checked?.[part] ?? { source: 'catalogue', checkedAt: '' }
  return { value, source, checkedAt, asOfAfter: currentUntil(checkedAt) }
}
