import { describe, expect, test } from 'vitest'
import { caseOf, casesOf, FuzzFailure, type FuzzTarget, fuzz, promise, Random } from './driver.ts'
import { copyOf, mutated, mutatedBytes, mutatedList, mutatedText, smallerTexts, smallerValues } from './mutate.ts'

const START = { list: [1, 'two', { three: null }], text: 'x', deep: { deeper: { deepest: true } } }

/** Fails for a value that holds a list of more than two items anywhere. */
const planted: FuzzTarget<unknown> = {
  name: 'planted',
  share: 1,
  make: (random) => mutated(START, random),
  check: (value) => promise(!/\[[^[\]]*,[^[\]]*,/.test(JSON.stringify(value) ?? ''), 'three in a list'),
  smaller: smallerValues,
  show: (value) => JSON.stringify(value),
}

test('a broken promise is found, made small, and said with what tries it again', async () => {
  const failed = await fuzz(planted, { seed: 7, cases: 50 }).catch((error: unknown) => error)
  expect(failed).toBeInstanceOf(FuzzFailure)
  const { message } = failed as FuzzFailure // just checked
  expect(message).toMatch(
    /^planted, seed 7, case (\d+): three in a list\nagain: KEYWISE_SEED=7 npm run fuzz -- --only planted --first \1 --cases 1\n/,
  )
  const smallest = /smallest input: (.*)$/.exec(message)?.[1] ?? ''
  // Nothing can be taken away any more.
  expect(smallest.length).toBeLessThan(30)
  for (const smaller of smallerValues(JSON.parse(smallest))) expect(() => planted.check(smaller)).not.toThrow()
})

test('a case depends on seed, target and number alone', () => {
  const some = (seed: number, name = 'planted') =>
    Array.from({ length: 20 }, (_, number) => JSON.stringify(caseOf({ name, make: planted.make }, seed, number)))
  expect(some(1)).toEqual(some(1))
  expect(some(1)).not.toEqual(some(2))
  expect(some(1)).not.toEqual(some(1, 'other'))
})

test('a target that is opened is closed, also after a failure', async () => {
  const seen: string[] = []
  const target: FuzzTarget<number> = {
    name: 'opened',
    share: 1,
    open: async () => void seen.push('open'),
    close: async () => void seen.push('close'),
    make: () => 1,
    check: () => promise(false, 'always'),
    smaller: () => [],
    show: String,
  }
  await expect(fuzz(target, { seed: 1, cases: 3 })).rejects.toThrow('always')
  expect(seen).toEqual(['open', 'close'])
})

test('cases are shared out, and no target goes without', () => {
  expect(casesOf([{ share: 3 }, { share: 1 }], 100)).toEqual([75, 25])
  expect(casesOf([{ share: 99 }, { share: 0.1 }], 10)).toEqual([10, 1])
})

describe('mutations', () => {
  const random = () => new Random(3)

  test('leave what they are made from as it was', () => {
    const before = JSON.stringify(START)
    const dice = random()
    for (let count = 0; count < 500; count++) mutated(START, dice)
    expect(JSON.stringify(START)).toBe(before)
  })

  test('change most values, and often keep most of their structure', () => {
    const dice = random()
    const made = Array.from({ length: 500 }, () => mutated(START, dice) as Record<string, unknown>) // an object, or what took its place
    const kept = made.filter((value) => typeof value === 'object' && value !== null && 'deep' in value).length
    const same = made.filter((value) => JSON.stringify(value) === JSON.stringify(START)).length
    expect(kept).toBeGreaterThan(300)
    expect(same).toBeLessThan(300)
  })

  test('can name a field __proto__ without changing a prototype', () => {
    const copy = copyOf(JSON.parse('{"__proto__":{"a":1}}')) as object // it was an object
    expect(Object.getPrototypeOf(copy)).toBe(Object.prototype)
    expect(JSON.stringify(copy)).toBe('{"__proto__":{"a":1}}')
  })

  test('break texts and bytes in some cases, not in most', () => {
    const dice = random()
    const texts = Array.from({ length: 400 }, () => mutatedText(START, dice, 0.25))
    const valid = texts.filter((text) => text === JSON.stringify(START)).length
    expect(valid).toBeGreaterThan(250)
    expect(valid).toBeLessThan(350)
    const bytes = Array.from({ length: 400 }, () => mutatedBytes('Grüße', dice).toString())
    expect(bytes.filter((text) => text === 'Grüße').length).toBeLessThan(350)
  })

  test('drop, double and move items of a list', () => {
    const dice = random()
    const lists = Array.from({ length: 400 }, () => mutatedList([1, 2, 3, 4], dice, (item) => item * 10).join())
    expect(lists.some((list) => list.split(',').length < 4)).toBe(true)
    expect(lists.some((list) => list.split(',').length > 4)).toBe(true)
    expect(lists).toContain('1,2,3,4')
    expect(lists.some((list) => list.includes('0'))).toBe(true)
  })

  test('smaller texts are smaller', () => {
    for (const text of smallerTexts('some text of a few words')) expect(text.length).toBeLessThan(24)
  })
})
