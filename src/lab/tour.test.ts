import { expect, test } from 'vitest'
import { runTour, type TourScene } from './tour.ts'

const HOUR = 3_600_000
const MIDNIGHT = Date.UTC(2026, 10, 23)
const THIRD_DAY = MIDNIGHT + 48 * HOUR

test("the original's three days: first tests, groq limited and left alone until its reset, google preferred", async () => {
  const scenes: TourScene[] = []
  const { report, calls, ranking, groqParkedUntil, seen } = await runTour({ show: (scene) => scenes.push(scene) })

  // Day 1: every key is tested, the retired model costs no call, and groq is the best.
  expect(report.summary).toMatchObject({ total: 6, passed: 5, failed: 1 })
  expect(report.fastest).toMatchObject({ provider: 'groq', responseTime: 1200 })
  expect(seen.some((call) => call.model === 'llama-3.3-70b-versatile')).toBe(false)
  const providersOf = (from: number, to: number) =>
    calls.filter(({ at }) => at >= from && at < to).map(({ result }) => result.provider)
  expect(new Set(providersOf(MIDNIGHT, MIDNIGHT + 24 * HOUR))).toEqual(new Set(['groq']))

  // Day 2: one request meets the limit and is answered by google; nobody asks groq again before its day begins anew.
  const met = calls.find(({ result }) => result.attempts.length > 1)
  expect(met?.result.attempts.map(({ provider, failureKind }) => [provider, failureKind])).toEqual([
    ['groq', 'quota_day'],
    ['google', null],
  ])
  expect(groqParkedUntil).toBeGreaterThanOrEqual(THIRD_DAY)
  expect(groqParkedUntil).toBeLessThan(THIRD_DAY + 2 * HOUR)
  const metAt = met?.at ?? 0
  expect(seen.filter((call) => call.provider === 'groq' && call.at > metAt && call.at < THIRD_DAY)).toEqual([])
  expect(new Set(providersOf(metAt, THIRD_DAY))).toEqual(new Set(['google']))

  // Day 3: groq may be asked again, and google is preferred for its score.
  expect(new Set(providersOf(THIRD_DAY, Number.POSITIVE_INFINITY))).toEqual(new Set(['google']))
  const [best, groq, openrouter] = ['google', 'groq', 'openrouter'].map((name) =>
    ranking.find((row) => row.provider === name),
  )
  expect(ranking[0]).toBe(best)
  expect([best?.eligible, groq?.eligible]).toEqual([true, true])
  expect(best?.score).toBeGreaterThan((groq?.score ?? 1) + 0.02)
  expect(best?.terms.reliability).toBeGreaterThan(groq?.terms.reliability ?? 1)
  expect(best?.terms.recency).toBeGreaterThan(groq?.terms.recency ?? 1)
  expect(groq?.score).toBeGreaterThan(openrouter?.score ?? 1)
  expect(scenes.filter((scene) => scene.kind === 'day')).toHaveLength(3)
})
