import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { someParts } from '../../test/support/chatArbitraries.ts'
import type { Usage } from '../domain/chat.ts'
import { mergeUsage } from './mergeUsage.ts'

const base = { inputTokens: 100, outputTokens: 50, totalTokens: 150, estimated: false }

describe('mergeUsage()', () => {
  test('takes the only report as it is', () => expect(mergeUsage(null, base)).toBe(base))

  test('keeps the larger number where a later report shrinks', () => {
    const later = { inputTokens: 0, outputTokens: 80, totalTokens: 80, cachedInputTokens: 10, estimated: false }
    expect(mergeUsage({ ...base, cachedInputTokens: 40 }, later)).toMatchObject({
      inputTokens: 100,
      outputTokens: 80,
      totalTokens: 180,
      cachedInputTokens: 40,
    })
  })

  test('lets a report in numbers repair one that is NaN', () => {
    expect(mergeUsage({ ...base, inputTokens: Number.NaN }, base).inputTokens).toBe(100)
  })

  test('keeps the larger number of every part, and the tier that was named last', () => {
    const earlier = {
      ...base,
      parts: { input: { audio: 40 }, serverTools: { web_search: 2 }, serviceTier: 'priority', audioSeconds: 3 },
    }
    const later = {
      ...base,
      parts: { input: { audio: 10, image: 5 }, serverTools: { web_search: 1, web_fetch: 1 }, serviceTier: 'flex' },
    }
    expect(mergeUsage(earlier, later).parts).toEqual({
      input: { audio: 40, image: 5 },
      serverTools: { web_search: 2, web_fetch: 1 },
      serviceTier: 'flex',
      audioSeconds: 3,
    })
  })

  test('a later report that tells no parts takes none away, and none come of none', () => {
    const parts = { serviceTier: 'flex', images: 1 }
    expect(mergeUsage({ ...base, parts }, base).parts).toEqual(parts)
    expect(mergeUsage(base, base)).not.toHaveProperty('parts')
  })

  test('no part shrinks, whatever is reported in whatever order', () => {
    fc.assert(
      fc.property(fc.array(someParts, { minLength: 1, maxLength: 5 }), (reports) => {
        const merged = reports.reduce<Usage | null>((sum, parts) => mergeUsage(sum, { ...base, parts }), null)
        for (const parts of reports)
          for (const [path, value] of numbersIn(parts))
            expect(numbersIn(merged?.parts).get(path)).toBeGreaterThanOrEqual(value)
        expect(merged?.parts?.serviceTier).toBe(
          reports.findLast(({ serviceTier }) => serviceTier !== undefined)?.serviceTier,
        )
      }),
    )
  })
})

/** Every number of the parts by where it stands. */
function numbersIn(value: unknown, at = ''): Map<string, number> {
  if (typeof value === 'number') return new Map([[at, value]])
  if (typeof value !== 'object' || value === null) return new Map()
  return new Map(Object.entries(value).flatMap(([name, inner]) => [...numbersIn(inner, `${at}.${name}`)]))
}
