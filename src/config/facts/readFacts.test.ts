import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ConfigError } from '../../domain/errors.ts'
import { factChanges } from './factChanges.ts'
import { factsJsonSchema } from './factSchema.ts'
import { digestOf, readFacts } from './readFacts.ts'

const NOW = Date.parse('2026-11-30T12:00:00Z')
const COMMON = {
  provider: 'groq',
  model: 'openai/gpt-oss-*',
  source: 'https://example.com',
  checked: '2026-11-30',
  as_of_after: '2027-02-28',
}
const LIMIT = { ...COMMON, kind: 'limit', unit: 'requests', window: 'day', limit: 1000 }
const PRICE = { ...COMMON, kind: 'price', price: { input: 0.15, output: 0.6 } }

const file = (facts: unknown, more: object = {}) => ({ keywise_facts: 1, published: '2026-11-30', facts, ...more })
const bytesOf = (value: unknown) => new TextEncoder().encode(typeof value === 'string' ? value : JSON.stringify(value))
const read = (value: unknown) => readFacts(bytesOf(value), 'facts.json', NOW)

test('keywise.facts.schema.json matches the schema; `npm run schema` writes it', () => {
  const path = new URL('../../../keywise.facts.schema.json', import.meta.url)
  expect(readFileSync(path, 'utf8')).toBe(`${JSON.stringify(factsJsonSchema(), null, 2)}\n`)
})

test('readFacts() reads every kind, with the words of the configuration', () => {
  const facts = [
    LIMIT,
    { ...PRICE, price: { input: 1, output: 2, cached_input: 0.5, cache_write_1h: 3, tools: { web_search: 10 } } },
    { ...COMMON, kind: 'free_tier', free_tier: true },
    { ...COMMON, kind: 'retired', on: '2027-05-01', successor: 'b' },
    { ...COMMON, kind: 'window', context_tokens: 131_072, max_output_tokens: 65_536 },
    { ...COMMON, kind: 'ability', abilities: { tools: true, json_schema: false } },
    { ...COMMON, kind: 'listed', listed: false },
  ]
  const set = read(file(facts))
  expect(set).toMatchObject({ published: '2026-11-30', skipped: [] })
  expect(set.facts.map(({ kind }) => kind)).toEqual(facts.map(({ kind }) => kind))
  expect(set.facts[1]).toMatchObject({ asOfAfter: '2027-02-28', price: { cachedInput: 0.5, cacheWrite1h: 3 } })
  expect(set.facts[5]).toMatchObject({ abilities: { tools: true, jsonSchema: false } })
})

test('readFacts() says where an object stands in the place of a text', () => {
  const odd = { kind: 'retired', provider: 'groq', model: { length: { valueOf: 1, toString: 1 } } }
  expect(() => read({ keywise_facts: 1, published: '2026-11-30', facts: [odd] })).toThrow(ConfigError)
})

test('readFacts() knows a provider by its other names', () => {
  expect(read(file([{ ...LIMIT, provider: 'gemini' }])).facts[0]?.provider).toBe('google')
})

describe('readFacts() refuses', () => {
  for (const { name, value, says } of [
    { name: 'what is no JSON', value: '{', says: 'facts.json: is not JSON' },
    { name: 'another file', value: { groq: {} }, says: 'is not a facts file: it has no "keywise_facts"' },
    { name: 'a later format', value: file([], { keywise_facts: 2 }), says: 'has version 2 of the format' },
    {
      name: 'a format that nobody wrote',
      value: `{"keywise_facts":${'['.repeat(500_000)}${']'.repeat(500_000)}}`,
      says: /"keywise_facts" must be a number; this keywise reads 1$/,
    },
    {
      name: 'a format that would steer a terminal',
      value: file([], { keywise_facts: '\u009b2J' }),
      says: /: "keywise_facts" must be a number; this keywise reads 1$/,
    },
    { name: 'no list', value: file({}), says: '"facts" must be a list' },
    { name: 'too many', value: file(Array(100_001).fill(0)), says: 'has 100001 facts; at most 100000 are read' },
    { name: 'a file of tomorrow', value: file([], { published: '2026-12-24' }), says: '"published" is in the future' },
    { name: 'no day', value: file([], { published: '2026-02-30' }), says: '"published" is not a day of the calendar' },
    { name: 'no object', value: file([7]), says: 'facts[0] must be an object with a "kind"' },
    { name: 'no source', value: file([LIMIT, { ...PRICE, source: undefined }]), says: 'facts[1].source is missing' },
    {
      name: 'a price that is absurd',
      value: file([{ ...PRICE, price: { input: 150_000, output: 1 } }]),
      says: 'facts[0].price.input must be an amount of USD from 0 to 100000',
    },
    { name: 'a limit below 0', value: file([{ ...LIMIT, limit: -1 }]), says: 'facts[0].limit is wrong: Too small' },
    { name: 'a unit of its own', value: file([{ ...LIMIT, unit: 'calls' }]), says: 'facts[0].unit' },
    {
      name: 'a window without size',
      value: file([{ ...COMMON, kind: 'window' }]),
      says: 'facts[0] needs "context_tokens"',
    },
    {
      name: 'a fact of the future',
      value: file([{ ...LIMIT, checked: '2026-12-24' }]),
      says: 'facts[0].checked is in the future (2026-12-24)',
    },
    {
      name: 'a fact that ends before it begins',
      value: file([{ ...LIMIT, as_of_after: '2026-11-29' }]),
      says: 'facts[0].as_of_after (2026-11-29) is before .checked',
    },
    {
      name: 'a fact for ever',
      value: file([{ ...LIMIT, as_of_after: '2099-01-01' }]),
      says: 'is more than 5 years after .checked',
    },
    {
      name: 'a fact for ever, of a year with less than four digits',
      value: file([{ ...LIMIT, checked: '0001-01-01', as_of_after: '2099-01-01' }]),
      says: 'is more than 5 years after .checked',
    },
    {
      name: 'two facts about the same',
      value: file([LIMIT, PRICE, { ...LIMIT, limit: 5 }]),
      says: 'facts[2] is about the same as facts[0]; keep one',
    },
    {
      name: 'what would steer a terminal',
      value: file([{ ...LIMIT, source: '\u001b[2J' }]),
      says: 'facts[0].source must be one line of text without control characters',
    },
    {
      name: 'what some terminals break into two lines',
      value: file([{ ...LIMIT, model: 'a\u2028b' }]),
      says: 'facts[0].model must be one line of text without control characters',
    },
  ])
    test(name, () => {
      expect(() => read(value)).toThrow(says)
    })

  test('a file of more than 8 MiB, and text that is not UTF-8', () => {
    expect(() => readFacts(new Uint8Array(8 * 1024 * 1024 + 1), 'f', NOW)).toThrow('f: is larger than 8 MiB')
    expect(() => readFacts(Uint8Array.of(0xff, 0xfe), 'f', NOW)).toThrow('f: is not UTF-8 text')
  })

  test('with every fact that is wrong, up to ten', () => {
    const wrong = Array.from({ length: 12 }, () => ({ ...LIMIT, limit: -1 }))
    const message = String(expectError(() => read(file(wrong))))
    expect(message.match(/facts\[\d+\]\.limit/g)).toHaveLength(10)
    expect(message).toContain('and 2 more')
  })
})

test('readFacts() leaves out what a later version may know', () => {
  const { facts, skipped } = read(file([{ ...LIMIT, tier: 'paid' }, { ...COMMON, kind: 'speed' }, PRICE]))
  expect(facts.map(({ kind }) => kind)).toEqual(['price'])
  expect(skipped).toEqual([
    'facts[0] is left out: this keywise does not know its field "tier"',
    'facts[1] is left out: this keywise knows no kind "speed"',
  ])
})

test('readFacts() repeats no name that would turn the text around it', () => {
  const { skipped } = read(
    file([
      { ...COMMON, kind: 'speed\u202e\u2028' },
      { ...LIMIT, 'tier\u202e': 1 },
    ]),
  )
  expect(skipped.join()).not.toMatch(/[\u202e\u2028]/)
})

test('readFacts() says what is wrong of anything, and never anything else than a ConfigError', () => {
  const part = fc.oneof(fc.jsonValue(), fc.constant(LIMIT), fc.constant(PRICE))
  fc.assert(
    fc.property(
      fc.oneof(
        fc.jsonValue(),
        fc.array(part).map((facts) => file(facts)),
      ),
      (value) => {
        try {
          read(value)
        } catch (error) {
          expect(error).toMatchObject({ code: 'CONFIG' })
        }
      },
    ),
  )
})

test('digestOf() is that of sha256sum', () => {
  expect(digestOf(bytesOf(''))).toBe('sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855')
})

test('factChanges() tells what is new, different, confirmed and gone', () => {
  const before = read(file([LIMIT, PRICE, { ...LIMIT, model: 'gone' }])).facts
  const after = read(
    file([
      { ...LIMIT, limit: 50 },
      { ...PRICE, checked: '2026-11-29' },
      { ...LIMIT, model: 'new' },
    ]),
  ).facts
  expect(
    factChanges(before, after).map(({ change, model, before: was, after: is }) => [change, model, was, is]),
  ).toEqual([
    ['changed', 'openai/gpt-oss-*', '1,000 requests a day', '50 requests a day'],
    ['changed', 'openai/gpt-oss-*', '$0.15 / $0.6 per million tokens in/out', '$0.15 / $0.6 per million tokens in/out'],
    ['added', 'new', null, '1,000 requests a day'],
    ['dropped', 'gone', '1,000 requests a day', null],
  ])
  expect(factChanges(before, before)).toEqual([])
})

function expectError(run: () => unknown): unknown {
  try {
    run()
  } catch (error) {
    return error
  }
  return expect.fail('nothing was thrown')
}
