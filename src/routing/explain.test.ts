import { describe, expect, test } from 'vitest'
import { makeFailure, makeQuality, makeSuccess, makeTarget } from '../../test/support/makeEvents.ts'
import { makeRoutingRequest } from '../../test/support/makeRoutingRequest.ts'
import { Router, type RoutingRequest } from './choose.ts'
import type { RankedTarget } from './explain.ts'
import { ROUTING } from './settings.ts'

const NOW = Date.UTC(2026, 10, 23, 12)
const groq = makeTarget({ provider: 'groq' })
const google = makeTarget({
  provider: 'google',
  profile: { qualityPrior: 0.7, qualityPriorSource: 'catalogue tier B' },
})

const request = (facts: Partial<RoutingRequest> = {}) =>
  makeRoutingRequest({ inputTokens: 10, mayExplore: false, ...facts })

/** Groq answers three of four, at once; Google answers all, slowly. */
function makeRouter(): Router {
  const router = new Router({ settings: ROUTING, random: () => 0.5 })
  router.setTargets([groq, google])
  for (let number = 0; number < 40; number++) {
    router.fold(number % 4 ? makeSuccess(groq, NOW, { latencyMs: 150 }) : makeFailure(groq, NOW))
    router.fold(makeSuccess(google, NOW - 3_600_000, { latencyMs: 3900 }))
    router.fold(makeQuality(groq, NOW, 1))
  }
  return router
}

describe('explain()', () => {
  test('lists targets in the order of tries and says why the first would be chosen, and why not one with a better score', () => {
    const [first, second] = makeRouter().rank(request(), NOW)
    expect([first!.target, second!.target]).toEqual([google, groq])
    expect(first!.score).toBeLessThan(second!.score)
    expect(first!.reason).toMatch(/^best value: V \.\d\d against \.\d\d of groq\/m#1$/)
    expect(second!.reason).toMatch(/^success risk: V \.\d\d < \.\d\d$/)
  })

  test('gives as many digits of V as are needed to see who is ahead', () => {
    const router = new Router({ settings: ROUTING, random: () => 0.5 })
    router.setTargets([groq, google])
    for (let number = 0; number < 40; number++) {
      router.fold(makeSuccess(groq, NOW, { latencyMs: 1500 }))
      router.fold(makeSuccess(google, NOW - 3_600_000, { latencyMs: 1490 }))
      for (const target of [groq, google]) router.fold(makeQuality(target, NOW, target === google ? 0.81 : 0.8))
    }
    const [first] = router.rank(request(), NOW)
    const [, mine, theirs] = /: V (\S+) against (\S+) of /.exec(first!.reason!) ?? []
    expect(Number(mine)).toBeGreaterThan(Number(theirs))
  })

  test('calls a target with a better score than the chosen one a success risk', () => {
    const rows = makeRouter().decide(request(), NOW).explain()
    expect(rows[1]!.reason).toMatch(/^success risk: V \.\d\d < \.\d\d$/)
  })

  test('every row has both numbers, the terms, and their inputs', () => {
    const decision = makeRouter().decide(request(), NOW)
    const row = decision.explain().find(({ target }) => target === groq)!
    expect(row.inputs.reliability).toBe('30 of 40; last 10 minutes 30 of 40')
    expect(row.inputs.quality).toBe('40 scores')
    expect(row.inputs.speed).toMatch(/^\d+ ms$/)
    expect(row.terms.reliability).toBeCloseTo(0.75, 1)
    expect(row.priors).toEqual([])
  })

  test('priors are marked and name their source', () => {
    const router = new Router({ settings: ROUTING, random: () => 0.5 })
    router.setTargets([google])
    const [row] = router.rank(request(), NOW)
    expect(row!.priors).toEqual(['reliability', 'speed', 'quality'])
    expect(row!.inputs.quality).toBe('prior 0.7: catalogue tier B')
    expect(row!.inputs.recency).toBe('new')
    expect(row!.terms.recency).toBe(0)
  })

  test('an ineligible target comes last, with its reason', () => {
    const blocked = { code: 'parked', reason: 'blocked: 429 until 08:00 UTC', until: NOW + 1 } as const
    const rows = makeRouter().rank(request({ ineligible: (target) => (target === google ? blocked : null) }), NOW)
    expect(rows.map(({ rank, target, eligible, reason }) => [rank, target, eligible, reason])).toEqual([
      [1, groq, true, 'the only target that could be tried'],
      [2, google, false, 'blocked: 429 until 08:00 UTC'],
    ])
  })

  test('explaining changes no later decision', () => {
    const [quiet, asked] = [makeRouter(), makeRouter()]
    const firsts = (router: Router, explains: boolean) =>
      Array.from({ length: 50 }, (_, number) => {
        const decision = router.decide(request({ id: `r${number}`, mayExplore: true }), NOW)
        if (explains) decision.explain()
        return decision.first?.id
      })
    expect(firsts(asked, true)).toEqual(firsts(quiet, false))
  })
})

describe('preview()', () => {
  const bare = (rows: readonly RankedTarget[]) => rows.map(({ inputs: _, priors: __, ...row }) => row)

  test('agrees with explain() for few targets', () => {
    const decision = makeRouter().decide(request(), NOW)
    expect(decision.preview(20).ranking).toEqual(bare(decision.explain()))
  })

  test('returns the first rows of thousands, always with the chosen one', () => {
    const router = new Router({ settings: ROUTING, random: () => 0.5 })
    const targets = Array.from({ length: 3000 }, (_, index) =>
      makeTarget({ model: `m${index}`, profile: { qualityPrior: (index % 997) / 1000 } }),
    )
    router.setTargets(targets)
    const decision = router.decide(request(), NOW)
    const out = { code: 'parked', reason: 'parked', until: null } as const
    expect(decision.preview(20).ranking).toEqual(bare(decision.explain()).slice(0, 20))
    const rows = decision.preview(20, { ineligible: () => out }).ranking
    expect(rows[0]).toMatchObject({ target: decision.first, eligible: true })
    expect(rows).toHaveLength(20)
  })
})
