/** Opens an engine with its configuration, store, connections, lists and periodic work, and closes it again. */

import { setTimeout as wait } from 'node:timers/promises'
import type { Dispatcher } from 'undici'
import { type Config, loadConfig } from '../config/config.ts'
import { type Environment, readEnvironment } from '../config/environment.ts'
import { fingerprint, freshSalt } from '../config/fingerprint.ts'
import { unlocking } from '../config/vault/unlock.ts'
import { ConfigError } from '../domain/errors.ts'
import { type Logger, silentLogger } from '../domain/logger.ts'
import { MASK, redactor } from '../domain/redact.ts'
import { SecretIndex } from '../domain/secretIndex.ts'
import type { Durability, Store } from '../domain/store.ts'
import { withoutNulls } from '../domain/withoutNulls.ts'
import { type Timing, WaitQueue } from '../engine/attempt/waitQueue.ts'
import { Decisions } from '../engine/decisionLog.ts'
import { Engine, type EngineParts } from '../engine/engine.ts'
import { Experiments } from '../engine/experiments/experiments.ts'
import { LearnedState } from '../engine/memory/learnedState.ts'
import { hasOpenTarget } from '../engine/openTarget.ts'
import { LearnedRequestFixes } from '../engine/repair/learnedRequestFixes.ts'
import { Credits } from '../engine/targets/credits.ts'
import { KeyChecks } from '../engine/targets/keyChecks.ts'
import { MissingAbilities } from '../engine/targets/missingAbilities.ts'
import { ModelLists } from '../engine/targets/modelLists.ts'
import { type Credential, TargetRegistry } from '../engine/targets/targetRegistry.ts'
import { Budgets } from '../money/budget.ts'
import { loadGenaiPrices } from '../money/genaiPrices.ts'
import { NEWER_PRICES } from '../money/newerPrices.ts'
import type { PriceLookup } from '../money/price.ts'
import { Prices } from '../money/prices.ts'
import { loadUsageEstimator } from '../money/usage.ts'
import { Monitor } from '../monitor/monitor.ts'
import { ParkProbes } from '../monitor/parkProbes.ts'
import { Events } from '../observe/events.ts'
import { atLevel, consoleLogger, type Level } from '../observe/log.ts'
import { connectTelemetry } from '../observe/telemetry.ts'
import type { ProviderSpec } from '../providers/provider.ts'
import { Router } from '../routing/choose.ts'
import { openStore } from '../store/open.ts'
import type { CallTools } from '../upstream/call.ts'
import { connect } from '../upstream/connection.ts'
import { Deadlines } from '../upstream/deadlines.ts'
import { OfflineDetector } from '../upstream/offline.ts'
import type { JsonTools } from '../upstream/requestJson.ts'
import { openTransport } from '../upstream/transport.ts'
import { emptyAliases } from '../views/membership.ts'
import { budgetsOf } from './budgets.ts'
import { liftChanged } from './changedConnections.ts'
import type { EngineOptions } from './engineOptions.ts'
import { Housekeeping } from './housekeeping.ts'
import { FactsFolder, withFacts } from './installedFacts.ts'
import { noteNewKeys } from './keyAges.ts'
import { loadOptions, storeLocation, variablesOf } from './locations.ts'
import { routingSettings } from './routingSettings.ts'

export interface OpenedEngine {
  readonly engine: Engine
  /** Loads the prices and starts periodic work without calling a provider; included in `ready`. */
  prepare(): Promise<void>
  /** Resolves when requests can be answered: prices are loaded, and models lists where targets depend on them. */
  ready(): Promise<void>
  /**
   * Warns of aliases that no target satisfies, when lists were read and after every change of the configuration: for what
   * keeps running. To be called before `ready`.
   */
  watchAliases(): void
  close(): Promise<void>
}

/** Opens everything that needs no network. Throws ConfigError or StoreError. */
export function openEngine(options: EngineOptions = {}): OpenedEngine {
  return new EngineHost(withoutNulls(options))
}

/** What several parts share: clock, random numbers, event listeners, network. */
interface Means {
  readonly tools: CallTools
  readonly events: Events
  readonly offline: OfflineDetector
  readonly random: () => number
  readonly discover: JsonTools
}

/** Holds an engine and what it stands on: built in the constructor, taken down by `close`. */
class EngineHost implements OpenedEngine {
  readonly engine: Engine
  readonly #options: EngineOptions
  readonly #environment: Environment
  readonly #logger: Logger
  #level: Level = 'info'
  readonly #now: () => number
  readonly #store: Store
  readonly #salt: string
  readonly #dispatcher: Dispatcher
  readonly #secrets = new SecretIndex()
  readonly #housekeeping: Housekeeping
  readonly #facts: FactsFolder | null
  #specs = new Map<string, ProviderSpec>()
  #lookup: PriceLookup | null = null
  #preparing: Promise<void> | null = null
  #readying: Promise<void> | null = null
  #watchesAliases = false
  readonly #closing = new AbortController()

  constructor(options: EngineOptions) {
    this.#options = options
    this.#now = options.now ?? Date.now
    const logger = options.logger === false ? silentLogger : (options.logger ?? consoleLogger())
    this.#logger = logger === silentLogger ? logger : atLevel(logger, () => this.#level)
    this.#environment = readEnvironment(variablesOf(options))
    this.#facts = FactsFolder.beside(storeLocation(options))
    const config = this.#loadConfig()
    this.#level = config.settings.log.level
    for (const warning of config.warnings) this.#logger.warn(warning)
    this.#store = this.#openStore(config)
    this.#salt = String(this.#store.updateDoc('meta', 'salt', (salt) => salt ?? freshSalt()))
    this.#dispatcher = this.#openDispatcher(config)
    const learned = this.#openLearnedState(config)
    const means = this.#means()
    const monitor = this.#monitor(means)
    const probes = new ParkProbes()
    const parts = this.#parts(learned, means, monitor, probes)
    const registry = this.#registryOf(config, this.#credentialsOf(config), parts)
    this.engine = new Engine(parts, registry)
    learned.restore()
    liftChanged(this.engine, this.#salt)
    noteNewKeys(this.engine)
    learned.budgets.open(this.#store, this.#now())
    this.#useExperiments(config)
    monitor.attach(this.engine)
    probes.attach(this.engine)
    this.#housekeeping = new Housekeeping({
      engine: this.engine,
      now: this.#now,
      reload: (fresh) => this.#useConfig(fresh),
      prepare: () => unlocking(loadOptions(this.#options)),
      load: () => this.#loadConfig(),
      factsFile: this.#facts?.file ?? null,
    })
  }

  prepare(): Promise<void> {
    this.#preparing ??= this.#prepare()
    return this.#preparing
  }

  watchAliases(): void {
    this.#watchesAliases = true
  }

  ready(): Promise<void> {
    this.#readying ??= this.#readLists()
    return this.#readying
  }

  async close(): Promise<void> {
    const { probes, waiting, tools } = this.engine
    // A list that is still being read is no longer needed, and running calls have had their time.
    this.#closing.abort()
    waiting.close()
    tools.deadlines.close()
    await probes.close()
    await this.#housekeeping.close()
    await this.#dispatcher.destroy().catch(() => undefined)
    await this.#store.close()
  }

  get #userAgent(): string {
    return this.#options.userAgent ?? 'keywise'
  }

  async #prepare(): Promise<void> {
    const telemetry = connectTelemetry(this.engine.events)
    const [lookup, estimate] = await Promise.all([loadGenaiPrices(), loadUsageEstimator(), telemetry])
    if (this.#closing.signal.aborted) return
    this.#lookup = lookup
    this.engine.estimate = estimate
    this.#useConfig(this.engine.registry.config)
    this.#housekeeping.start()
  }

  async #readLists(): Promise<void> {
    await this.prepare()
    if (this.#closing.signal.aborted) return
    const { lists } = this.engine
    const reading = lists.refresh(this.engine.registry.credentials)
    void reading.then(() => this.#warnOfEmptyAliases())
    const doubting = this.#doubtFreeKeys()
    // A request before the lists waits for the first that adds targets, not for the slowest provider.
    if (this.engine.registry.targets.length === 0) await Promise.race([reading, lists.firstNews(this.#listPatienceMs)])
    await doubting
  }

  /** A key marked free is not free when its provider says otherwise. */
  async #doubtFreeKeys(): Promise<void> {
    const billed = await this.engine.checks.billedAmong(this.engine.registry.credentials)
    if (billed.length === 0) return
    for (const { provider, key } of billed)
      this.#logger.warn(
        `${provider.id} key ${key.index} has "free": true, but ${provider.spec.name} says that its account was charged before; only models whose own price is 0 count as free`,
      )
    this.#useConfig(this.engine.registry.config)
  }

  /** A condition that nothing satisfies is no mistake, but hardly ever meant. */
  #warnOfEmptyAliases(): void {
    if (this.#closing.signal.aborted || !this.#watchesAliases) return
    for (const text of emptyAliases(this.engine)) this.#logger.warn(`settings.models: ${text}`)
  }

  get #listPatienceMs(): number {
    return this.engine.registry.config.settings.timeouts.connectMs + 5000
  }

  #loadConfig(): Config {
    const config = loadConfig(loadOptions(this.#options))
    for (const provider of config.providers) for (const key of provider.keys) this.#secrets.add(key.secret.reveal())
    const { telegram, webhook } = config.settings.alerts
    for (const secret of [telegram?.botToken, webhook?.url, webhook?.secret])
      if (secret !== undefined) this.#secrets.add(secret.reveal())
    return withFacts(config, this.#facts, this.#now(), (line) => this.#logger.warn(line))
  }

  #openStore({ settings }: Config): Store {
    const { store, flushMs, durability = settings.durability } = this.#options
    if (typeof store === 'object') return store
    return openStore(storeLocation(this.#options), {
      now: this.#now,
      durability: demandDurability(durability),
      warn: (line) => this.#logger.warn(line),
      ...(flushMs !== undefined && { flushMs }),
    })
  }

  #openDispatcher(config: Config): Dispatcher {
    if (this.#options.transport !== undefined) return this.#options.transport
    const { http, https, except } = this.#environment.proxy
    return openTransport({
      connectMs: config.settings.timeouts.connectMs,
      ...(http !== null && { httpProxy: http }),
      ...(https !== null && { httpsProxy: https }),
      ...(except !== null && { noProxy: except }),
    })
  }

  #openLearnedState(config: Config): LearnedState {
    const router = new Router({ settings: routingSettings(config), random: this.#random(config) })
    const budgets = this.#budgetsFor(config, this.#credentialsOf(config))
    const specOf = (provider: string) => this.#specs.get(provider) ?? UNKNOWN_SPEC
    return new LearnedState(this.#store, {
      router,
      budgets,
      counting: { specOf, facts: (provider) => this.#specs.get(provider) },
    })
  }

  #random(config: Config): () => number {
    const { seed } = config.settings.routing
    return seed === undefined ? (this.#options.random ?? Math.random) : () => (seed >>> 0) / 0x1_0000_0000
  }

  #budgetsFor(config: Config, credentials: readonly Credential[]): Budgets {
    return new Budgets({
      budgets: budgetsOf(config, credentials),
      counters: this.#store,
      origin: this.#store.origin,
      unknownPrice: config.settings.unknownPrice,
      trouble: () => this.#store.health().reason,
    })
  }

  #means(): Means {
    const redact = redactor(this.#secrets)
    const hide = (text: string) => this.#secrets.hide(text, MASK)
    const monotonic = this.#options.monotonic ?? (() => performance.now())
    const tools: CallTools = { deadlines: new Deadlines(monotonic), now: this.#now, monotonic, redact, hide }
    return {
      tools,
      events: new Events(this.#logger),
      offline: new OfflineDetector(),
      random: this.#options.random ?? Math.random,
      discover: { now: this.#now, redact, hide, signal: this.#closing.signal },
    }
  }

  #monitor({ tools, events, offline, random }: Means): Monitor {
    return new Monitor({
      store: this.#store,
      logger: this.#logger,
      dispatcher: this.#dispatcher,
      salt: this.#salt,
      userAgent: this.#userAgent,
      now: this.#now,
      events,
      offline,
      random,
      redact: tools.redact,
    })
  }

  #parts(learned: LearnedState, means: Means, monitor: Monitor, probes: ParkProbes): EngineParts {
    const { tools, events, offline, random, discover } = means
    const credits = new Credits({ store: this.#store, tools: discover })
    return {
      store: this.#store,
      learned,
      logger: this.#logger,
      events,
      waiting: new WaitQueue(timing(this.#now, this.#options.sleep)),
      offline,
      tools,
      random,
      sleep: this.#options.sleep ?? systemSleep,
      monitor,
      decisions: new Decisions(this.#store),
      experiments: new Experiments({
        store: this.#store,
        logger: this.#logger,
        now: this.#now,
        monotonic: tools.monotonic,
        onDecided: (version, verdict) => monitor.decided(version, verdict),
        mayAsk: (variant) => hasOpenTarget(this.engine, variant),
      }),
      requestFixes: new LearnedRequestFixes(this.#now),
      missingAbilities: new MissingAbilities(this.#store, this.#now),
      checks: new KeyChecks({ learned, store: this.#store, tools: discover, credits }),
      credits,
      probes,
      lists: this.#lists(discover, probes),
    }
  }

  #lists(tools: JsonTools, probes: ParkProbes): ModelLists {
    return new ModelLists({
      store: this.#store,
      logger: this.#logger,
      tools,
      onChange: (credential, added) => {
        this.#useConfig(this.engine.registry.config)
        probes.listed(credential, added)
      },
      onFailure: (credential, failure) => {
        if (this.#closing.signal.aborted) return
        this.#logger.warn(
          `models list of ${credential.provider.spec.name} (key ${credential.key.index}): ${failure.message}`,
        )
      },
    })
  }

  /** Applies a configuration, or the same one with newer lists. Running requests finish with what they started with. */
  #useConfig(config: Config): void {
    const { learned } = this.engine
    const changed = config !== this.engine.registry.config
    const credentials = changed ? this.#credentialsOf(config) : this.engine.registry.credentials
    if (changed) {
      // First, because it may be rejected: then nothing changes.
      const successor = this.#budgetsFor(config, credentials)
      this.#level = config.settings.log.level
      for (const warning of config.warnings) this.#logger.warn(warning)
      learned.router.setSettings(routingSettings(config))
      this.#store.flushNow()
      learned.budgets.close(successor)
      successor.open(this.#store, this.#now())
      learned.budgets = successor
      learned.freeCounts.recount()
      this.engine.monitor.useConfig(config)
    }
    const registry = this.#registryOf(config, credentials, this.engine)
    this.engine.useTargets(registry)
    if (!changed) return
    liftChanged(this.engine, this.#salt)
    noteNewKeys(this.engine)
    // A key or an address that is new has no list yet.
    void this.engine.lists.refresh(credentials).then(() => this.#warnOfEmptyAliases())
    void this.#doubtFreeKeys()
    this.#useExperiments(config)
  }

  #useExperiments({ file, settings }: Config): void {
    this.engine.experiments.use(settings.experiments, file)
  }

  #credentialsOf(config: Config): Credential[] {
    this.#specs = new Map(config.providers.map((provider) => [provider.id, provider.spec]))
    return config.providers.flatMap((provider) =>
      provider.keys.map((key) => {
        const print = fingerprint(key.secret.reveal(), this.#salt)
        return {
          provider,
          key,
          fingerprint: print,
          account: key.account === undefined ? `${provider.id}@${print}` : `${provider.id}:${key.account}`,
          connection: connect({
            dispatcher: this.#dispatcher,
            spec: provider.spec,
            secret: key.secret,
            userAgent: this.#userAgent,
          }),
        }
      }),
    )
  }

  #registryOf(
    config: Config,
    credentials: readonly Credential[],
    { lists, checks, missingAbilities }: Pick<EngineParts, 'lists' | 'checks' | 'missingAbilities'>,
  ): TargetRegistry {
    const prices = new Prices({ lookup: this.#lookup, lookupDate: NEWER_PRICES.date })
    const { allModels = false } = this.#options
    const isBilled = (credential: Credential) => checks.isBilled(credential)
    return new TargetRegistry({
      config,
      credentials,
      listOf: (credential) => lists.of(credential)?.models ?? null,
      prices,
      allModels,
      isBilled,
      findings: missingAbilities,
      now: this.#now(),
    })
  }
}

const DURABILITIES: readonly Durability[] = ['process', 'power', 'relaxed']

/** Programs in plain JavaScript can say anything. */
function demandDurability(durability: Durability): Durability {
  if (DURABILITIES.includes(durability)) return durability
  throw new ConfigError(`"durability" must be "process", "power" or "relaxed", not ${JSON.stringify(durability)}`)
}

async function systemSleep(ms: number, signal?: AbortSignal): Promise<void> {
  await wait(ms, undefined, signal === undefined ? {} : { signal }).catch(() => undefined) // ended early
}

/** The wait queue's clock: the engine's own. */
function timing(now: () => number, sleep: EngineOptions['sleep']): Timing {
  return {
    now,
    after: (delayMs, callback) => {
      if (sleep !== undefined) return sleeping(sleep(delayMs), callback)
      const timer = setTimeout(callback, delayMs)
      return () => clearTimeout(timer)
    },
  }
}

function sleeping(slept: Promise<void>, callback: () => void): () => void {
  let wanted = true
  void slept.then(() => {
    if (wanted) callback()
  })
  return () => {
    wanted = false
  }
}

/** Used for a provider that is no longer configured but has events in the log. */
const UNKNOWN_SPEC = { quotaScope: 'account+model', dayBoundary: 'unknown', seedLimits: [] } as const
