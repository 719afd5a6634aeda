import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { valueTexts } from '../../test/support/jsonTexts.ts'
import { jsonInSlices, type SliceOptions, TooManyPartsError } from './jsonInSlices.ts'
import { NestingError, parseJson } from './parseJson.ts'

const FREE = { maxDepth: 200, maxParts: 1e9, maxElements: 1e9 }

function read(text: string, options: Partial<SliceOptions> = {}): { value: unknown; pauses: number } {
  const work = jsonInSlices(text, { ...FREE, ...options })
  for (let pauses = 0; ; pauses++) {
    const step = work.next()
    if (step.done) return { value: step.value, pauses }
  }
}

const errorOf = (work: () => unknown) => {
  try {
    work()
    return null
  } catch (error) {
    return error instanceof Error ? error.constructor.name : 'no error'
  }
}

describe('jsonInSlices() reads', () => {
  test('every text as the parser of short ones does, whatever the length of its runs', () => {
    fc.assert(
      fc.property(valueTexts, fc.integer({ min: 1, max: 30 }), (text, run) => {
        expect(JSON.stringify(read(text, { run }).value)).toBe(JSON.stringify(parseJson(text)))
      }),
      { numRuns: 500 },
    )
  })

  test('and refuses what that refuses', () => {
    const pieces = fc.constantFrom(
      '',
      '-',
      '0',
      ',',
      ',,',
      '}',
      ']',
      '{',
      '[',
      '"',
      ':',
      ' ',
      '\u00a0',
      '"a":1',
      'null',
    )
    const broken = fc.tuple(valueTexts, fc.nat(), pieces, fc.integer({ min: 1, max: 12 }))
    fc.assert(
      fc.property(broken, ([text, place, piece, run]) => {
        const at = place % (text.length + 1)
        const wrong = text.slice(0, at) + piece + text.slice(at + (place % 2))
        expect(errorOf(() => read(wrong, { run }))).toBe(errorOf(() => parseJson(wrong)))
      }),
      { numRuns: 700 },
    )
  })

  test.each([
    ['a comma in front of nothing', '[[1,2,3,4],]'],
    ['nothing in front of a comma', '[,[1,2,3,4]]'],
    ['a list that ends like an object', '[[1,2,3,4]}'],
    ['elements without a comma between them', '[[1,2,3,4][1,2,3,4]]'],
    ['two values', '[1,2,3,4] [1,2,3,4]'],
    ['an object whose value has no name', '{"a":1,[1,2,3,4]}'],
    ['an object whose value has two names', '{"a":"b":[1,2,3,4]}'],
    ['a value with a word behind it', '[[1,2,3,4] true,1]'],
    ['what never ends', '[[1,2,3,4],'],
  ])('and refuses %s', (_what, text) => {
    expect(errorOf(() => read(text, { run: 2 }))).toBe('SyntaxError')
    expect(errorOf(() => JSON.parse(text))).toBe('SyntaxError')
  })
})

describe('jsonInSlices() bounds', () => {
  test('the characters that are looked at and parsed without a pause', () => {
    const text = JSON.stringify({
      messages: Array.from({ length: 60_000 }, (_, at) => ({ role: 'user', content: `${at}` })),
    })
    let longest = 0
    let sincePause = 0
    const parse = (run: string) => {
      sincePause += run.length
      longest = Math.max(longest, sincePause, run.length)
      return JSON.parse(run)
    }
    const work = jsonInSlices(text, { ...FREE, parse })
    let pauses = 0
    while (work.next().done !== true) {
      pauses++
      sincePause = 0
    }
    expect(text.length).toBeGreaterThan(2_000_000)
    expect(pauses).toBeGreaterThan(text.length / 300_000)
    expect(longest).toBeLessThan(400_000)
  })

  test('the depth, before anything behind it is looked at', () => {
    const text = '['.repeat(20_000_000)
    const work = jsonInSlices(text, FREE)
    // At once: without a single pause.
    expect(() => work.next()).toThrow(NestingError)
  })

  test.each([
    ['objects', `[${'{},'.repeat(1000)}{}]`],
    ['fields', `{${'"a":1,'.repeat(1000)}"a":1}`],
  ])('the number of %s', (_what, text) => {
    expect(() => read(text, { maxParts: 1000 })).toThrow(TooManyPartsError)
    expect(read(text, { maxParts: 1003 }).value).toEqual(JSON.parse(text))
  })

  test('the number of elements', () => {
    const text = `[${'1,'.repeat(1000)}1]`
    expect(() => read(text, { maxElements: 999 })).toThrow(TooManyPartsError)
    expect(read(text, { maxElements: 1000 }).value).toHaveLength(1001)
  })
})
