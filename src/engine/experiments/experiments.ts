/** The experiments of a running engine: which are live, which variant a request gets, and what is observed. */

import { hash } from 'node:crypto'
import type { AttemptReport } from '../../domain/attempt.ts'
import { InvalidRequestError, StoreError } from '../../domain/errors.ts'
import type { Logger } from '../../domain/logger.ts'
import { nearest } from '../../domain/nearest.ts'
import { present } from '../../domain/present.ts'
import type { ObservationEvent, Store, Trial } from '../../domain/store.ts'
import { assign } from '../../experiment/assign.ts'
import type { Definition } from '../../experiment/definition.ts'
import { Evidence } from '../../experiment/evidence.ts'
import type { Experiment, Variant } from '../../experiment/experiment.ts'
import { type Stop, stopText } from '../../experiment/guard.ts'
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
  /** Whether any target of a variant may be asked at this moment. */
  readonly mayAsk: (variant: Variant) => boolean
}

/** Determines a request's unit. */
export interface UnitFacts {
  readonly requestId: string
  readonly sessionId: () => string
  readonly labels: Readonly<Record<string, string>> | undefined
}

const WITHOUT_FILE = 'config'
/** Of more units it is left to the log to keep each once. */
const MOST_LATELY = 10_000
/** Finer than a millisecond, and coarse enough for the digits of an epoch time. */
const STEP_MS = 0.001

export class Experiments {
  readonly versions: ExperimentVersions
  readonly #options: ExperimentsOptions
  readonly #observations: ExperimentObservations
  /** By name: the version this process uses, running or not. */
  #here = new Map<string, Version>()
  #configured: readonly Definition[] = []
  #source = WITHOUT_FILE
  #lastPlace = 0
  /** Units whose assignment this process recorded lately. */
  readonly #lately = new Set<string>()
  /** Stops that this process lifted. */
  readonly #lifted = new Set<string>()

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
    this.#lift(version.experiment, this.evidenceOf(version.experiment).stopped())
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
      trial:
        unit === null || variant === null
          ? null
          : { experiment: name, version, variant: variant.name, unit, at: this.#place() },
      beganAt: this.#options.monotonic(),
    }
  }

  /**
   * A request sets out with its variant: its unit counts as assigned, whether or not anything is heard of it later. Once
   * per unit: the id names it, and the log keeps the first.
   */
  assigned(enrolment: Enrolment | null, requestId: string): void {
    const trial = enrolment?.trial
    if (trial == null) return
    const key = `${trial.experiment}@${trial.version}:${trial.unit}`
    if (this.#lately.has(key)) return
    this.#lately.add(key)
    if (this.#lately.size > MOST_LATELY) this.#lately.clear()
    this.#append(trial, requestId, 'assigned', { values: {}, assigned: true })
  }

  /** A request was answered in full. */
  answered(enrolment: Enrolment | null, requestId: string, attempts: readonly AttemptReport[]): void {
    if (enrolment?.trial == null) return
    const latency = this.#options.monotonic() - enrolment.beganAt
    const costs = attempts.map(({ costUsd }) => costUsd)
    const cost = costs.includes(null) ? undefined : costs.reduce<number>((sum, usd) => sum + (usd ?? 0), 0)
    this.#observe(enrolment.trial, requestId, 'end', { success: 1, latency, ...(cost !== undefined && { cost }) })
  }

  /** A request failed, or its answer broke off. `isOutage`: only because of its targets (an outage, a limit). */
  failed(enrolment: Enrolment | null, requestId: string, isOutage: boolean): void {
    if (enrolment?.trial == null) return
    this.#append(enrolment.trial, requestId, 'end', { values: { success: 0 }, ...(isOutage && { outage: true }) })
  }

  /**
   * Starts again what the guard stopped and, as a person's word, an experiment that was stopped. Throws
   * InvalidRequestError for an unknown name.
   */
  resume(name: string): Version {
    const { experiment, written, source, stopped } = this.known(name)
    if (stopped !== null && source === COMMAND)
      this.versions.adopt({ experiment, written }, COMMAND, this.#options.now())
    this.#look()
    this.#lift(experiment, this.evidenceOf(experiment).stopped())
    return this.known(name)
  }

  /**
   * Records a metric reported for a request. Throws InvalidRequestError for a metric that the
   * experiment does not know or that keywise measures itself.
   */
  report(trial: Trial, requestId: string | null, metric: string, value: number): void {
    const own = this.versions
      .versionsOf(trial.experiment)
      .find(({ experiment }) => experiment.version === trial.version)
    if (metric !== 'quality' && metric !== own?.experiment.metric.name)
      throw new InvalidRequestError(unknownMetric(metric, own?.experiment), { parameter: 'metric' })
    if (metric !== 'quality' && METRICS.some(({ name }) => name === metric))
      throw new InvalidRequestError(`"${metric}" is measured by keywise itself`, { parameter: 'metric' })
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
    this.#endPauses()
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

  /** Epoch milliseconds, and a little more for each request of the same one, so that no two have the same place. */
  #place(): number {
    const now = this.#options.now()
    this.#lastPlace = now > this.#lastPlace ? now : this.#lastPlace + STEP_MS
    return this.#lastPlace
  }

  #observe(trial: Trial, requestId: string | null, what: string, values: Readonly<Record<string, number>>): void {
    this.#append(trial, requestId, what, { values })
  }

  /** One row per unit and observation: the id identifies both, and the log keeps the first. */
  #append(
    trial: Trial,
    requestId: string | null,
    what: string,
    facts: Pick<ObservationEvent, 'values' | 'assigned' | 'outage' | 'lifted'>,
  ): void {
    const { store, now } = this.#options
    store.append({
      kind: 'observation',
      at: now(),
      origin: store.origin,
      id: `${trial.experiment}@${trial.version}:${trial.unit}:${what}`,
      trial,
      requestId,
      ...facts,
    })
  }

  /** A pause of the guard ends once its time is over and the variant has a target that may be asked. */
  #endPauses(): void {
    for (const { experiment, stopped } of this.#here.values()) {
      if (stopped !== null) continue
      const now = this.#options.now()
      const over = this.evidenceOf(experiment)
        .stopped()
        .filter(({ until }) => until !== null && now >= until)
        .filter((stop) => this.#options.mayAsk(present(experiment.variants.find(({ name }) => name === stop.variant))))
      this.#lift(experiment, over)
    }
  }

  /** Recorded in the log like all that counts, so that every process does the same. */
  #lift({ name, version }: Experiment, stops: readonly Stop[]): void {
    for (const { variant, number } of stops) {
      const key = `${versionKey({ name, version })}/${variant}/${number}`
      if (this.#lifted.has(key)) continue
      this.#lifted.add(key)
      const trial = { experiment: name, version, variant, unit: `guard/${variant}` }
      this.#append(trial, null, `lift${number}`, { values: {}, lifted: number })
      this.#options.logger.info(`experiment ${name}: ${variant} is started again`)
    }
  }

  #review(key: string): void {
    for (const version of this.#here.values()) {
      if (versionKey(version.experiment) !== key) continue
      this.#reportStops(version)
      if (version.decidedAt !== null || version.stopped !== null) continue
      const verdict = experimentResultOf(this.evidenceOf(version.experiment))
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

const FINAL: ReadonlySet<ExperimentResult['state']> = new Set(['decided', 'equal', 'stopped'])

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
