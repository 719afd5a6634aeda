/** Facts with their source and date: those that keywise is shipped with, and those of a file that the user installed. */

import type { LimitUnit, LimitWindow } from '../domain/failure.ts'
import type { QuotaScope } from '../domain/scope.ts'
import type { Ability, PriceHint } from '../domain/target.ts'

/** Where a fact was read, and when. */
export interface Checked {
  /** The address of a page, or who said so; `observed`: what a key was seen to do. */
  readonly source: string
  /** ISO date. */
  readonly checkedAt: string
}

/** The parts of a provider's facts that come from different pages. */
export type DatedPart = 'models' | 'retirements' | 'families' | 'prices'

/** A limit the provider publishes or others observed: shown with its age, breaks ties, never paces or excludes. */
export interface SeedLimit extends Checked {
  /** Model id; `*` matches any run of characters. */
  readonly model: string
  /** What is counted. */
  readonly unit: LimitUnit
  /** The length of the window it is counted in. */
  readonly window: LimitWindow
  /** How many of the unit per window. */
  readonly limit: number
  /** What it is counted over. */
  readonly scope: QuotaScope
  /** ISO date after which the number is only as of `checkedAt`; default: 90 days later. */
  readonly asOfAfter?: string
}

/** The end of a model. */
export interface Retirement {
  /** ISO date. */
  readonly on: string
  /** The model that the provider names instead. */
  readonly successor?: string
}

/** A fact with its source, its date, and the day until which it counts as current. */
export interface DatedFact<T> extends Checked {
  readonly value: T
  /** ISO date after which it is only as of `checkedAt`. */
  readonly asOfAfter: string
}

/** A fact of a file, as of today. */
export interface InstalledFact<T> extends DatedFact<T> {
  /** Its day is over. */
  readonly isAsOf: boolean
}

/** The fields of a model that have a date of their own. */
export interface DatedFields {
  readonly contextTokens: number
  readonly maxOutputTokens: number
  readonly freeTier: boolean
  /** Withdrawn by now. */
  readonly retired: Retirement
  /** To be withdrawn. */
  readonly retires: Retirement
  readonly listed: boolean
}

/** What is said of one model. */
export interface InstalledModel extends InstalledFields {
  readonly id: string
  readonly price?: InstalledFact<PriceHint>
  readonly abilities: { readonly [A in Ability]?: InstalledFact<boolean> }
}

type InstalledFields = { readonly [F in keyof DatedFields]?: InstalledFact<DatedFields[F]> }

/** What is said of one provider. */
export interface InstalledFacts {
  /** Null when nothing is said of the model. */
  of(model: string): InstalledModel | null
  /** Ids that are named whole, not by a pattern. */
  readonly models: readonly string[]
  readonly limits: readonly SeedLimit[]
}
