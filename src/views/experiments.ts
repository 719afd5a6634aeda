/** `experiment --json` and `GET /api/experiments`: what runs, what was observed, and what it shows. */

import { InvalidRequestError } from '../domain/errors.ts'
import { isoOrNull } from '../domain/isoTime.ts'
import type { ObservationEvent } from '../domain/store.ts'
import type { Engine } from '../engine/engine.ts'
import type { StopCause, Version } from '../engine/experiments/versions.ts'
import type { EngineReader } from '../engine/reader.ts'
import { readDefinitionFile } from '../experiment/definition.ts'
import type { Evidence, PairReport } from '../experiment/evidence.ts'
import type { Experiment, Variant } from '../experiment/experiment.ts'
import type { StopKind } from '../experiment/guard.ts'
import { type ExperimentResult, experimentResultOf } from '../experiment/result.ts'

/** An experiment, its evidence so far, and what that says. */
export interface ExperimentRow {
  /** As in its definition. */
  readonly name: string
  /** Grows with every change; data of different versions is never mixed. */
  readonly version: number
  /** Whether requests are still assigned to variants. */
  readonly state: 'running' | 'stopped'
  /** By whom or what it was stopped; null while it runs. */
  readonly stopCause: StopCause | null
  /** After a stop: the variant every request gets. */
  readonly kept: string | null
  /** `command`, or the configuration that defines it. */
  readonly source: string
  /** ISO 8601. */
  readonly startedAt: string
  /** ISO 8601; null while it runs. */
  readonly stoppedAt: string | null
  /** `request`, `session` or `label:NAME`. */
  readonly unit: string
  /** 0..1: the share of units that run as usual and are not compared. */
  readonly holdout: number
  /** What decides. */
  readonly metric: Pick<Experiment['metric'], 'name' | 'better' | 'minimumEffect'>
  /** What the evidence says. */
  readonly verdict: ExperimentResult
  /** The first is the baseline. */
  readonly variants: readonly VariantRow[]
  /** Every two variants on every metric; differences are second minus first, of logarithms for latency. */
  readonly comparisons: readonly PairReport[]
  /** What cannot work at the moment, in words. */
  readonly problems: readonly string[]
  /** Versions replaced by this one, with the sentence each ended on. */
  readonly earlierVersions: readonly { readonly version: number; readonly startedAt: string; readonly text: string }[]
}

/** A variant as it was defined, and its means. */
export interface VariantRow extends Pick<Variant, 'name' | 'share'> {
  /** The prompt; null: the request's own. */
  readonly template: string | null
  /** The model; null: the request's own. */
  readonly model: string | null
  /** The only provider it uses; null: any. */
  readonly provider: string | null
  /** Request fields it sets. */
  readonly parameters: NonNullable<Variant['parameters']>
  /** Why the guard stopped it; null while it runs. */
  readonly stopped: string | null
  /** `outage`: only its target failed, and it is started again by itself; `failures`, `cost`: by a person. */
  readonly stopKind: StopKind | null
  /** ISO 8601: an outage ends then at the earliest. Null for other stops. */
  readonly resumesAt: string | null
  /** By metric: units seen, and their mean (milliseconds, USD, 0..1 or the user's own unit). */
  readonly metrics: Readonly<Record<string, { readonly observations: number; readonly mean: number | null }>>
}

export interface ExperimentsView {
  readonly generatedAt: string
  readonly experiments: readonly ExperimentRow[]
}

export function experimentsView(engine: EngineReader): ExperimentsView {
  const { experiments, store } = engine
  store.flushNow()
  experiments.sync()
  const rows = experiments.versions.names().map((name) => rowOf(engine, experiments.known(name)))
  return { generatedAt: new Date(engine.now).toISOString(), experiments: rows }
}

/** One experiment. Throws InvalidRequestError for an unknown name. */
export function experimentView(engine: EngineReader, name: string): ExperimentRow {
  const { experiments, store } = engine
  store.flushNow()
  experiments.sync()
  return rowOf(engine, experiments.known(name))
}

/** Starts the experiments of a file; none when any is invalid. Throws InvalidRequestError with every problem. */
export function startExperiments(engine: Engine, value: unknown): readonly ExperimentRow[] {
  const reading = readDefinitionFile(plain(value))
  if (!reading.ok) throw new InvalidRequestError(reading.problems.join('; '), { parameter: 'experiment' })
  // What the guard stopped so far is started again.
  engine.store.flushNow()
  engine.experiments.sync()
  const versions = reading.definitions.map((definition) => engine.experiments.start(definition))
  engine.store.flushNow()
  engine.experiments.sync()
  return versions.map((version) => rowOf(engine, version))
}

/** Starts an experiment again by its name, and every variant that the guard stopped. Throws InvalidRequestError. */
export function resumeExperiment(engine: Engine, name: string): ExperimentRow {
  // What other processes stopped is known first.
  experimentView(engine, name)
  engine.experiments.resume(name)
  return experimentView(engine, name)
}

/** As it would be read from a file. */
function plain(value: unknown): unknown {
  try {
    return JSON.parse(JSON.stringify(value))
  } catch {
    throw new InvalidRequestError('an experiment must be plain JSON', { parameter: 'experiment' })
  }
}

function rowOf(engine: EngineReader, version: Version): ExperimentRow {
  const { experiments } = engine
  const { experiment, stopped } = version
  const { name, metric } = experiment
  const evidence = experiments.evidenceOf(experiment)
  const measured = [...new Set(evidence.variants().map((row) => row.metric))]
  return {
    name,
    version: experiment.version,
    state: stopped === null ? 'running' : 'stopped',
    stopCause: stopped?.cause ?? null,
    kept: version.kept,
    source: version.source,
    startedAt: new Date(version.startedAt).toISOString(),
    stoppedAt: isoOrNull(stopped?.at),
    unit: unitText(experiment),
    holdout: experiment.holdout,
    metric: { name: metric.name, better: metric.better, minimumEffect: metric.minimumEffect },
    verdict: experimentResultOf(evidence),
    variants: experiment.variants.map((variant) => variantRow(variant, evidence)),
    comparisons: measured.flatMap((one) => evidence.pairs(one)),
    problems: stopped === null ? problemsOf(engine, experiment) : [],
    earlierVersions: experiments.versions
      .versionsOf(name)
      .filter((other) => other.experiment.version < experiment.version)
      .map((other) => earlierRow(engine, other)),
  }
}

const unitText = ({ unit }: Experiment) => (typeof unit === 'string' ? unit : `label:${unit.label}`)

function variantRow({ name, share, template, model, provider, parameters }: Variant, evidence: Evidence): VariantRow {
  const stop = evidence.stopped().find(({ variant }) => variant === name)
  const rows = evidence.variants().filter(({ variant }) => variant === name)
  return {
    name,
    share,
    template: template ?? null,
    model: model ?? null,
    provider: provider ?? null,
    parameters: parameters ?? {},
    stopped: stop?.reason ?? null,
    stopKind: stop?.kind ?? null,
    resumesAt: isoOrNull(stop?.until ?? undefined),
    metrics: Object.fromEntries(rows.map(({ metric, observations, mean }) => [metric, { observations, mean }])),
  }
}

/** Units of a variant whose model no key serves run as usual, which a person should know. */
function problemsOf({ registry }: EngineReader, { variants }: Experiment): readonly string[] {
  const providers = new Set(registry.targets.map(({ provider }) => provider))
  return variants.flatMap(({ name, model, provider }) => [
    ...(model === undefined || registry.names.has(model)
      ? []
      : [`no key has the model "${model}" of variant "${name}"; its units run as usual`]),
    ...(provider === undefined || providers.has(provider)
      ? []
      : [`there is no key of the provider "${provider}" of variant "${name}"; its requests fail`]),
  ])
}

function earlierRow(
  engine: EngineReader,
  { experiment, startedAt }: Version,
): ExperimentRow['earlierVersions'][number] {
  const { text } = experimentResultOf(engine.experiments.evidenceOf(experiment))
  return { version: experiment.version, startedAt: new Date(startedAt).toISOString(), text }
}

/** One observed value, as `experiment export` gives it. */
interface ObservationRow {
  readonly experiment: string
  readonly version: number
  readonly variant: string
  readonly unit: string
  readonly metric: string
  readonly value: number
  readonly at: string
  readonly requestId: string | null
}

/** Every observed value of an experiment in the order in which it counted, over all versions. */
export function* observationsOf(engine: EngineReader, name: string): Generator<ObservationRow> {
  const { store, experiments } = engine
  experiments.known(name)
  store.flushNow()
  for (let seq = 0; ; ) {
    const events = store.read(seq, 1000, null, 'observation')
    for (const event of events)
      if (event.kind === 'observation' && event.trial.experiment === name) yield* rowsOf(event)
    const last = events.at(-1)
    if (last === undefined || events.length < 1000) return
    seq = last.seq
  }
}

function rowsOf({ trial, values, at, requestId }: ObservationEvent): ObservationRow[] {
  const { experiment, version, variant, unit } = trial
  return Object.entries(values).map(([metric, value]) => {
    return { experiment, version, variant, unit, metric, value, at: new Date(at).toISOString(), requestId }
  })
}

const COLUMNS = ['experiment', 'version', 'variant', 'unit', 'metric', 'value', 'at', 'requestId'] as const

/** The rows as CSV (RFC 4180), with a header. */
export function* csvOf(rows: Iterable<ObservationRow>): Generator<string> {
  yield `${COLUMNS.join(',')}\r\n`
  for (const row of rows) yield `${COLUMNS.map((column) => cell(row[column])).join(',')}\r\n`
}

/** Quoted where needed; text that a spreadsheet would take for a formula gets an apostrophe in front. */
function cell(value: string | number | null): string {
  if (value === null) return ''
  if (typeof value === 'number') return String(value)
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
