/** The experiments of a running engine: which are live, which variant a request gets, and what is observed. */

import { hash, randomBytes } from 'node:crypto'
import type { AttemptReport } from '../../domain/attempt.ts'
import { InvalidRequestError, StoreError } from '../../domain/errors.ts'
import type { Logger } from '../../domain/logger.ts'
import { nearest } from '../../domain/nearest.ts'
import { present } from '../../domain/present.ts'
import type { ObservationEvent, Store, Trial } from '../../domain/store.ts'
import { assign } from '../../experiment/assign.ts'
import type { Definition } from '../../experiment/definition.ts'
import { ruleChanges, versionChangeText } from '../../experiment/edit.ts'
import { Evidence } from '../../experiment/evidence.ts'
import type { Experiment, Variant } from '../../experiment/experiment.ts'
import { type Stop, stopText } from '../../experiment/guard.ts'
import { METRICS } from '../../experiment/metric.ts'
import { type ExperimentResult, experimentResultOf } from '../../experiment/result.ts'
import { AsUsualCounter, type AsUsualCounts, type AsUsualReason } from './asUsual.ts'
import { ExperimentObservations } from './observations.ts'
import type { AnsweredUnits } from './versionFold.ts'
import { COMMAND, ExperimentVersions, type Version, versionKey } from './versions.ts'

/** A request's enrolment, as its result shows it. */
export interface Enrolment {
  readonly name: string
  readonly version: number
  /** Null: it runs as usual and is not compared. */
  readonly variant: string | null
  /** Why it runs as usual; null with a variant. */
  readonly reason: AsUsualReason | null
  /** Null without a variant. */
  readonly trial: Trial | null
  /** Monotonic milliseconds. */
  readonly beganAt: number
}

interface ExperimentsOptions {
  readonly store: Store
  readonly logger: Logger
  readonly now: () => number
  readonly monotonic: () => number
  /** Called once across all processes when there is a result. */
  readonly onDecided: (version: Version, verdict: ExperimentResult) => void
  /** Whether any target of a variant may be asked at this moment; default: one may. */
  readonly mayAsk?: (variant: Variant) => boolean
}

/** Determines a request's unit. */
export interface UnitFacts {
  readonly requestId: string
  /** A hash of the session that it names, or of the variables that tell it from others; null where it has neither. */
  readonly session: () => string | null
  readonly labels: Readonly<Record<string, string>> | undefined
}

const WITHOUT_FILE = 'config'
/** What is observed once of every unit: how its first request ended. */
const END = 'end'
/** The same: that it was assigned. No metric has such a name. */
const ASSIGNED = ':assigned'
/** Of more units it is left to the log to keep each once. */
const MOST_LATELY = 10_000
/** Finer than a millisecond, and coarse enough for the digits of an epoch time. */
const STEP_MS = 0.001
const FINAL: ReadonlySet<ExperimentResult['state']> = new Set(['decided', 'equal', 'stopped'])

export class Experiments {
  readonly versions: ExperimentVersions
  readonly #options: ExperimentsOptions
  readonly #observations: ExperimentObservations
  readonly #asUsual: AsUsualCounter
  /** Enrolments counted as running as usual. */
  readonly #counted = new WeakSet<Enrolment>()
  /** By name: the version this process uses, running or not. */
  #here = new Map<string, Version>()
  #configured: readonly Definition[] = []
  #source = WITHOUT_FILE
  #hasNewRules = false
  #lastPlace = 0
  /** Units whose assignment this process recorded lately. */
  readonly #lately = new Set<string>()
  /** Stops that this process lifted. */
  readonly #lifted = new Set<string>()

  constructor(options: ExperimentsOptions) {
    this.#options = options
    this.versions = new ExperimentVersions(options.store)
    this.#observations = new ExperimentObservations(options.store, this.versions)
    this.#asUsual = new AsUsualCounter(options.store)
    this.#look()
  }

  /**
   * Applies the experiments of a configuration. What a `file` no longer defines is stopped; a configuration without
   * one (null) cannot be recognised later, so nothing can be missing from it.
   */
  use(definitions: readonly Definition[], file: string | null): void {
    const now = this.#options.now()
    this.#configured = definitions
    this.#source = file ?? WITHOUT_FILE
    for (const definition of definitions) this.#adopt(definition, this.#source)
    for (const name of file === null ? [] : this.versions.names()) {
      const isGone = !definitions.some(({ experiment }) => experiment.name === name)
      const current = this.versions.current(name)
      if (isGone && current?.source === file && current.stopped === null) this.versions.stop(name, 'removed', now)
    }
    this.#look()
    this.#readAgain()
  }

  /** Starts an experiment beside the configuration. Throws InvalidRequestError for a name that is defined there. */
  start(definition: Definition): Version {
    const { name } = definition.experiment
    if (this.#configured.some(({ experiment }) => experiment.name === name))
      throw new InvalidRequestError(
        `"${name}" is defined in settings.experiments of the configuration; change it there`,
        {
          parameter: 'name',
        },
      )
    const version = this.#adopt(definition, COMMAND)
    this.#look()
    this.#readAgain()
    this.#lift(version.experiment, this.evidenceOf(version.experiment).stopped())
    return version
  }

  /** After an edit of rules: the guard must not forget what it has seen until the next tick. */
  #readAgain(): void {
    if (!this.#hasNewRules) return
    this.#hasNewRules = false
    this.sync()
  }

  /** Says what an edit of a known experiment means. */
  #adopt(definition: Definition, source: string): Version {
    const { name } = definition.experiment
    const before = this.versions.current(name)
    const known = this.versions.find(definition)
    const version = this.versions.adopt(definition, source, this.#options.now(), (one) => this.#hasData(one))
    if (before === undefined) return version
    const { experiment } = version
    this.#hasNewRules ||= known !== undefined && known.revision !== version.revision
    const text =
      experiment.version === before.experiment.version
        ? rulesChangedText(before.experiment, experiment)
        : `version ${experiment.version}: ${versionChangeText(before, version)}; version ${before.experiment.version} keeps its data`
    if (text !== null) this.#options.logger.info(`experiment ${name}: ${text}`)
    return version
  }

  #hasData({ experiment }: Version): boolean {
    this.sync()
    return this.evidenceOf(experiment)
      .variants()
      .some(({ observations }) => observations > 0)
  }

  /** Stops an experiment; `keep`: the variant every request gets from now on. Throws InvalidRequestError. */
  stop(name: string, keep: string | null = null): Version {
    const { experiment } = this.known(name)
    const variants = experiment.variants.map((variant) => variant.name)
    if (keep !== null && !variants.includes(keep))
      throw new InvalidRequestError(`"${name}" has no variant "${keep.slice(0, 60)}"; it has ${variants.join(', ')}`, {
        parameter: 'keep',
      })
    this.versions.stop(name, 'person', this.#options.now(), keep)
    this.#look()
    return this.known(name)
  }

  /** Whether no request can be enrolled; checked for every request. */
  get isIdle(): boolean {
    return this.#here.size === 0
  }

  /** The version this process uses for a name. */
  find(name: string): Version | undefined {
    return this.#here.get(name)
  }

  /** The same; throws InvalidRequestError with the nearest names. */
  known(name: string): Version {
    const version = this.#here.get(name) ?? this.versions.current(name)
    if (version !== undefined) return version
    const names = [...new Set([...this.#here.keys(), ...this.versions.names()])]
    const [near] = nearest(name, names, 1)
    const hint =
      near === undefined
        ? names.length > 0
          ? `there are ${names.join(', ')}`
          : 'there is none'
        : `did you mean "${near}"?`
    throw new InvalidRequestError(`unknown experiment "${name.slice(0, 64)}"; ${hint}`, { parameter: 'experiment' })
  }

  /** Names that a request may use now. */
  running(): readonly string[] {
    return [...this.#here].filter(([, version]) => version.stopped === null).map(([name]) => name)
  }

  evidenceOf(experiment: Experiment): Evidence {
    return this.#observations.of(experiment) ?? new Evidence(experiment)
  }

  /** What the evidence of a version says, and what has to be said of the rules by which it is read. */
  resultOf(version: Version): ExperimentResult {
    const result = experimentResultOf(this.evidenceOf(version.experiment))
    const note = this.versions.rulesNote(version)
    const isFinal = result.state === 'decided' || result.state === 'equal'
    return note === null || !isFinal ? result : { ...result, text: `${result.text}; ${note}` }
  }

  /** Enrols a request. */
  enrol({ experiment, dealing, stopped }: Version, facts: UnitFacts): Enrolment {
    const { name, version } = experiment
    const usual = (reason: AsUsualReason) => ({ name, version, variant: null, reason, trial: null, beganAt })
    const beganAt = this.#options.monotonic()
    if (stopped !== null) return usual('stopped')
    const unit = unitOf(experiment, facts)
    if (unit === null) return usual(experiment.unit === 'session' ? 'no_session' : 'no_label')
    const variant = assign(dealing, unit)
    if (variant === null) return usual('holdout')
    if (this.#isStopped(experiment, variant)) return usual('guard')
    const trial = { experiment: name, version, variant, unit, at: this.#place() }
    return { name, version, variant, reason: null, trial, beganAt }
  }

  /**
   * A request sets out with its variant: its unit counts as assigned, whether or not anything is heard of it later. Once
   * per unit: the id names it, and the log keeps the first.
   */
  assigned(enrolment: Enrolment | null, requestId: string): void {
    const trial = enrolment?.trial
    if (trial == null) return
    const key = observationId(trial, ASSIGNED)
    if (this.#lately.has(key)) return
    this.#lately.add(key)
    if (this.#lately.size > MOST_LATELY) this.#lately.clear()
    this.#observe(trial, requestId, ASSIGNED, { values: {}, assigned: true })
  }

  /** How many requests of a version ran as usual, by the reason. */
  ranAsUsual({ experiment }: Version): AsUsualCounts {
    return this.#asUsual.of(experiment)
  }

  /** By variant: units that were answered, and how many of them by another target than the one asked first. */
  answeredIn({ experiment }: Version): Readonly<Record<string, AnsweredUnits>> {
    return this.#observations.answeredIn(experiment)
  }

  /**
   * A request was answered in full. `answeredBy`: the `provider/model` where another one was to answer; null otherwise.
   * It counts for the variant all the same: who asks for it gets what answers in its place, too.
   */
  answered(
    enrolment: Enrolment | null,
    requestId: string,
    attempts: readonly AttemptReport[],
    answeredBy: string | null = null,
  ): void {
    this.#countUsual(enrolment)
    if (enrolment?.trial == null) return
    const latency = this.#options.monotonic() - enrolment.beganAt
    const costs = attempts.map(({ costUsd }) => costUsd)
    const cost = costs.includes(null) ? undefined : costs.reduce<number>((sum, usd) => sum + (usd ?? 0), 0)
    const values = { success: 1, latency, ...(cost !== undefined && { cost }) }
    this.#observe(enrolment.trial, requestId, END, { values, ...(answeredBy !== null && { answeredBy }) })
  }

  /** A request failed, or its answer broke off. `isOutage`: only because of its targets (an outage, a limit). */
  failed(enrolment: Enrolment | null, requestId: string, isOutage = false): void {
    this.#countUsual(enrolment)
    if (enrolment?.trial == null) return
    this.#observe(enrolment.trial, requestId, END, { values: { success: 0 }, ...(isOutage && { outage: true }) })
  }

  /**
   * Starts again what the guard stopped and, as a person's word, an experiment that was stopped. Throws
   * InvalidRequestError for an unknown name.
   */
  resume(name: string): Version {
    const { experiment, written, source, stopped } = this.known(name)
    if (stopped !== null && source === COMMAND) this.#adopt({ experiment, written }, COMMAND)
    else if (stopped?.cause === 'person') this.versions.goOn({ experiment })
    this.#look()
    this.#readAgain()
    this.#lift(experiment, this.evidenceOf(experiment).stopped())
    return this.known(name)
  }

  /** A request may end twice: answered with what is of no use, then handed over. */
  #countUsual(enrolment: Enrolment | null): void {
    if (enrolment?.reason == null || this.#counted.has(enrolment)) return
    this.#counted.add(enrolment)
    this.#asUsual.add(enrolment, enrolment.reason)
  }

  /** Throws InvalidRequestError for a metric that the experiment does not know or that keywise measures itself. */
  demandMetric(trial: Trial, metric: string): void {
    const own = this.versions
      .versionsOf(trial.experiment)
      .find(({ experiment }) => experiment.version === trial.version)
    if (metric !== 'quality' && metric !== own?.experiment.metric.name)
      throw new InvalidRequestError(unknownMetric(metric, own?.experiment), { parameter: 'metric' })
    if (metric !== 'quality' && METRICS.some(({ name }) => name === metric))
      throw new InvalidRequestError(`"${metric}" is measured by keywise itself`, { parameter: 'metric' })
  }

  /**
   * Records a metric reported for a request. The first request of a unit to be reported gives the unit its value; a
   * later report about the same request replaces it, except that keywise's own (`self`) never replaces anybody's, nor
   * one by `admin` that of whose request it is. Throws as `demandMetric`.
   */
  report(trial: Trial, requestId: string | null, source: string, metric: string, value: number): void {
    this.demandMetric(trial, metric)
    const values = { [metric]: value }
    const what = metric === END ? `metric:${metric}` : metric
    const first = this.#options.store.event(observationId(trial, what))
    if (first === undefined) this.#observe(trial, requestId, what, { values, source })
    else if (first.kind === 'observation' && first.requestId === requestId)
      this.#observe(trial, requestId, what, { values, source, again: first.id })
  }

  /** Called every second: applies what other processes started, stopped and observed. */
  tick(): void {
    try {
      this.#asUsual.flush()
      this.sync(true)
    } catch (error) {
      // While the store cannot be read, the known state stays in use; the store reports the problem itself.
      if (!(error instanceof StoreError)) throw error
    }
  }

  /** Catches up with the store. `isThrifty`: see `ExperimentObservations.sync`. */
  sync(isThrifty = false): void {
    if (this.versions.reload()) {
      // A damaged store was replaced by an empty one: configured experiments start again.
      for (const definition of this.#configured)
        if (this.versions.find(definition) === undefined)
          this.versions.adopt(definition, this.#source, this.#options.now())
      this.#look()
    }
    for (const key of this.#observations.sync(isThrifty)) this.#review(key)
    this.#endPauses()
  }

  /** Saves the state, so that the next start reads little. Appended events must be flushed before. `isLast`: at the end. */
  save(isLast = false): void {
    this.#asUsual.flush()
    this.sync(!isLast)
    this.#observations.save()
  }

  #look(): void {
    this.#observations.openNew()
    const here = new Map<string, Version>()
    for (const name of this.versions.names()) {
      const version = this.#versionHere(name)
      if (version !== undefined) here.set(name, version)
    }
    this.#here = here
  }

  #versionHere(name: string): Version | undefined {
    const configured = this.#configured.find(({ experiment }) => experiment.name === name)
    if (configured !== undefined) return this.versions.find(configured)
    const current = this.versions.current(name)
    // Experiments of another configuration belong to another program.
    return current?.source === COMMAND || current?.source === this.#source ? current : undefined
  }

  #isStopped(experiment: Experiment, variant: string): boolean {
    return this.evidenceOf(experiment)
      .stopped()
      .some((stop) => stop.variant === variant)
  }

  /** Epoch milliseconds, and a little more for each request of the same one, so that no two have the same place. */
  #place(): number {
    const now = this.#options.now()
    this.#lastPlace = now > this.#lastPlace ? now : this.#lastPlace + STEP_MS
    return this.#lastPlace
  }

  /** A pause of the guard ends once its time is over and the variant has a target that may be asked. */
  #endPauses(): void {
    for (const { experiment, stopped } of this.#here.values()) {
      if (stopped !== null) continue
      const now = this.#options.now()
      const { mayAsk = () => true } = this.#options
      const over = this.evidenceOf(experiment)
        .stopped()
        .filter(({ until }) => until !== null && now >= until)
        .filter((stop) => mayAsk(present(experiment.variants.find(({ name }) => name === stop.variant))))
      this.#lift(experiment, over)
    }
  }

  /** Recorded in the log like all that counts, so that every process does the same. */
  #lift({ name, version }: Experiment, stops: readonly Stop[]): void {
    for (const { variant, number } of stops) {
      const trial = { experiment: name, version, variant, unit: `guard/${variant}` }
      const what = `:lift${number}`
      const key = observationId(trial, what)
      if (this.#lifted.has(key)) continue
      this.#lifted.add(key)
      this.#observe(trial, null, what, { values: {}, lifted: number })
      this.#options.logger.info(`experiment ${name}: ${variant} is started again`)
    }
  }

  /** One value per unit and metric: the id identifies both, and the log keeps the first. */
  #observe(
    trial: Trial,
    requestId: string | null,
    what: string,
    facts: Omit<ObservationEvent, 'kind' | 'at' | 'origin' | 'id' | 'trial' | 'requestId'>,
  ): void {
    const { store, now } = this.#options
    const first = observationId(trial, what)
    const id = facts.again === undefined ? first : `${first}:${randomBytes(12).toString('base64url')}`
    store.append({ kind: 'observation', at: now(), origin: store.origin, id, trial, requestId, ...facts })
  }

  #review(key: string): void {
    for (const version of this.#here.values()) {
      if (versionKey(version.experiment) !== key) continue
      this.#reportStops(version)
      if (version.decidedAt !== null || version.stopped !== null) continue
      const verdict = this.resultOf(version)
      if (!FINAL.has(verdict.state)) continue
      if (!this.versions.markReported(version, this.#options.now())) continue
      this.#look()
      this.#options.onDecided(version, verdict)
    }
  }

  readonly #told = new Set<string>()

  #reportStops({ experiment }: Version): void {
    for (const stop of this.evidenceOf(experiment).stopped()) {
      const key = `${versionKey(experiment)}/${stop.variant}/${stop.number}`
      if (this.#told.has(key)) continue
      this.#told.add(key)
      this.#options.logger.warn(`experiment ${experiment.name}: ${stopText(stop)}`)
    }
  }
}

/** Null when the request has none: no session, no such label. */
function unitOf({ unit }: Experiment, { requestId, session, labels }: UnitFacts): string | null {
  if (unit === 'request') return requestId
  if (unit === 'session') return session()
  const value = labels !== undefined && Object.hasOwn(labels, unit.label) ? labels[unit.label] : undefined
  // Hashed: the log must tell customers apart without naming them.
  return value === undefined || value === '' ? null : hash('sha256', `${unit.label}\n${value}`).slice(0, 24)
}

/** Null when they are the same. */
function rulesChangedText(before: Experiment, after: Experiment): string | null {
  const changes = ruleChanges(before, after)
  return changes.length === 0 ? null : `${changes.join(', ')}; its data goes on, read by the new rules`
}

const observationId = ({ experiment, version, unit }: Trial, what: string) => `${experiment}@${version}:${unit}:${what}`

function unknownMetric(metric: string, experiment: Experiment | undefined): string {
  const own = experiment?.metric.name
  const names = own === undefined || METRICS.some(({ name }) => name === own) ? ['quality'] : ['quality', own]
  return `experiment "${experiment?.name ?? '?'}" has no metric "${metric.slice(0, 60)}" to report; it takes ${names.join(' and ')}`
}
