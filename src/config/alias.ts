/** What a name of `settings.models` stands for. */

import type { Ability } from '../domain/target.ts'

/** A name that stands for every target that satisfies this now. */
export interface AliasCondition {
  readonly from: readonly string[]
  /** In the words of the file, for messages. */
  readonly needs: readonly { readonly word: string; readonly ability: Ability }[]
  readonly minContext: number | null
  readonly maxUsdOut: number | null
  readonly free: boolean
  /** Empty: every target equally. */
  readonly order: readonly string[]
}

export type Alias = readonly string[] | AliasCondition
export type Aliases = Readonly<Record<string, Alias>>

export const isCondition = (alias: Alias): alias is AliasCondition => 'from' in alias

/** The names it chooses among: all of a list. */
export const namesOf = (alias: Alias): readonly string[] => (isCondition(alias) ? alias.from : alias)
