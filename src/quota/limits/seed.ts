/**
 * Limits that a provider publishes or that were observed elsewhere: shown with their age, never used to exclude or
 * pace.
 */

import type { LimitUnit, LimitWindow } from '../../domain/failure.ts'
import type { QuotaScope } from '../../domain/scope.ts'

/** The part of a provider's seed limit that is used here. */
export interface QuotaSeed {
  /** Model id; `*` matches any run of characters. */
  readonly model: string
  readonly unit: LimitUnit
  readonly window: LimitWindow
  readonly limit: number
  readonly scope: QuotaScope
  /** Where the number was read. */
  readonly source?: string
  /** ISO date. */
  readonly checkedAt: string
  /** ISO date after which the number is only as of `checkedAt`; default: 90 days later. */
  readonly asOfAfter?: string
}

/** What is published of a target, one limit per unit and window: what was checked last, then what names it best. */
export function publishedFor(model: string, seeds: readonly QuotaSeed[]): readonly QuotaSeed[] {
  const best = new Map<string, QuotaSeed>()
  for (const seed of seeds) {
    if (!coversModel(seed.model, model)) continue
    const name = `${seed.unit}/${seed.window}`
    const known = best.get(name)
    if (known === undefined || isBetter(seed, known)) best.set(name, seed)
  }
  return [...best.values()]
}

function isBetter(seed: QuotaSeed, known: QuotaSeed): boolean {
  if (seed.checkedAt !== known.checkedAt) return seed.checkedAt > known.checkedAt
  return lettersOf(seed) > lettersOf(known)
}

const lettersOf = ({ model }: QuotaSeed) => model.replaceAll('*', '').length

/** Whether a seed's `model` pattern covers the model. */
export function coversModel(pattern: string, model: string): boolean {
  const pieces = pattern.split('*')
  const last = pieces.length - 1
  if (last === 0) return pattern === model
  const head = pieces[0]!
  const tail = pieces[last]!
  if (model.length < head.length + tail.length || !model.startsWith(head) || !model.endsWith(tail)) return false
  let from = head.length
  for (let place = 1; place < last; place++) {
    const found = model.indexOf(pieces[place]!, from)
    if (found < 0) return false
    from = found + pieces[place]!.length
  }
  return from <= model.length - tail.length
}

/**
 * The models that a provider counts together, separately from its others: OpenRouter's `:free` models share one quota
 * that does not apply to its paid ones. Empty when all models of the account count together.
 */
export function familyOf(model: string, seeds: readonly QuotaSeed[]): string {
  for (const { model: pattern, scope } of seeds)
    if (scope !== 'account+model' && pattern !== '*' && pattern.includes('*') && coversModel(pattern, model))
      return pattern
  return ''
}
