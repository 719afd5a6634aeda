/** `experiment --json` and `GET /api/experiments`: what runs, what was observed, and what it shows. */

import { csvCell } from '../domain/csvCell.ts'
import { InvalidRequestError } from '../domain/errors.ts'
import { isoOrNull } from '../domain/isoTime.ts'
import type { ObservationEvent } from '../domain/store.ts'
import type { Engine } from '../engine/engine.ts'
import type { AsUsualCounts } from '../engine/experiments/asUsual.ts'
import { rankOf } from '../engine/experiments/reports.ts'
import type { AnsweredUnits } from '../engine/experiments/versionFold.ts'
import type { StopCause, Version } from '../engine/experiments/versions.ts'
import type { EngineReader } from '../engine/reader.ts'
import { readAgain, readDefinitionFile } from '../experiment/definition.ts'
import { countedUnit, ruleChanges, versionChangeText } from '../experiment/edit.ts'
import type { Evidence, PairReport } from '../experiment/evidence.ts'
import type { Experiment, Variant } from '../experiment/experiment.ts'
import type { StopKind } from '../experiment/guard.ts'
import type { ExperimentResult } from '../experiment/result.ts'

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
  /** What makes it another version than the one before; null for the first. */
  readonly change: string | null
  /** Edits of its rules (alpha, minimum effect, guard, …), oldest first; its data went on. */
  readonly ruleChanges: readonly { readonly at: string; readonly text: string }[]
  /** Requests that ran as usual and are not compared, by the reason. */
  readonly ranAsUsual: AsUsualCounts
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
  /** Units that were answered or failed, and how many were answered by another model or provider than the first one asked. */
  readonly answered: AnsweredUnits
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
  engine.store.flushNow()
  engine.experiments.sync()
  const versions = reading.definitions.map((definition) => engine.experiments.start(definition))
  // The guard's stops are lifted in the log.
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
  const answered = experiments.answeredIn(version)
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
    unit: countedUnit(experiment),
    holdout: experiment.holdout,
    metric: { name: metric.name, better: metric.better, minimumEffect: metric.minimumEffect },
    verdict: experiments.resultOf(version),
    variants: experiment.variants.map((variant) => variantRow(variant, evidence, answered[variant.name])),
    comparisons: measured.flatMap((one) => evidence.pairs(one)),
    problems: stopped === null ? problemsOf(engine, experiment) : [],
    change: changeOf(engine, version),
    ruleChanges: ruleRows(version),
    ranAsUsual: experiments.ranAsUsual(version),
    earlierVersions: experiments.versions
      .versionsOf(name)
      .filter((other) => other.experiment.version < experiment.version)
      .map((other) => earlierRow(engine, other)),
  }
}

function changeOf({ experiments }: EngineReader, version: Version): string | null {
  const before = experiments.versions.before(version)
  return before === undefined ? null : versionChangeText(before, version)
}

function ruleRows({ experiment, ruleChanges: changes }: Version): ExperimentRow['ruleChanges'] {
  return changes.flatMap(({ at, before }, index) => {
    const next = changes[index + 1]
    const from = readAgain(before, experiment.version)
    const to = next === undefined ? experiment : readAgain(next.before, experiment.version)
    if (from === undefined || to === undefined) return []
    return [{ at: new Date(at).toISOString(), text: ruleChanges(from, to).join(', ') }]
  })
}

const NONE_ANSWERED: AnsweredUnits = { ended: 0, elsewhere: 0 }

function variantRow(
  { name, share, template, model, provider, parameters }: Variant,
  evidence: Evidence,
  answered = NONE_ANSWERED,
): VariantRow {
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
    answered: { ...answered },
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

function earlierRow(engine: EngineReader, version: Version): ExperimentRow['earlierVersions'][number] {
  const { experiment, startedAt } = version
  const { text } = engine.experiments.resultOf(version)
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
  /** Who reported it; null for what keywise measured. */
  readonly source: string | null
  /** The `provider/model` that answered where another one was to; null otherwise. */
  readonly answeredBy: string | null
}

/**
 * Every observed value of an experiment in the order in which it counted, over all versions. A value that was reported
 * again stands in the place, and with the time, of the first.
 */
export function* observationRows(engine: EngineReader, name: string): Generator<ObservationRow> {
  const { store, experiments } = engine
  experiments.known(name)
  store.flushNow()
  const latest = new Map<string, ObservationEvent>()
  for (const event of eventsOf(engine, name)) {
    const id = event.again ?? event.id
    const before = latest.get(id)
    if (before === undefined ? event.source !== undefined : rankOf(event) >= rankOf(before)) latest.set(id, event)
  }
  for (const event of eventsOf(engine, name))
    if (event.again === undefined) yield* rowsOf(event, latest.get(event.id) ?? event)
}

function* eventsOf({ store }: EngineReader, name: string): Generator<ObservationEvent> {
  for (let seq = 0; ; ) {
    const events = store.read(seq, 1000, null, 'observation')
    for (const event of events) if (event.kind === 'observation' && event.trial.experiment === name) yield event
    const last = events.at(-1)
    if (last === undefined || events.length < 1000) return
    seq = last.seq
  }
}

/** `counted`: the event whose values count in the place of this one. */
function rowsOf({ trial, at, requestId, ...event }: ObservationEvent, counted: ObservationEvent): ObservationRow[] {
  const { experiment, version, variant, unit } = trial
  const { values } = counted
  const source = counted.source ?? null
  const answeredBy = event.answeredBy ?? null
  return Object.entries(values).map(([metric, value]) => {
    const when = new Date(at).toISOString()
    return { experiment, version, variant, unit, metric, value, at: when, requestId, source, answeredBy }
  })
}

const COLUMNS = [
  'experiment',
  'version',
  'variant',
  'unit',
  'metric',
  'value',
  'at',
  'requestId',
  'source',
  'answeredBy',
] as const

/** The rows as CSV (RFC 4180), with a header. */
export function* csvOf(rows: Iterable<ObservationRow>): Generator<string> {
  yield `${COLUMNS.join(',')}\r\n`
  for (const row of rows) yield `${COLUMNS.map((column) => csvCell(row[column])).join(',')}\r\n`
}
