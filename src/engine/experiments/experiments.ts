/** The experiments of a running engine: which are live, which variant a request gets, and what is observed. */

import { hash } from 'node:crypto'
import type { AttemptReport } from '../../domain/attempt.ts'
import { InvalidRequestError, StoreError } from '../../domain/errors.ts'
import type { Logger } from '../../domain/logger.ts'
import { nearest } from '../../domain/nearest.ts'
import type { Store, Trial } from '../../domain/store.ts'
import { assign } from '../../experiment/assign.ts'
import type { Definition } from '../../experiment/definition.ts'
import { Evidence } from '../../experiment/evidence.ts'
import type { Experiment, Variant } from '../../experiment/experiment.ts'
import { METRICS } from '../../experiment/metric.ts'
import { type ExperimentResult, experimentResultOf } from '../../experiment/result.ts'
import { ExperimentObservations } from './observations.ts'
import { COMMAND, ExperimentVersions, type Version, versionKey } from './versions.ts'

/** A request's enrolment, as its result shows it. */
export interface Enrolment {
  readonly name: string
  readonly version: number
  /** Null: it runs as usual and is not compared (holdout, a stopped variant or experiment, no unit). */
  readonly variant: string | null
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
}

/** Determines a request's unit. */
export interface UnitFacts {
  readonly requestId: string
  readonly sessionId: () => string
  readonly labels: Readonly<Record<string, string>> | undefined
}

const WITHOUT_FILE = 'config'

export class Experiments {
  readonly versions: ExperimentVersions
  readonly #options: ExperimentsOptions
  readonly #observations: ExperimentObservations
  /** By name: the version this process uses, running or not. */
  #here = new Map<string, Version>()
  #configured: readonly Definition[] = []
  #source = WITHOUT_FILE

  constructor(options: ExperimentsOptions) {
    this.#options = options
    this.versions = new ExperimentVersions(options.store)
    this.#observations = new ExperimentObservations(options.store, this.versions)
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
    for (const definition of definitions) this.versions.adopt(definition, this.#source, now)
    for (const name of file === null ? [] : this.versions.names()) {
      const isGone = !definitions.some(({ experiment }) => experiment.name === name)
      const current = this.versions.current(name)
      if (isGone && current?.source === file && current.stopped === null) this.versions.stop(name, 'removed', now)
    }
    this.#look()
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
    const version = this.versions.adopt(definition, COMMAND, this.#options.now())
    this.#look()
    return version
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

  /** Enrols a request. */
  enrol({ experiment, stopped }: Version, facts: UnitFacts): Enrolment {
    const { name, version } = experiment
    const unit = stopped === null ? unitOf(experiment, facts) : null
    const variant = unit === null ? null : this.#assigned(experiment, unit)
    return {
      name,
      version,
      variant: variant?.name ?? null,
      trial: unit === null || variant === null ? null : { experiment: name, version, variant: variant.name, unit },
      beganAt: this.#options.monotonic(),
    }
  }

  /** A request was answered in full. */
  answered(enrolment: Enrolment | null, requestId: string, attempts: readonly AttemptReport[]): void {
    if (enrolment?.trial == null) return
    const latency = this.#options.monotonic() - enrolment.beganAt
    const costs = attempts.map(({ costUsd }) => costUsd)
    const cost = costs.includes(null) ? undefined : costs.reduce<number>((sum, usd) => sum + (usd ?? 0), 0)
    this.#observe(enrolment.trial, requestId, 'end', { success: 1, latency, ...(cost !== undefined && { cost }) })
  }

  /** A request failed, or its answer broke off. */
  failed(enrolment: Enrolment | null, requestId: string): void {
    if (enrolment?.trial != null) this.#observe(enrolment.trial, requestId, 'end', { success: 0 })
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

  /** Records a metric reported for a request by a source: a rater, or `self`. Throws as `demandMetric`. */
  report(trial: Trial, requestId: string | null, _source: string, metric: string, value: number): void {
    this.demandMetric(trial, metric)
    this.#observe(trial, requestId, metric, { [metric]: value })
  }

  /** Called every second: applies what other processes started, stopped and observed. */
  tick(): void {
    try {
      this.sync()
    } catch (error) {
      // While the store cannot be read, the known state stays in use; the store reports the problem itself.
      if (!(error instanceof StoreError)) throw error
    }
  }

  /** Catches up with the store. */
  sync(): void {
    if (this.versions.reload()) {
      // A damaged store was replaced by an empty one: configured experiments start again.
      for (const definition of this.#configured)
        if (this.versions.find(definition) === undefined)
          this.versions.adopt(definition, this.#source, this.#options.now())
      this.#look()
    }
    for (const key of this.#observations.sync()) this.#review(key)
  }

  /** Saves the state, so that the next start reads little. Appended events must be flushed before. */
  save(): void {
    this.sync()
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

  #assigned(experiment: Experiment, unit: string): Variant | null {
    const variant = assign(experiment, unit)
    if (variant === null) return null
    const stopped = this.evidenceOf(experiment).stopped()
    return stopped.some((stop) => stop.variant === variant.name) ? null : variant
  }

  /** One value per unit and metric: the id identifies both, and the log keeps the first. */
  #observe(trial: Trial, requestId: string | null, what: string, values: Readonly<Record<string, number>>): void {
    const { store, now } = this.#options
    store.append({
      kind: 'observation',
      at: now(),
      origin: store.origin,
      id: `${trial.experiment}@${trial.version}:${trial.unit}:${what}`,
      trial,
      requestId,
      values,
    })
  }

  #review(key: string): void {
    for (const version of this.#here.values()) {
      if (versionKey(version.experiment) !== key) continue
      this.#reportStops(version)
      if (version.decidedAt !== null || version.stopped !== null) continue
      const verdict = experimentResultOf(this.evidenceOf(version.experiment))
      if (verdict.state === 'collecting' || verdict.state === 'undecided') continue
      if (!this.versions.markReported(version, this.#options.now())) continue
      this.#look()
      this.#options.onDecided(version, verdict)
    }
  }

  readonly #told = new Set<string>()

  #reportStops({ experiment }: Version): void {
    for (const { variant, reason } of this.evidenceOf(experiment).stopped()) {
      const key = `${versionKey(experiment)}/${variant}`
      if (this.#told.has(key)) continue
      this.#told.add(key)
      this.#options.logger.warn(`experiment ${experiment.name}: ${variant} was stopped: it ${reason}`)
    }
  }
}

/** Null when the request has none: no such label. */
function unitOf({ unit }: Experiment, { requestId, sessionId, labels }: UnitFacts): string | null {
  if (unit === 'request') return requestId
  if (unit === 'session') return sessionId()
  const value = labels !== undefined && Object.hasOwn(labels, unit.label) ? labels[unit.label] : undefined
  // Hashed: the log must tell customers apart without naming them.
  return value === undefined || value === '' ? null : hash('sha256', `${unit.label}\n${value}`).slice(0, 24)
}

function unknownMetric(metric: string, experiment: Experiment | undefined): string {
  const own = experiment?.metric.name
  const names = own === undefined || METRICS.some(({ name }) => name === own) ? ['quality'] : ['quality', own]
  return `experiment "${experiment?.name ?? '?'}" has no metric "${metric.slice(0, 60)}" to report; it takes ${names.join(' and ')}`
}
