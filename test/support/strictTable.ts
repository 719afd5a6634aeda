/** Tests of a table of strict rules: each rule refuses one request in exact words and takes its near neighbour. */

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { asArray, asRecord } from '../../src/domain/json.ts'
import type { Rule, StrictRefusal, StrictRequest } from '../../src/lab/strict/rule.ts'
import { mutate } from './chatArbitraries.ts'

export interface StrictCase {
  /** The id of the rule. */
  readonly rule: string
  /** The words of the refusal, whole. */
  readonly says: string
  readonly refused: StrictRequest
  /** A request like it that the whole table takes. */
  readonly taken: StrictRequest
  /** Default: 400. */
  readonly status?: number
}

/** A row of a table in which the path, the service and what every body has are the same. */
export type StrictRow<Body = Readonly<Record<string, unknown>>> = readonly [
  rule: string,
  says: string,
  refused: Body,
  taken: Body,
  status?: number,
]

export function casesOf<Body>(rows: readonly StrictRow<Body>[], ask: (body: Body) => StrictRequest): StrictCase[] {
  return rows.map(([rule, says, refused, taken, status]) => ({
    rule,
    says,
    refused: ask(refused),
    taken: ask(taken),
    ...(status !== undefined && { status }),
  }))
}

/** What the first rule that refuses it says; null when all take it. */
export function firstRefusal(rules: readonly Rule[], request: StrictRequest): { rule: string; says: string } | null {
  for (const { id, refuse } of rules) {
    const refusal = refuse(request)
    if (refusal !== null) return { rule: id, says: wordsOf(refusal) }
  }
  return null
}

/** The sentence, wherever the service's envelope has it. */
function wordsOf({ body }: StrictRefusal): string {
  const { error, detail, message } = asRecord(body) ?? {}
  return String(asRecord(asArray(detail)?.[0])?.['msg'] ?? asRecord(error)?.['message'] ?? error ?? message)
}

export function testTable(rules: readonly Rule[], cases: readonly StrictCase[]): void {
  for (const { rule, says, refused, taken, status = 400 } of cases) {
    test(`${rule} refuses: ${says.slice(0, 90)}`, () => {
      expect(firstRefusal(rules, refused)).toEqual({ rule, says })
      expect(rules.find(({ id }) => id === rule)?.refuse(refused)?.status).toBe(status)
      expect(firstRefusal(rules, taken)).toBeNull()
    })
  }

  test('no rule throws at a body with fields dropped or replaced by values of other types', () => {
    const bodies = fc.constantFrom(...cases.flatMap(({ refused, taken }) => [refused, taken]))
    const numbers = fc.array(fc.double({ min: 0, max: 0.999, noNaN: true }), { minLength: 97, maxLength: 97 })
    fc.assert(
      fc.property(bodies, numbers, (request, values) => {
        let at = 0
        const body = mutate(request.body, () => values[at++ % values.length] ?? 0)
        const strange: StrictRequest = { ...request, body: Object.assign({ toString: [], constructor: 1 }, body) }
        for (const { refuse } of rules) refuse(strange)
      }),
      { numRuns: 300 },
    )
  })

  test('every rule has a request that it refuses and a neighbour that it takes', () => {
    const tried = new Set(cases.map(({ rule }) => rule))
    expect(rules.map(({ id }) => id).filter((id) => !tried.has(id))).toEqual([])
    expect([...tried].filter((id) => !rules.some((rule) => rule.id === id))).toEqual([])
  })

  test('every rule has an id of its own, a source and the day on which it was read', () => {
    expect(new Set(rules.map(({ id }) => id)).size).toBe(rules.length)
    for (const { id, source, checkedAt } of rules) {
      expect(id).toMatch(/^[a-z0-9]+(?:-[a-z0-9]+)*$/)
      expect(source).toMatch(/^https:\/\/[^\s]+$/)
      expect(checkedAt).toMatch(/^\d{4}-\d{2}-\d{2}$/)
    }
  })
}
