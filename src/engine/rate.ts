/** Ratings of answers, recorded in the event log like everything that is learned. */

import { InvalidRequestError } from '../domain/errors.ts'
import { nearest } from '../domain/nearest.ts'
import type { TargetRef } from '../domain/store.ts'
import { stateId } from '../domain/target.ts'
import type { Engine } from './engine.ts'
import { refOf } from './record.ts'
import { type Credential, catalogueModel } from './targets/targetRegistry.ts'

/**
 * Rates the answers of a target as a whole: every call counts. Throws InvalidRequestError for a score outside 0..1.
 */
export function rateTarget(engine: Engine, target: TargetRef, score: number): void {
  checkScore(score)
  const { learned, store } = engine
  learned.record({
    kind: 'quality',
    at: engine.now,
    origin: store.origin,
    id: learned.eventId(),
    target,
    score,
    requestId: null,
    task: null,
    source: 'user',
  })
}

/** A target as a program of a user names it: any case, a key index as text, the end of a model's id. */
interface NamedTarget {
  readonly provider: string
  readonly model: string
  readonly keyIndex: number | string
}

/**
 * The target that is meant; `isServed` is false for a model that its key does not serve now, whose ratings are kept for
 * when it does. Throws InvalidRequestError for an unknown provider or key and for a model name that fits several.
 */
export function findRated(engine: Engine, named: NamedTarget): { readonly ref: TargetRef; readonly isServed: boolean } {
  const model = String(named.model ?? '').trim()
  if (model === '') throw new InvalidRequestError('the model is missing', { parameter: 'model' })
  const credential = credentialOf(engine, named.provider, keyIndexOf(named.keyIndex))
  const served = servedModel(engine, credential, model)
  if (served !== null) return { ref: refOf(served), isServed: true }
  const { provider, fingerprint, key, account } = credential
  const id = wholeId(engine, credential, model)
  const ref = { provider: provider.id, model: id, fingerprint, keyIndex: key.index, account }
  return { ref: { ...ref, stateId: stateId(provider.id, id, fingerprint) }, isServed: false }
}

function keyIndexOf(given: unknown): number {
  const index = typeof given === 'string' && given.trim() !== '' ? Number(given) : given
  if (typeof index !== 'number' || !Number.isInteger(index))
    throw new InvalidRequestError(`key ${String(given)}: an index is a whole number from 1`, { parameter: 'keyIndex' })
  if (index < 1) throw new InvalidRequestError(`key ${index}: indexes begin with 1`, { parameter: 'keyIndex' })
  return index
}

function credentialOf({ registry }: Engine, given: string, keyIndex: number): Credential {
  const name = String(given ?? '')
    .trim()
    .toLowerCase()
  const ofProvider = registry.credentials.filter(({ provider: { id, spec } }) =>
    [id, ...(spec.aliases ?? [])].some((known) => known.toLowerCase() === name),
  )
  const [first] = ofProvider
  if (first === undefined) {
    const near = nearest(name, [...new Set(registry.credentials.map(({ provider }) => provider.id))])
    const advice = near.length === 0 ? '' : `; nearest: ${near.join(', ')}`
    throw new InvalidRequestError(`no provider "${name.slice(0, 60)}" is configured${advice}`, {
      parameter: 'provider',
    })
  }
  const found = ofProvider.find(({ key }) => key.index === keyIndex)
  if (found !== undefined) return found
  const count = `${ofProvider.length} key${ofProvider.length === 1 ? '' : 's'}`
  throw new InvalidRequestError(`${first.provider.id} has ${count}; there is no key ${keyIndex}`, {
    parameter: 'keyIndex',
  })
}

/**
 * Exactly that model, else the only one whose id ends in the name, else the only one that contains it; null for a model
 * that is not served now.
 */
function servedModel({ registry, learned }: Engine, credential: Credential, name: string): TargetRef | null {
  const { provider, fingerprint } = credential
  const wanted = name.toLowerCase()
  const targets = registry.targets.filter((one) => one.provider === provider.id && one.fingerprint === fingerprint)
  const exact = targets.find(({ model }) => model === name) ?? targets.find((one) => one.model.toLowerCase() === wanted)
  if (exact !== undefined) return exact
  const isRated = learned.tally.row(stateId(provider.id, name, fingerprint)) !== undefined
  if (isRated || catalogueModel(provider.spec, name) !== null) return null
  const ending = targets.filter(({ model }) => model.toLowerCase().endsWith(`/${wanted}`))
  const similar = ending.length > 0 ? ending : targets.filter(({ model }) => model.toLowerCase().includes(wanted))
  if (similar.length < 2) return similar[0] ?? null
  const models = similar.map(({ model }) => model).join(', ')
  throw new InvalidRequestError(`${provider.id}/${name} is ambiguous: ${models}; write the whole model id`, {
    parameter: 'model',
  })
}

/** The whole id of a model that is not served, where the provider's list or the catalogue has only one such ending. */
function wholeId({ lists }: Engine, credential: Credential, name: string): string {
  const listed = lists.of(credential)?.models ?? []
  const ids = new Set([...listed, ...credential.provider.spec.models].map(({ id }) => id))
  if (ids.has(name)) return name
  const found = [...ids].filter((id) => id.toLowerCase().endsWith(`/${name.toLowerCase()}`))
  return found.length === 1 && found[0] !== undefined ? found[0] : name
}

/** Throws InvalidRequestError for anything but a number from 0 to 1. */
export function checkScore(score: number): void {
  if (typeof score === 'number' && score >= 0 && score <= 1) return
  throw new InvalidRequestError(`a quality score is a number from 0 to 1, not ${String(score)}`, { parameter: 'score' })
}
