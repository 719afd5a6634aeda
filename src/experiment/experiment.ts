/** An experiment: variants of a prompt, a model, a provider or parameters, compared on one metric. */

import { asArray, asNumber, asRecord, asString, type Json } from '../domain/json.ts'
import { nearest } from '../domain/nearest.ts'
import { findMetric, type Metric } from './metric.ts'
import { parameterProblems } from './parameters.ts'
import { templateProblems } from './template.ts'

export interface Variant {
  /** As in the definition. */
  readonly name: string
  /** 0..1; all shares and the holdout add up to 1. */
  readonly share: number
  /** Prompt with `{{variables}}`; absent: the request's own prompt. */
  readonly template?: string
  readonly model?: string
  readonly provider?: string
  /** Request fields such as `temperature`, as written in the configuration. */
  readonly parameters?: Readonly<Record<string, Json>>
}

/** When a variant is stopped before a decision. */
export interface Guard {
  /** Maximum loss of success rate against the first variant. */
  readonly maxSuccessLoss: number
  /** Maximum mean cost, as a multiple of the first variant's; null: no limit. */
  readonly maxCostRatio: number | null
}

export interface Experiment {
  readonly name: string
  /** Increases with every change; data of different versions is never mixed. */
  readonly version: number
  /** What keeps the same variant: each request, each session, or each value of a label. */
  readonly unit: 'request' | 'session' | { readonly label: string }
  /** The first is the baseline. */
  readonly variants: readonly Variant[]
  /** Share of units that run as usual and are not compared. */
  readonly holdout: number
  /** The metric that decides. */
  readonly metric: Metric
  /** Probability of ever calling a difference where there is none. */
  readonly alpha: number
  readonly guard: Guard
}

type ExperimentReading =
  | { readonly ok: true; readonly experiment: Experiment }
  | { readonly ok: false; readonly problems: readonly string[] }

/** Maximum number of variants compared; each pair costs evidence. */
const MOST_VARIANTS = 10

const FIELDS = ['name', 'variants', 'variables', 'holdout', 'metric', 'minimum_effect', 'unit', 'alpha', 'guard']
const VARIANT_FIELDS = ['name', 'share', 'template', 'model', 'provider', 'parameters']
/** Names are used in `experiment:NAME`, in headers and in the ledger. */
const NAME = /^[A-Za-z0-9][\w.-]{0,63}$/

/**
 * Reads one experiment from the configuration. `variables`: what every template may use, besides those that the
 * experiment declares in its own `variables`.
 */
export function readExperiment(value: unknown, path: string, variables: readonly string[]): ExperimentReading {
  const record = asRecord(value)
  if (record === undefined) return { ok: false, problems: [`"${path}" must be an object with name and variants`] }
  const problems: string[] = []
  const name = readName(record['name'], `${path}.name`, problems)
  checkFields(record, FIELDS, path, problems)
  const known = [...variables, ...readVariables(record['variables'], `${path}.variables`, problems)]
  const variants = readVariants(record['variants'], `${path}.variants`, known, problems)
  const holdout = readFraction(record['holdout'] ?? 0, `${path}.holdout`, problems)
  checkShares(variants, holdout, path, problems)
  const metric = readMetric(record, path, problems)
  const unit = readUnit(record['unit'] ?? 'request', `${path}.unit`, problems)
  const alpha = readFraction(record['alpha'] ?? 0.05, `${path}.alpha`, problems)
  if (alpha > 0.5 || alpha < 1e-6) problems.push(`"${path}.alpha" must be between 0.000001 and 0.5; 0.05 is usual`)
  const guard = readGuard(record['guard'], `${path}.guard`, problems)
  if (problems.length > 0 || metric === undefined) return { ok: false, problems }
  return { ok: true, experiment: { name, version: 1, unit, variants, holdout, metric, alpha, guard } }
}

/** Reads a list of experiments; a duplicate name is a problem. */
export function readExperiments(
  value: unknown,
  path: string,
  variables: readonly string[],
): { readonly experiments: readonly Experiment[]; readonly problems: readonly string[] } {
  const list = asArray(value)
  if (list === undefined) return { experiments: [], problems: [`"${path}" must be a list of experiments`] }
  const experiments: Experiment[] = []
  const problems: string[] = []
  for (const [index, entry] of list.entries()) {
    const reading = readExperiment(entry, `${path}[${index}]`, variables)
    if (!reading.ok) problems.push(...reading.problems)
    else if (experiments.some(({ name }) => name === reading.experiment.name))
      problems.push(`"${path}[${index}].name" "${reading.experiment.name}" is taken by another experiment; rename one`)
    else experiments.push(reading.experiment)
  }
  return { experiments, problems }
}

function readName(value: unknown, path: string, problems: string[]): string {
  const name = asString(value)?.trim() ?? ''
  if (name === '') problems.push(`"${path}" is missing`)
  else if (!NAME.test(name))
    problems.push(`"${path}" must be up to 64 letters, digits, "_", "." and "-", and begin with a letter or digit`)
  return name
}

/** A misspelled field would have no effect without a warning. */
function checkFields(record: object, known: readonly string[], path: string, problems: string[]): void {
  for (const name of Object.keys(record)) {
    if (known.includes(name)) continue
    const [near] = nearest(name, known, 1)
    problems.push(
      `"${path}.${name.slice(0, 60)}" is unknown; ${near === undefined ? `known are ${known.join(', ')}` : `did you mean "${near}"?`}`,
    )
  }
}

function readVariables(value: unknown, path: string, problems: string[]): readonly string[] {
  const names = (asArray(value ?? []) ?? [undefined]).map(asString)
  if (names.every((name) => name !== undefined)) return names
  problems.push(`"${path}" must be a list of names, such as ["question"]`)
  return []
}

function readVariants(value: unknown, path: string, variables: readonly string[], problems: string[]): Variant[] {
  const list = asArray(value) ?? []
  if (list.length < 2 || list.length > MOST_VARIANTS)
    problems.push(`"${path}" must list 2 to ${MOST_VARIANTS} variants, the first being the one you have now`)
  const variants: Variant[] = []
  for (const [index, entry] of list.entries()) {
    const variant = readVariant(entry, `${path}[${index}]`, variables, problems)
    if (variant === undefined) continue
    if (variants.some(({ name }) => name === variant.name))
      problems.push(`"${path}[${index}].name" "${variant.name}" is taken by another variant; rename one`)
    variants.push(variant)
  }
  return variants
}

function readVariant(value: unknown, path: string, known: readonly string[], problems: string[]): Variant | undefined {
  const record = asRecord(value)
  if (record === undefined || record['name'] === undefined) {
    problems.push(`"${path}" needs a name`)
    return undefined
  }
  const name = readName(record['name'], `${path}.name`, problems)
  checkFields(record, VARIANT_FIELDS, path, problems)
  problems.push(...parameterProblems(record['parameters'], `${path}.parameters`))
  const template = asString(record['template'])
  const parameters = asRecord(record['parameters'])
  for (const problem of template === undefined ? [] : templateProblems(template, known))
    problems.push(`"${path}.template": ${problem}`)
  return {
    name,
    share: readFraction(record['share'], `${path}.share`, problems),
    ...(template === undefined ? {} : { template }),
    ...textField(record, 'model'),
    ...textField(record, 'provider'),
    ...(parameters === undefined ? {} : { parameters: parameters as Record<string, Json> }), // parsed from JSON
  }
}

function textField<K extends string>(record: Record<string, unknown>, key: K): { readonly [P in K]?: string } {
  const text = asString(record[key])
  return text === undefined ? {} : ({ [key]: text } as { [P in K]: string }) // the single key passed in
}

function readFraction(value: unknown, path: string, problems: string[]): number {
  const number = asNumber(value)
  if (number !== undefined && number >= 0 && number <= 1) return number
  problems.push(`"${path}" must be a number from 0 to 1`)
  return 0
}

function checkShares(variants: readonly Variant[], holdout: number, path: string, problems: string[]): void {
  let sum = holdout
  for (const { share } of variants) sum += share
  if (Math.abs(sum - 1) > 1e-9)
    problems.push(`"${path}": the shares and the holdout add up to ${Number(sum.toFixed(6))} instead of 1`)
  for (const { name, share } of variants)
    if (share === 0) problems.push(`"${path}": variant "${name}" has a share of 0 and would never run; remove it`)
}

function readMetric(record: Record<string, unknown>, path: string, problems: string[]): Metric | undefined {
  const value = record['metric'] ?? 'quality'
  const own = asRecord(value)
  const metric = own === undefined ? findMetric(asString(value) ?? '') : ownMetric(own, `${path}.metric`, problems)
  if (metric === undefined) {
    problems.push(`"${path}.metric" must be quality, success, latency, cost, or { name, better, minimum_effect }`)
    return undefined
  }
  const effect = asNumber(record['minimum_effect'] ?? metric.minimumEffect)
  if (effect !== undefined && effect > 0) return { ...metric, minimumEffect: effect }
  problems.push(`"${path}.minimum_effect" must be a number above 0: the smallest difference that matters to you`)
  return undefined
}

const METRIC_NAME = /^[A-Za-z][\w .-]{0,60}$/

/** Any number the user reports. Without a range it is used as is, up to a billion either way. */
function ownMetric(record: Record<string, unknown>, path: string, problems: string[]): Metric | undefined {
  const name = asString(record['name'])?.trim() ?? ''
  const better = record['better'] ?? 'higher'
  const minimumEffect = asNumber(record['minimum_effect'])
  if (!METRIC_NAME.test(name) || minimumEffect === undefined || (better !== 'higher' && better !== 'lower'))
    return undefined
  if (findMetric(name) !== undefined)
    problems.push(`"${path}.name" is measured by keywise: write "metric": "${name}" and "minimum_effect" beside it`)
  const min = asNumber(record['min'] ?? -1e9) ?? -1e9
  const max = asNumber(record['max'] ?? 1e9) ?? 1e9
  if (min >= max) problems.push(`"${path}": min must be below max`)
  return { name, better, min, max, minimumEffect, scale: 'plain' }
}

function readUnit(value: unknown, path: string, problems: string[]): Experiment['unit'] {
  if (value === 'request' || value === 'session') return value
  const label = asString(value)
  if (label?.startsWith('label:') && label.length > 6) return { label: label.slice(6) }
  problems.push(`"${path}" must be request, session, or label:NAME`)
  return 'request'
}

function readGuard(value: unknown, path: string, problems: string[]): Guard {
  const record = asRecord(value ?? {})
  if (record === undefined) problems.push(`"${path}" must be an object such as { "max_success_loss": 0.05 }`)
  const maxSuccessLoss = readFraction(record?.['max_success_loss'] ?? 0.05, `${path}.max_success_loss`, problems)
  const ratio = record?.['max_cost_ratio'] ?? null
  if (ratio === null) return { maxSuccessLoss, maxCostRatio: null }
  const maxCostRatio = asNumber(ratio) ?? 0
  if (maxCostRatio < 1) problems.push(`"${path}.max_cost_ratio" must be a number of at least 1, such as 2`)
  return { maxSuccessLoss, maxCostRatio }
}
