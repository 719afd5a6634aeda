import fc from 'fast-check'
import { expect, test } from 'vitest'
import { TEN, targetRef } from '../../../test/support/storeEvents.ts'
import { type StatsRow, TargetTotals } from '../tally.ts'
import { readStatsFile } from './readStatsFile.ts'
import { type StatsFile, statsFileOf, statusOf, toImportEvents } from './statsFile.ts'

const ISO = '2026-11-23T10:00:00.000Z'

function statsRow(overrides: Partial<StatsRow> = {}): StatsRow {
  return {
    provider: 'groq',
    keyIndex: 1,
    model: 'm',
    successCount: 3,
    failCount: 1,
    totalLatencyMs: 3_001,
    totalTokens: 400,
    qualitySum: 1.85,
    qualityCount: 2,
    lastSuccess: TEN,
    lastError: { at: TEN - 1, message: 'Too Many Requests', status: 429 },
    lastTested: TEN,
    ...overrides,
  }
}

/** Reads a file with one entry and returns its row. */
function rowOf(model: unknown, key: object = {}) {
  const text = JSON.stringify({
    providers: { groq_key1: { provider: 'groq', keyIndex: 1, ...key, models: { m: model } } },
  })
  return { row: readStatsFile(text).rows[0], problems: readStatsFile(text).problems }
}

test("the file has the predecessor's shape", () => {
  const file = statsFileOf([statsRow()], TEN)
  expect(file).toEqual({
    lastUpdated: ISO,
    providers: {
      groq_key1: {
        provider: 'groq',
        keyIndex: 1,
        lastTested: ISO,
        models: {
          m: {
            status: 'working',
            avgResponseTime: 1_000,
            successCount: 3,
            failCount: 1,
            totalTokensUsed: 400,
            qualityScore: 0.925,
            qualityScoreCount: 2,
            lastSuccess: ISO,
            lastError: { timestamp: '2026-11-23T09:59:59.999Z', error: 'Too Many Requests', statusCode: 429 },
          },
        },
      },
    },
    rankings: {
      bySpeed: [{ provider: 'groq', keyIndex: 1, model: 'm', avgResponseTime: 1_000 }],
      byReliability: [{ provider: 'groq', keyIndex: 1, model: 'm', reliability: 0.75 }],
      byQuality: [{ provider: 'groq', keyIndex: 1, model: 'm', qualityScore: 0.925 }],
    },
  })
})

test('rankings list working targets, best first, and only those that have the number', () => {
  const rows = [
    statsRow({ model: 'slow', totalLatencyMs: 9_000, qualitySum: 2 }),
    statsRow({ model: 'fast', totalLatencyMs: 300, qualityCount: 0 }),
    statsRow({ model: 'dead', successCount: 0, totalLatencyMs: 0 }),
  ]
  const models = (list: readonly { model: string }[]) => list.map(({ model }) => model)
  const { bySpeed, byQuality, byReliability } = statsFileOf(rows, TEN).rankings
  expect([bySpeed, byQuality, byReliability].map(models)).toEqual([['fast', 'slow'], ['slow'], ['fast', 'slow']])
})

test('of two rows for the same target only the later one is ranked', () => {
  const file = statsFileOf([statsRow({ totalLatencyMs: 9_000 }), statsRow({ successCount: 0, failCount: 1 })], TEN)
  expect(file.rankings).toEqual({ bySpeed: [], byReliability: [], byQuality: [] })
})

test('a time between two milliseconds does not change a status when the file is written', () => {
  const text = JSON.stringify({
    providers: { a_key1: { models: { m: { successCount: 1, lastError: { timestamp: 0.9 } } } } },
  })
  const once = statsFileOf(readStatsFile(text).rows, TEN)
  expect(statsFileOf(readStatsFile(JSON.stringify(once)).rows, TEN)).toEqual(once)
})

const statuses = [
  { name: 'unknown without an attempt', row: { successCount: 0, failCount: 0 }, status: 'unknown' },
  { name: 'working when the last outcome was a success', row: {}, status: 'working' },
  { name: 'failing when the last outcome was a failure', row: { lastSuccess: TEN - 5 }, status: 'failing' },
  { name: 'failing when nothing ever succeeded', row: { successCount: 0, lastSuccess: null }, status: 'failing' },
  {
    name: 'failing at 5 attempts under 50 %',
    row: { successCount: 2, failCount: 3, lastSuccess: 1 },
    status: 'failing',
  },
  { name: 'unreliable above 5 attempts under 50 %', row: { successCount: 2, failCount: 4 }, status: 'unreliable' },
  { name: 'working above 5 attempts at 50 %', row: { successCount: 3, failCount: 3 }, status: 'working' },
  {
    name: 'working when an error without a time is all that speaks against it',
    row: { lastSuccess: null, lastError: { at: null, message: 'x', status: null } },
    status: 'working',
  },
] as const
for (const { name, row, status } of statuses)
  test(`a target is ${name}`, () => expect(statusOf(statsRow(row))).toBe(status))

test('names like __proto__ are ordinary names', () => {
  const file = statsFileOf([statsRow({ provider: '__proto__', model: '__proto__' })], TEN)
  const again = readStatsFile(JSON.stringify(file))
  expect(again.rows[0]).toMatchObject({ provider: '__proto__', model: '__proto__', successCount: 3 })
  expect(({} as Record<string, unknown>)['successCount']).toBeUndefined()
})

test('what was written reads back as the same statistics', () => {
  const count = fc.nat(1_000_000)
  const arbitrary = fc.record({ successCount: count, failCount: count, totalTokens: count, qualityCount: fc.nat(50) })
  fc.assert(
    fc.property(arbitrary, (counts) => {
      const row = statsRow({ ...counts, qualitySum: counts.qualityCount, totalLatencyMs: counts.successCount * 7 })
      const { rows, problems } = readStatsFile(JSON.stringify(statsFileOf([row], TEN)))
      expect(rows).toEqual([row])
      expect(problems).toEqual([])
    }),
    { numRuns: 100 },
  )
})

test('a handwritten file is read as far as possible', () => {
  expect(rowOf({ successCount: 2, avgResponseTime: 100 }).row).toMatchObject({
    successCount: 2,
    failCount: 0,
    totalLatencyMs: 200,
    lastSuccess: null,
    lastError: null,
  })
  expect(rowOf({ lastError: '429 Too Many Requests' }).row?.lastError).toEqual({
    at: null,
    message: '429 Too Many Requests',
    status: null,
  })
  expect(rowOf({ qualityScore: 0.5 }).row).toMatchObject({ qualitySum: 0.5, qualityCount: 1 })
  const named = readStatsFile('\uFEFF{ "providers": { "my_own_key3": { "models": { "m": {} } } } }')
  expect(named.rows[0]).toMatchObject({ provider: 'my_own', keyIndex: 3, model: 'm' })
})

test('implausible values are left out and named', () => {
  const { row, problems } = rowOf(
    { successCount: -1, failCount: 'many', avgResponseTime: 1e300, qualityScore: 7, lastSuccess: 'soon' },
    { lastTested: {} },
  )
  expect(row).toMatchObject({ successCount: 0, failCount: 0, qualityCount: 0, lastSuccess: null, lastTested: null })
  expect(problems).toHaveLength(6)
  expect(problems[1]).toContain('providers.groq_key1.models.m.successCount')
})

test('text that is not a JSON object is corrupted, everything else is not', () => {
  for (const text of ['', '{', '[]', '"x"', 'null', '\0\0\0', '{"providers":'.repeat(3)])
    expect(readStatsFile(text), text).toMatchObject({ isCorrupted: true, rows: [] })
  for (const text of ['{}', '{"providers":[]}', '{"providers":{"x":1}}'])
    expect(readStatsFile(text), text).toMatchObject({ isCorrupted: false, rows: [] })
})

test('reading never throws, whatever the file contains', () => {
  const near = fc.record({
    providers: fc.dictionary(fc.string(), fc.record({ models: fc.dictionary(fc.string(), fc.anything()) })),
  })
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json(), near.map(asJson)), (text) => {
      const { rows, problems } = readStatsFile(text)
      expect(problems.length).toBeLessThanOrEqual(50)
      statsFileOf(rows, TEN)
    }),
    { numRuns: 200 },
  )
})

test('fields keywise does not own are returned', () => {
  expect(readStatsFile('{"providers":{},"note":"mine","rankings":{}}').extra).toEqual({ note: 'mine' })
})

test('an imported file becomes events that give the same statistics, once', () => {
  const file: StatsFile = statsFileOf([statsRow(), statsRow({ model: 'gone' })], TEN)
  const contents = readStatsFile(JSON.stringify(file))
  const target = targetRef({ model: 'm' })
  const resolve = (_provider: string, _keyIndex: number, model: string) => (model === 'm' ? target : undefined)
  const events = toImportEvents(contents, resolve, { at: TEN, origin: 'a' })
  expect(events.map((event) => event.id)).toEqual([`import:${target.stateId}`])
  const tally = new TargetTotals()
  for (const event of events) tally.add(event)
  expect(statsFileOf(tally.rows(), TEN).providers['groq_key1']?.models['m']).toEqual(
    file.providers['groq_key1']?.models['m'],
  )
})

function asJson(value: unknown): string {
  return JSON.stringify(value, (_key, part) => (typeof part === 'bigint' ? String(part) : part)) ?? ''
}
