/** What an installation changes, fact by fact. */

import type { Fact } from './factSchema.ts'
import { factKeys, factText } from './factWords.ts'

/** One fact that is new, different or gone. */
export interface FactChange {
  readonly change: 'added' | 'changed' | 'dropped'
  readonly provider: string
  readonly model: string
  /** What it said before; null when it is new. */
  readonly before: string | null
  /** What it says now; null when it is gone. */
  readonly after: string | null
}

/** The differences between two sets, in the order of the later one, then what is gone. */
export function factChanges(before: readonly Fact[], after: readonly Fact[]): readonly FactChange[] {
  const known = new Map(before.flatMap((fact) => factKeys(fact).map((key) => [key, fact] as const)))
  const changes: FactChange[] = []
  const seen = new Set<Fact>()
  for (const fact of after) {
    const { provider, model } = fact
    const olds = [...new Set(factKeys(fact).flatMap((key) => known.get(key) ?? []))]
    for (const old of olds) seen.add(old)
    const [first] = olds
    const was = olds.length === 0 ? null : olds.map(factText).join(', ')
    if (first === undefined) changes.push({ change: 'added', provider, model, before: null, after: factText(fact) })
    else if (was !== factText(fact) || dateOf(first) !== dateOf(fact))
      changes.push({ change: 'changed', provider, model, before: was, after: factText(fact) })
  }
  for (const fact of before)
    if (!seen.has(fact))
      changes.push({
        change: 'dropped',
        provider: fact.provider,
        model: fact.model,
        before: factText(fact),
        after: null,
      })
  return changes
}

const dateOf = ({ checked, asOfAfter, source }: Fact) => `${checked} ${asOfAfter} ${source}`
