/** All callable targets: every provider x model x key of the configuration, with what is known of each. */

import type { Config, KeyConfig, ModelConfig, ProviderConfig } from '../../config/config.ts'
import { embeddingsFor } from '../../dialects/embeddings/upstream.ts'
import {
  type Abilities,
  type PriceHint,
  stateId,
  type Target,
  type TargetProfile,
  targetId,
  UNIT_ABILITIES,
} from '../../domain/target.ts'
import { type ModelWire, wireOf } from '../../domain/wireFacts.ts'
import { agreedPrice } from '../../money/contract.ts'
import { type FreeQuota, freeQuotaId } from '../../money/freeQuota.ts'
import { type Price, ratesAt, type UserPrice } from '../../money/price.ts'
import { LOCAL_SOURCE, type Prices } from '../../money/prices.ts'
import { hasUnitPrice } from '../../money/unitCosts.ts'
import { knownModel } from '../../providers/installed.ts'
import type { CatalogueModel, ProviderSpec } from '../../providers/provider.ts'
import type { Connection } from '../../upstream/connection.ts'
import type { ListedModel } from '../../upstream/discovery/modelsList.ts'
import { ModelNames } from '../request/modelNames.ts'
import type { AbilityFindings } from '../request/unmetCondition.ts'

/** One key with its provider and connection: what a call needs beside the target. */
export interface Credential {
  readonly provider: ProviderConfig
  readonly key: KeyConfig
  readonly fingerprint: string
  readonly account: string
  readonly connection: Connection
}

interface TargetRegistryOptions {
  readonly config: Config
  readonly credentials: readonly Credential[]
  /** The models list of a credential as last read; null while it has not been read. */
  readonly listOf: (credential: Credential) => readonly ListedModel[] | null
  readonly prices: Prices
  /** Epoch milliseconds: some prices depend on the hour. */
  readonly now: number
  /** What calls have shown of the abilities of models; default: nothing. */
  readonly findings?: AbilityFindings
  /** Uses all models of a list, however long. */
  readonly allModels?: boolean
  /** Whether the account of a key marked free has been charged before, according to the provider. */
  readonly isBilled?: (credential: Credential) => boolean
}

/** What is known of one model of one provider, from the user, the provider's list and the catalogue. */
interface ModelFacts {
  readonly id: string
  readonly user: ModelConfig | null
  readonly listed: ListedModel | null
  readonly catalogue: CatalogueModel | null
  /** Not named by the user: it comes from the list or the catalogue. */
  readonly discovered: boolean
}

/** Lists up to this length are used whole. */
const SHORT_LIST = 40

interface Priced {
  readonly target: Target
  readonly price: Price | null
}

/** Every target with its price, in the configuration's order. */
function pricedTargets({
  config,
  credentials,
  listOf,
  prices,
  now,
  allModels = false,
  isBilled,
}: TargetRegistryOptions): Priced[] {
  const noTraining = config.settings.privacy === 'no_training'
  return credentials.flatMap((credential) => {
    const billed = isBilled?.(credential) ?? false
    const list = listOf(credential) ?? listOfSibling(credential, credentials, listOf)
    return modelsOf(credential, list, allModels).map((model) => {
      const free = isFree(credential, model, billed)
      // Named without a price it stays unknown: what passes calls on to paid models is at a private address as well.
      const isOwn = model.discovered && credential.provider.spec.privateAddress === true
      const price = prices.priceOf({
        provider: credential.provider.id,
        model: model.id,
        free,
        neverBilled: credential.key.free === true && !billed,
        local: credential.provider.spec.local === true,
        ownServer: isOwn,
        userPrice: model.user?.price ?? null,
        cataloguePrice: model.listed?.price ?? model.catalogue?.price ?? null,
        installedPrice: model.listed?.price ? null : credential.provider.spec.installed?.of(model.id)?.price,
        tiers: credential.provider.spec.tiers,
        tools: credential.provider.spec.toolPrices,
        unitPrice: credential.provider.spec.unitPrices?.find(({ match }) => match.test(model.id))?.price,
        documentedOn: credential.provider.spec.checked?.prices?.checkedAt,
        contract: credential.key.contract,
        account: credential.account,
      })
      const hint = price === null || price.isOfUnits ? null : hintAt(price, now)
      const ownServer = isOwn && price?.source === LOCAL_SOURCE
      return {
        target: buildTarget(credential, model, {
          price: hint,
          hasUnitPrice: price !== null && hasUnitPrice(price),
          free,
          ownServer,
          noTraining,
        }),
        price,
      }
    })
  })
}

/**
 * What another key has at the same address, the same account first: a better guess than the catalogue for a key whose
 * own list has not been read, or cannot be.
 */
function listOfSibling(
  { connection, account }: Credential,
  credentials: readonly Credential[],
  listOf: TargetRegistryOptions['listOf'],
): readonly ListedModel[] | null {
  let found: readonly ListedModel[] | null = null
  for (const other of credentials) {
    const { spec, origin, basePath } = other.connection
    if (spec.id !== connection.spec.id || origin !== connection.origin || basePath !== connection.basePath) continue
    const list = listOf(other)
    if (list !== null && other.account === account) return list
    found ??= list
  }
  return found
}

/** USD per million tokens of an ordinary request at that time, for ranking and filters. Rates are pico-USD a token. */
export function hintAt(price: Price, at: number): PriceHint {
  const rates = ratesAt(price, at, 0)
  return { input: rates.input / 1e6, output: rates.output / 1e6 }
}

/**
 * The models used with a key: exactly the named ones; else a short list whole, of a long one the catalogue's picks, the
 * free models, and those that embed or the like: they are few, and only a request that names one gets it.
 */
function modelsOf(
  credential: Credential,
  list: readonly ListedModel[] | null,
  allModels = false,
): readonly ModelFacts[] {
  const { models, spec } = credential.provider
  const listed = new Map(list?.map((model) => [model.id, model]))
  const factsOf = (id: string, user: ModelConfig | null): ModelFacts => ({
    id,
    user,
    listed: listed.get(id) ?? null,
    catalogue: catalogueModel(spec, id),
    discovered: user === null,
  })
  if (Array.isArray(models)) return models.map((model: ModelConfig) => factsOf(model.id, model))
  const whole = models === 'discover' || (allModels && list !== null)
  const ids = whole ? discoverable(list ?? []) : picked(spec, list)
  return ids.map((id) => factsOf(id, null))
}

const isUsable = ({ chats, embeds, serves }: ListedModel) => chats || embeds || (serves?.length ?? 0) > 0

const discoverable = (list: readonly ListedModel[]) => list.filter(isUsable).map((model) => model.id)

function picked(spec: ProviderSpec, list: readonly ListedModel[] | null): readonly string[] {
  const picks = spec.models.filter((model) => model.pick && isServed(spec, model.id)).map((model) => model.id)
  if (list === null) return picks.filter((id) => catalogueModel(spec, id)?.listed !== false)
  const usable = list.filter(isUsable)
  if (usable.filter((model) => model.chats).length <= SHORT_LIST) return usable.map((model) => model.id)
  const wanted = new Set(picks)
  const isUsed = (model: ListedModel) => wanted.has(model.id) || !model.chats || isFreeListed(model)
  return usable.filter(isUsed).map((model) => model.id)
}

const isServed = (spec: ProviderSpec, id: string) => catalogueModel(spec, id)?.retired === undefined

function isFreeListed(model: ListedModel): boolean {
  return model.id.endsWith(':free') || (model.price !== null && model.price.input === 0 && model.price.output === 0)
}

/** What the catalogue and the installed facts know of a model. */
export function catalogueModel(spec: ProviderSpec, id: string): CatalogueModel | null {
  return knownModel(spec, id)
}

/** What is found out before a target is created. */
interface Findings {
  /** The current price. */
  readonly price: PriceHint | null
  readonly hasUnitPrice: boolean
  readonly free: boolean
  /** At a private address and without any price. */
  readonly ownServer: boolean
  /** The user forbids training on prompts, so opt-out fields are sent where the provider has any. */
  readonly noTraining: boolean
}

function buildTarget(credential: Credential, model: ModelFacts, findings: Findings): Target {
  const { spec } = credential.provider
  return {
    id: targetId(spec.id, model.id, credential.key.index),
    provider: spec.id,
    model: model.id,
    keyIndex: credential.key.index,
    fingerprint: credential.fingerprint,
    stateId: stateId(spec.id, model.id, credential.fingerprint),
    account: credential.account,
    ...(credential.key.label !== undefined && { label: credential.key.label }),
    profile: profileOf(credential, model, findings),
  }
}

function profileOf(credential: Credential, model: ModelFacts, findings: Findings): TargetProfile {
  const { price, hasUnitPrice, free, ownServer, noTraining } = findings
  const { spec } = credential.provider
  return {
    ...spokenOf(spec, model.id),
    ...(spec.wire?.documents === false && { documents: false as const }),
    ...answersOf(spec, model.id),
    contextTokens: model.user?.contextTokens ?? model.listed?.contextTokens ?? model.catalogue?.contextTokens ?? null,
    maxOutputTokens:
      model.user?.maxOutputTokens ?? model.listed?.maxOutputTokens ?? model.catalogue?.maxOutputTokens ?? null,
    ...(spec.holdsAnswerApart && { holdsAnswerApart: true as const }),
    abilities: abilitiesOf(spec, model),
    price,
    ...(hasUnitPrice && { hasUnitPrice }),
    free,
    trainsOnPrompts: trainsOnPrompts(credential, free, noTraining),
    qualityPrior: model.user?.quality ?? model.catalogue?.quality ?? null,
    ...qualitySource(model),
    local: spec.local === true,
    discovered: model.discovered,
    ...(model.catalogue?.freeTier === true && credential.key.free !== false && { freeTier: true }),
    ...(ownServer && { ownServer }),
    ...(model.discovered && model.catalogue?.retired !== undefined && { retiredOn: model.catalogue.retired.on }),
    weight: credential.key.weight,
  }
}

function answersOf(
  spec: ProviderSpec,
  model: string,
): Pick<TargetProfile, 'mostAnswers' | 'logprobs' | 'vectorLength'> {
  const { answers, vectors, ...wire } = wireOf(spec.wire, model)
  const logprobs = logprobsOf(wire)
  const vectorLength = vectors?.dimensions === 'none' ? vectors.length : undefined
  return {
    ...(vectorLength !== undefined && { vectorLength }),
    ...(answers !== undefined && { mostAnswers: answers }),
    ...(logprobs !== undefined && { logprobs }),
  }
}

/** Where sampling is refused beside thinking, so are they. */
function logprobsOf({
  sampling,
  logprobs = sampling !== 'none',
  samplingBesideThinking,
  thinksByDefault,
}: ModelWire): TargetProfile['logprobs'] {
  if (!logprobs) return false
  if (samplingBesideThinking !== false) return undefined
  return thinksByDefault ? 'told-not-to-think' : 'unless-thinking'
}

/** A model that is served in one dialect only is told everything in that one. */
function spokenOf(
  spec: ProviderSpec,
  model: string,
): Pick<TargetProfile, 'dialect' | 'alsoSpeaks' | 'thinkingWithTools'> {
  const { dialect, alsoSpeaks = [] } = spec
  const { only, toolsBesideThinking, thinksByDefault: unasked = false } = wireOf(spec.wire, model)
  const further = alsoSpeaks.map((other) => other.dialect)
  if (only !== undefined && further.includes(only)) return { dialect: only }
  const [first] = further
  if (first === undefined) return { dialect }
  const thinking = toolsBesideThinking === false && { thinkingWithTools: { dialect: first, unasked } }
  return { dialect, alsoSpeaks: further, ...thinking }
}

function qualitySource({ user, catalogue }: ModelFacts): { readonly qualityPriorSource?: string } {
  if (user?.quality !== undefined) return { qualityPriorSource: 'configuration' }
  return catalogue?.qualitySource === undefined ? {} : { qualityPriorSource: catalogue.qualitySource }
}

/**
 * Whether a call can never be billed: the key is marked free and the provider does not contradict it; the server is
 * local; or the user or the list gives the model the price 0.
 */
function isFree(credential: Credential, model: ModelFacts, billed: boolean): boolean {
  const { spec } = credential.provider
  const agreed = credential.key.contract && agreedPrice(credential.key.contract, model.id)
  const price = agreed ?? model.user?.price ?? model.listed?.price
  if (credential.key.free !== undefined && !billed) return credential.key.free
  if (spec.local === true) return true
  return price !== undefined && price !== null ? costsNothing(price) : model.id.endsWith(':free')
}

/** Every rate: a request can cost even where its tokens do not. */
function costsNothing({ tools = {}, tiers: _tiers, hours: _hours, ...rates }: UserPrice): boolean {
  return [...Object.values(rates), ...Object.values(tools)].every((amount) => amount === undefined || amount === 0)
}

function trainsOnPrompts(credential: Credential, free: boolean, noTraining: boolean): boolean | null {
  if (noTraining && credential.provider.spec.guardsTraining === true) return false
  const { spec, key } = credential.provider.spec.local
    ? { spec: null, key: credential.key }
    : { spec: credential.provider.spec, key: credential.key }
  if (spec === null || key.free === false) return false
  return free || spec.freeNeedsUserWord === true ? spec.trainsOnFreePrompts : false
}

/** What its provider does not serve none of its models can do; of the rest only a name or the user knows. */
function unitsOf({ endpoints }: ProviderSpec, listed: ListedModel | null): Abilities {
  const missing = UNIT_ABILITIES.filter((ability) => endpoints?.[ability] === undefined)
  const served = Object.fromEntries((listed?.serves ?? []).map((ability) => [ability, true]))
  return { ...Object.fromEntries(missing.map((ability) => [ability, false])), ...served }
}

/** A model that the user names for its speech or the like is no model for chats, unless that is said as well. */
function ofUser(user: ModelConfig | null): Abilities | undefined {
  const abilities = user?.abilities
  const isForUnits = abilities !== undefined && UNIT_ABILITIES.some((ability) => abilities[ability] === true)
  return isForUnits ? { chat: false, ...abilities } : abilities
}

/** It is served in a dialect that is not spoken at this address. */
function isElsewhere({ dialect, alsoSpeaks = [], wire }: ProviderSpec, model: string): boolean {
  const { only = dialect } = wireOf(wire, model)
  return only !== dialect && !alsoSpeaks.some((other) => other.dialect === only)
}

/** No list says of a model that it does not embed: most only name what they have, so silence means unknown. */
function abilitiesOf(spec: ProviderSpec, { id, catalogue, listed, user }: ModelFacts): Abilities {
  const named = listed === null ? {} : { chat: listed.chats, ...(listed.embeds && { embeddings: true }) }
  const silent = user === null && isElsewhere(spec, id) ? { chat: false } : {}
  const said = { ...named, ...listed?.abilities, ...silent, ...ofUser(user) }
  const untold = wireOf(spec.wire, id).tools === false ? { tools: false } : {}
  const family = spec.families?.find(({ match }) => match.test(id))
  const shipped = { ...family?.abilities, ...catalogue?.abilities }
  const known = { ...unitsOf(spec, listed), ...untold, ...shipped, ...said }
  return embeddingsFor(spec.dialect) === null ? { ...known, embeddings: false } : known
}

const quotaIn = (price: Price | null) =>
  price?.free === undefined ? [] : [[freeQuotaId(price.free.quota), price.free.quota] as const]

/** An immutable set of targets with lookups by target; recreated when the configuration or a list changes. */
export class TargetRegistry {
  readonly config: Config
  readonly credentials: readonly Credential[]
  readonly targets: readonly Target[]
  readonly names: ModelNames
  readonly #credentialByKey: ReadonlyMap<string, Credential>
  readonly #byState: ReadonlyMap<string, Target>
  readonly #credentialByState: ReadonlyMap<string, Credential | undefined>
  readonly #prices: ReadonlyMap<string, Price | null>
  /** The free quotas of all targets, each once. */
  readonly freeQuotas: readonly FreeQuota[]
  /** Targets whose price depends on the time. */
  readonly #changing: readonly { readonly target: Target; readonly price: Price }[]

  constructor(facts: TargetRegistryOptions) {
    const priced = pricedTargets(facts)
    this.config = facts.config
    this.credentials = facts.credentials
    this.targets = priced.map(({ target }) => target)
    this.names = new ModelNames(this.targets, facts.config.settings.models, facts.findings)
    this.#credentialByKey = new Map(
      facts.credentials.map((credential) => [`${credential.provider.id}@${credential.fingerprint}`, credential]),
    )
    this.#byState = new Map(this.targets.map((target) => [target.stateId, target]))
    this.#credentialByState = new Map(
      this.targets.map((target) => [target.stateId, this.findCredential(target.provider, target.fingerprint)]),
    )
    this.#prices = new Map(priced.map(({ target, price }) => [target.stateId, price]))
    this.freeQuotas = [...new Map(priced.flatMap(({ price }) => quotaIn(price))).values()]
    this.#changing = priced.flatMap(({ target, price }) =>
      price !== null && !price.isOfUnits && price.windows.length > 1 ? [{ target, price }] : [],
    )
  }

  credentialOf(target: Pick<Target, 'stateId' | 'provider' | 'fingerprint'>): Credential {
    const credential = this.credentialNow(target)
    if (credential === undefined) throw new TypeError(`no key for ${target.provider}`)
    return credential
  }

  /** The credential of a target of this or an earlier registry; undefined when its key is gone. */
  credentialNow({
    stateId,
    provider,
    fingerprint,
  }: Pick<Target, 'stateId' | 'provider' | 'fingerprint'>): Credential | undefined {
    return this.#credentialByState.get(stateId) ?? this.findCredential(provider, fingerprint)
  }

  findCredential(provider: string, fingerprint: string): Credential | undefined {
    return this.#credentialByKey.get(`${provider}@${fingerprint}`)
  }

  find(stateId: string): Target | undefined {
    return this.#byState.get(stateId)
  }

  /** Whether a price has changed with the hour since the registry was made; cheap enough to check every second. */
  hasOldPrices(now: number): boolean {
    return this.#changing.some(({ target, price }) => {
      const { input, output } = hintAt(price, now)
      return input !== target.profile.price?.input || output !== target.profile.price.output
    })
  }

  /** The price of the target; null when unknown. */
  priceOf(target: Pick<Target, 'stateId'>): Price | null {
    return this.#prices.get(target.stateId) ?? null
  }
}
