/** Rules written as a table of one reading: the key is the id, so that no two have the same. */

import type { Rule, StrictRefusal, StrictRequest } from './rule.ts'

interface Row {
  readonly source: string
  readonly refuse: (request: StrictRequest) => StrictRefusal | null
}

/** `checkedAt`: ISO date on which the sources were read. The order is that in which the service looks. */
export function ruleTable(checkedAt: string, rows: Readonly<Record<string, Row>>): readonly Rule[] {
  return Object.entries(rows).map(([id, { source, refuse }]) => ({ id, source, checkedAt, refuse }))
}

/** The same rules, asked only about requests to that path. */
export function onPath(path: string, rules: readonly Rule[]): readonly Rule[] {
  return rules.map((rule) => ({
    ...rule,
    refuse: (request) => (request.path.endsWith(path) ? rule.refuse(request) : null),
  }))
}

/** The rules of that id, for services that share them. Throws for an id that is not there. */
export function rulesNamed(rules: readonly Rule[], ids: readonly string[]): readonly Rule[] {
  return ids.map((id) => {
    const rule = rules.find((one) => one.id === id)
    if (rule === undefined) throw new Error(`no rule "${id}"`)
    return rule
  })
}

/** The first refusal, in the order of the rules; null when none refuses. */
export function refusalBy(rules: readonly Rule[], request: StrictRequest): StrictRefusal | null {
  return first(rules, (rule) => rule.refuse(request))
}

/** What the first item for which there is something gives. */
export function first<Item, Found>(
  items: Iterable<Item>,
  find: (item: Item, index: number) => Found | null,
): Found | null {
  let index = 0
  for (const item of items) {
    const found = find(item, index++)
    if (found !== null) return found
  }
  return null
}
