/** What an edit of an experiment changes: its data, only the rules by which the data is read, or nothing. */

import { type Dealing, movedShare } from './dealing.ts'
import type { Experiment, Variant } from './experiment.ts'
import type { Metric } from './metric.ts'
import { changesBy } from './parameters.ts'

/**
 * Whether the observations of one are those of the other: the same variants with the same shares, dealt to the same
 * units, decided by the same metric. What may differ are the rules and the order of the variants after the first.
 */
export function hasSameData(one: Experiment, other: Experiment): boolean {
  return dataText(one) === dataText(other)
}

/** Whether the same observations also lead to the same conclusions. */
export function hasSameRules(one: Experiment, other: Experiment): boolean {
  return rulesText(one) === rulesText(other)
}

/** Whether both reach their verdict by the same rules; the guard and the order of the variants are none of them. */
export function decidesAlike(one: Experiment, other: Experiment): boolean {
  return one.alpha === other.alpha && sameMetric(one.metric, other.metric)
}

function dataText({ name, unit, variants, holdout, metric }: Experiment): string {
  const treated = variants.map((variant) => [variant.name, shareText(variant.share), treatment(variant)].join('\n'))
  return JSON.stringify([name, unit, shareText(holdout), metric.name, variants[0]?.name, treated.sort()])
}

function rulesText({ alpha, metric, guard, variants }: Experiment): string {
  return JSON.stringify([alpha, metric, guard, variants.map(({ name }) => name)])
}

/** 0.1 + 0.2 is the share 0.3. */
const shareText = (share: number) => share.toFixed(9)

/** What a variant does to a request, whatever its name and the spelling of its fields. */
function treatment({ template, model, provider, parameters }: Variant): string {
  const changes = Object.entries(changesBy(parameters ?? {})).sort(([a], [b]) => (a < b ? -1 : 1))
  return JSON.stringify([template ?? null, model ?? null, provider ?? null, changes])
}

/** The new names of variants that do what a variant that is gone did. */
export function renamedVariants(before: Experiment, after: Experiment): ReadonlyMap<string, string> {
  const has = ({ variants }: Experiment, name: string) => variants.some((one) => one.name === name)
  const fresh = after.variants.filter(({ name }) => !has(before, name))
  const renamed = new Map<string, string>()
  for (const gone of before.variants) {
    if (has(after, gone.name)) continue
    const at = fresh.findIndex((one) => treatment(one) === treatment(gone))
    const [successor] = at < 0 ? [] : fresh.splice(at, 1)
    if (successor !== undefined) renamed.set(gone.name, successor.name)
  }
  return renamed
}

/** Two versions of one experiment, each as it is dealt. */
interface DealtExperiment {
  readonly experiment: Experiment
  readonly dealing: Dealing
}

/** What makes a version another one than the version before, and which units it moves. */
export function versionChangeText(before: DealtExperiment, after: DealtExperiment): string {
  const renamed = renamedVariants(before.experiment, after.experiment)
  const parts = [
    ...variantChanges(before.experiment, after.experiment, renamed),
    ...changed('holdout', percent(before.experiment.holdout), percent(after.experiment.holdout)),
    ...changed('unit', countedUnit(before.experiment), countedUnit(after.experiment)),
    ...changed('metric', before.experiment.metric.name, after.experiment.metric.name),
    ...changed('first variant', before.experiment.variants[0]?.name, after.experiment.variants[0]?.name),
  ]
  return [...parts, movedText(before, after, renamed)].join(', ')
}

function movedText(before: DealtExperiment, after: DealtExperiment, renamed: ReadonlyMap<string, string>): string {
  if (countedUnit(before.experiment) !== countedUnit(after.experiment)) return 'other units, dealt anew'
  const moved = movedShare(before.dealing, after.dealing, renamed)
  if (moved === 0) return 'no unit changes its variant'
  return `${percent(moved)} of the units change their variant, all others keep theirs`
}

function variantChanges(before: Experiment, after: Experiment, renamed: ReadonlyMap<string, string>): string[] {
  const nameNow = ({ name }: Variant) => renamed.get(name) ?? name
  const gone = before.variants.filter((one) => !after.variants.some(({ name }) => name === nameNow(one)))
  const kept = after.variants.flatMap((now) => {
    const was = before.variants.find((one) => nameNow(one) === now.name)
    return was === undefined ? [`${now.name} added with ${percent(now.share)}`] : variantChange(was, now)
  })
  return [...kept, ...gone.map(({ name }) => `${name} removed`)]
}

function variantChange(was: Variant, now: Variant): string[] {
  return [
    ...(was.name === now.name ? [] : [`${was.name} renamed to ${now.name}`]),
    ...(treatment(was) === treatment(now) ? [] : [`${now.name} asks in another way`]),
    ...changed(`share of ${now.name}`, percent(was.share), percent(now.share)),
  ]
}

/** How the rules differ, one text for each; empty when they do not. */
export function ruleChanges(before: Experiment, after: Experiment): readonly string[] {
  const order = ({ variants }: Experiment) => variants.map(({ name }) => name).join(', ')
  return [
    ...changed('alpha', before.alpha, after.alpha),
    ...changed('minimum effect', before.metric.minimumEffect, after.metric.minimumEffect),
    ...changed('better', before.metric.better, after.metric.better),
    ...changed('min', before.metric.min, after.metric.min),
    ...changed('max', before.metric.max, after.metric.max),
    ...changed('largest loss of success', percent(before.guard.maxSuccessLoss), percent(after.guard.maxSuccessLoss)),
    ...changed('largest cost ratio', before.guard.maxCostRatio ?? 'none', after.guard.maxCostRatio ?? 'none'),
    ...changed('order', order(before), order(after)),
  ]
}

/**
 * What a verdict has to say of rules that were changed while there was data; null for nothing. `earlier`: the rules that
 * held then. Rules that are stricter than all of them need no word: what they call certain would have been before.
 */
export function rulesNote(earlier: readonly Experiment[], now: Experiment): string | null {
  const others = earlier.filter((one) => !decidesAlike(one, now))
  const areStricter = others.every(({ alpha, metric }) => now.alpha < alpha && sameMetric(metric, now.metric))
  const [first] = others
  if (first === undefined || areStricter) return null
  const changes = ruleChanges({ ...first, guard: now.guard, variants: now.variants }, now).join(', ')
  return `its rules were changed while there was data (${changes}): as certain as that only if the result did not suggest the change`
}

const sameMetric = (one: Metric, other: Metric) => JSON.stringify(one) === JSON.stringify(other)

const changed = (what: string, before: unknown, after: unknown) =>
  before === after ? [] : [`${what} ${String(before)} → ${String(after)}`]

export const countedUnit = ({ unit }: Pick<Experiment, 'unit'>) =>
  typeof unit === 'string' ? unit : `label:${unit.label}`

const percent = (share: number) => `${Number((share * 100).toFixed(2))} %`
