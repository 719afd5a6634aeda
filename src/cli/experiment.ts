/** `keywise experiment`: what is compared, what the data supports, and the data itself. */

import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { readDocument } from '../config/document.ts'
import { nearest } from '../domain/nearest.ts'
import type { Engine } from '../engine/engine.ts'
import { findMetric } from '../experiment/metric.ts'
import { intervalText, meanText } from '../experiment/words.ts'
import {
  csvOf,
  type ExperimentRow,
  experimentsView,
  experimentView,
  observationRows,
  resumeExperiment,
  startExperiments,
  type VariantRow,
} from '../views/experiments.ts'
import type { CommandContext, ExitCode, RunCommand } from './command.ts'
import { UsageError } from './command.ts'
import { duration, type Printer, printer } from './output.ts'
import { withEngine } from './withEngine.ts'

type ExperimentAction = (engine: Engine, context: CommandContext, out: Printer) => ExitCode

const ACTIONS: Readonly<Record<string, ExperimentAction>> = { list, show, start, stop, export: exportData }

export const run: RunCommand = (context) => {
  const { args, stdout, env } = context
  const name = args[0] ?? ''
  const action = Object.hasOwn(ACTIONS, name) ? ACTIONS[name] : undefined
  if (action === undefined) {
    const [near] = nearest(name, Object.keys(ACTIONS), 1)
    const hint = near === undefined ? '' : ` (did you mean "${near}"?)`
    throw new UsageError(`"experiment" knows ${Object.keys(ACTIONS).join(', ')}, not "${name}"${hint}`)
  }
  if (name !== 'list' && args[1] === undefined)
    throw new UsageError(`say which one: keywise experiment ${name} ${name === 'start' ? 'FILE, or NAME' : 'NAME'}`)
  return withEngine(context, async (engine) => action(engine, context, printer(stdout, env)))
}

function list(engine: Engine, { options }: CommandContext, out: Printer): ExitCode {
  const view = experimentsView(engine)
  if (options['json']) out.json(view)
  else if (view.experiments.length === 0)
    out.line('There are no experiments; docs/experiments.md says how to start one.')
  else
    out.table(
      ['experiment', 'version', 'state', 'variants', 'units', 'verdict'],
      view.experiments.map((row) => [
        row.name,
        String(row.version),
        out.paint(row.state === 'running' ? 'green' : 'dim', row.state),
        row.variants.map(({ name }) => name).join(', '),
        String(unitsOf(row)),
        row.verdict.text,
      ]),
    )
  return 0
}

function show(engine: Engine, { args, options }: CommandContext, out: Printer): ExitCode {
  printAll(engine, [experimentView(engine, args[1] ?? '')], options, out)
  return 0
}

/** A file with definitions; or the name of an experiment, which goes on where it or a variant was stopped. */
function start(engine: Engine, { args, options, cwd }: CommandContext, out: Printer): ExitCode {
  const what = args[1] ?? ''
  const isName = !existsSync(resolve(cwd, what)) && engine.experiments.versions.names().includes(what)
  if (isName) return startAgain(engine, what, options, out)
  const rows = startExperiments(engine, readDocument(what, cwd).value)
  if (options['json']) {
    printAll(engine, rows, options, out)
    return 0
  }
  for (const row of rows) {
    const before = row.earlierVersions.at(-1)
    const apart = before === undefined || row.change === null ? '' : `: ${changeText(row, before.version)}`
    out.line(`${row.name} runs as version ${row.version}${apart}`)
    const rules = row.ruleChanges.at(-1)
    if (rules !== undefined) out.line(`  ${ruleText(rules)}`)
    for (const problem of row.problems) out.line(`  ${problem}`)
  }
  const name = rows[0]?.name ?? 'NAME'
  out.line(`A request takes part with "model": "experiment:${name}", or the label experiment=${name}.`)
  return 0
}

function startAgain(engine: Engine, name: string, options: CommandContext['options'], out: Printer): ExitCode {
  const before = experimentView(engine, name)
  const row = resumeExperiment(engine, name)
  if (options['json']) printAll(engine, [row], options, out)
  else {
    const stopped = before.variants.filter((variant) => variant.stopped !== null).map((variant) => variant.name)
    const again =
      stopped.length === 0 ? '' : `; ${stopped.join(', ')} ${stopped.length === 1 ? 'is' : 'are'} assigned again`
    const stays = 'stays stopped: no configuration defines it any more; start it from a file with its definition'
    out.line(`${name} ${row.state === 'running' ? `runs as version ${row.version}` : stays}${again}`)
  }
  return 0
}

function stop(engine: Engine, { args, options }: CommandContext, out: Printer): ExitCode {
  const name = args[1] ?? ''
  const keep = options['keep']
  engine.experiments.stop(name, typeof keep === 'string' ? keep : null)
  const row = experimentView(engine, name)
  if (options['json']) printAll(engine, [row], options, out)
  else {
    out.line(`${name} is stopped: ${row.verdict.text}`)
    out.line(
      row.kept === null
        ? 'Its requests run without the experiment from now on.'
        : `All requests get ${row.kept} from now on.`,
    )
  }
  return 0
}

function exportData(engine: Engine, { args, options }: CommandContext, out: Printer): ExitCode {
  const rows = observationRows(engine, args[1] ?? '')
  if (options['json']) out.json({ generatedAt: new Date(engine.now).toISOString(), observations: [...rows] })
  else for (const line of csvOf(rows)) out.write(line)
  return 0
}

function printAll(
  engine: Engine,
  rows: readonly ExperimentRow[],
  options: CommandContext['options'],
  out: Printer,
): void {
  if (options['json']) out.json({ generatedAt: new Date(engine.now).toISOString(), experiments: rows })
  else for (const row of rows) print(row, out)
}

function print(row: ExperimentRow, out: Printer): void {
  const { name, version, state, startedAt, unit, holdout, metric, verdict } = row
  const apart = holdout > 0 ? `, ${percent(holdout)} held out` : ''
  out.line(
    `${name}, version ${version}, ${state} since ${startedAt.slice(0, 16).replace('T', ' ')} UTC, by ${unit}${apart}`,
  )
  out.line(out.paint('bold', verdict.text))
  if (row.kept !== null) out.line(`Note: all requests get ${row.kept}, because it was stopped with --keep`)
  for (const problem of row.problems) out.line(`Note: ${problem}`)
  const before = row.earlierVersions.at(-1)
  if (before !== undefined && row.change !== null) out.line(`Note: ${changeText(row, before.version)}`)
  for (const change of row.ruleChanges) out.line(`Note: ${ruleText(change)}`)
  for (const text of aside(row)) out.line(`Note: ${text}`)
  out.line()
  const metrics = metricsOf(row)
  out.table(
    ['variant', 'share', ...metrics, 'what it changes'],
    row.variants.map((variant) => [
      variant.name,
      percent(variant.share),
      ...metrics.map((one) => measuredText(variant, one)),
      variant.stopped === null ? changesText(variant) : out.paint('red', stoppedText(variant)),
    ]),
  )
  out.line()
  for (const { first, second, interval, observations } of row.comparisons.filter((pair) => pair.metric === metric.name))
    out.line(
      `${second} minus ${first} in ${metric.name}: ${differenceText(metric.name, interval)} (${observations} units)`,
    )
  for (const earlier of row.earlierVersions) out.line(`version ${earlier.version}: ${earlier.text}`)
}

const changeText = ({ change }: ExperimentRow, before: number) => `${change}; version ${before} keeps its data`
const ruleText = ({ at, text }: ExperimentRow['ruleChanges'][number]) =>
  `${text}, since ${at.slice(0, 16).replace('T', ' ')} UTC; its data goes on, read by the new rules`

const AS_USUAL: Readonly<Record<keyof ExperimentRow['ranAsUsual'], string>> = {
  holdout: 'belonged to the holdout',
  guard: 'were of a variant that the guard stopped',
  stopped: 'came after it was stopped',
  no_session: 'named no session',
  no_label: 'had no such label',
  no_model: 'were of a variant whose model no key has',
}

/** What did not go as defined: requests that are not compared, and answers of other targets. */
function aside({ ranAsUsual, variants }: ExperimentRow): readonly string[] {
  const usual = (Object.keys(AS_USUAL) as (keyof typeof AS_USUAL)[]).flatMap((reason) =>
    ranAsUsual[reason] === 0 ? [] : [`${ranAsUsual[reason]} requests ${AS_USUAL[reason]} and ran as usual`],
  )
  const elsewhere = variants.flatMap(({ name, answered }) =>
    answered.elsewhere === 0
      ? []
      : [
          `${name}: ${answered.elsewhere} of ${answered.ended} units were answered by another target than the first one asked`,
        ],
  )
  return [...usual, ...elsewhere]
}

const percent = (share: number) => `${Number((share * 100).toFixed(2))} %`
const unitsOf = ({ variants }: ExperimentRow) =>
  variants.reduce((sum, { metrics }) => sum + Math.max(0, ...Object.values(metrics).map((one) => one.observations)), 0)

/** The deciding metric comes first. */
function metricsOf({ metric, variants }: ExperimentRow): readonly string[] {
  return [...new Set([metric.name, ...variants.flatMap(({ metrics }) => Object.keys(metrics))])]
}

function measuredText({ metrics }: VariantRow, metric: string): string {
  const seen = metrics[metric]
  if (seen === undefined || seen.mean === null) return '-'
  const mean = metric === 'latency' ? duration(seen.mean) : meanText({ name: metric }, seen.mean)
  return `${mean} (${seen.observations})`
}

function changesText({ template, model, provider, parameters }: VariantRow): string {
  const changes = [
    ...(template === null ? [] : [`prompt "${template.length > 40 ? `${template.slice(0, 39)}…` : template}"`]),
    ...(model === null ? [] : [model]),
    ...(provider === null ? [] : [`at ${provider}`]),
    ...Object.entries(parameters).map(([name, value]) => `${name} ${JSON.stringify(value)}`),
  ]
  return changes.length === 0 ? 'nothing' : changes.join(', ').replaceAll('\n', ' ')
}

function stoppedText({ stopped, stopKind, resumesAt }: VariantRow): string {
  if (stopKind !== 'outage') return `stopped: ${stopped}`
  return `stopped during an outage, not before ${resumesAt?.slice(11, 19)} UTC: ${stopped}`
}

function differenceText(metric: string, interval: ExperimentRow['comparisons'][number]['interval']): string {
  if (interval === null) return 'too early to say'
  return intervalText(findMetric(metric) ?? { name: metric, scale: 'plain' }, interval)
}
