/** What answers of all providers cost, against amounts worked out by hand from the providers' published prices. */

import { describe, expect, test } from 'vitest'
import type { Dialect } from '../src/dialects/dialect.ts'
import { dialectOf } from '../src/dialects/dialects.ts'
import { embeddingsFor } from '../src/dialects/embeddings/upstream.ts'
import { unitsDialect } from '../src/dialects/units/unitsDialect.ts'
import type { ChatChunk, Usage } from '../src/domain/chat.ts'
import { costOf } from '../src/money/cost.ts'
import { loadGenaiPrices } from '../src/money/genaiPrices.ts'
import type { Price } from '../src/money/price.ts'
import { Prices } from '../src/money/prices.ts'
import { catalog, findProvider } from '../src/providers/catalog.ts'
import { assembleResponse } from './support/assembleResponse.ts'
import { corpus, differences, published } from './support/costCorpus/corpus.ts'
import { type CostRecord, NOON, nanoOf, type Reader } from './support/costCorpus/record.ts'

const prices = new Prices({ lookup: await loadGenaiPrices() })

const READERS: { readonly [R in Reader]: Dialect } = {
  chat: dialectOf('openai'),
  responses: dialectOf('openai-responses'),
  messages: dialectOf('anthropic'),
  gemini: dialectOf('google'),
  vectors: embeddingsFor('openai') ?? expect.fail(),
  'gemini vectors': embeddingsFor('google') ?? expect.fail(),
  units: unitsDialect,
}

/** The price of a billed target of the provider, from the same facts as in a registry of targets. */
function priceOf({ provider, model }: Pick<CostRecord, 'provider' | 'model'>): Price | null {
  const spec = findProvider(provider)
  return prices.priceOf({
    provider,
    model,
    free: false,
    local: spec?.local === true,
    cataloguePrice: spec?.models.find(({ id }) => id === model)?.price ?? null,
    tiers: spec?.tiers,
    tools: spec?.toolPrices,
    unitPrice: spec?.unitPrices?.find(({ match }) => match.test(model))?.price,
  })
}

function usageOf({ reader, answer }: Pick<CostRecord, 'reader' | 'answer'>): Usage | undefined {
  const { upstream } = READERS[reader]
  if (!Array.isArray(answer)) {
    const read = upstream.readResponse(answer)
    return read.ok ? read.response.usage : expect.fail('not an answer')
  }
  const stream = upstream.streamReader()
  const chunks: ChatChunk[] = answer.flatMap((event) => [...stream.push('', JSON.stringify(event))])
  return assembleResponse([...chunks, ...stream.end()]).usage
}

/** What the record expects of `costOf`, after its sums have been worked out again. */
function expectedOf(record: CostRecord): object {
  if (!('by' in record)) return { nanoUsd: null, range: undefined }
  if ('nanoUsd' in record) {
    expect(record.nanoUsd, record.by).toBe(nanoOf(record.by))
    return { nanoUsd: record.nanoUsd, range: undefined }
  }
  const { atLeast, by, atMost, byMost, published: asked } = record
  expect([atLeast, atMost], `${by} to ${byMost}`).toEqual([nanoOf(by), nanoOf(byMost)])
  if (asked !== undefined) {
    expect(nanoOf(asked)).toBeGreaterThanOrEqual(atLeast)
    expect(nanoOf(asked)).toBeLessThanOrEqual(atMost)
  }
  return { nanoUsd: null, range: { atLeast, atMost } }
}

function costOfRecord(record: CostRecord) {
  const usage = usageOf(record)
  if ('because' in record && record.because === 'nothing counted') expect(usage).toBeUndefined()
  else expect(usage).toBeDefined()
  return usage && costOf(usage, priceOf(record), Date.parse(record.at ?? NOON))
}

describe.each([...new Set(corpus.map(({ provider }) => provider))])('%s', (provider) => {
  for (const record of corpus.filter((one) => one.provider === provider))
    test(`${record.model}: ${record.of}`, () => {
      const { nanoUsd = null, range, reported = false } = costOfRecord(record) ?? {}
      expect({ nanoUsd, range }).toEqual(expectedOf(record))
      expect(reported).toBe('stated' in record)
      if (!('stated' in record) && 'because' in record === false) expect(priceOf(record)).not.toBeNull()
    })
})

describe('prices that the list has otherwise than the provider publishes', () => {
  // A record that fails here has been put right by a newer list: move it into the corpus.
  for (const record of differences)
    test(`${record.model}: ${record.of}`, () => {
      expectedOf(record)
      expect(costOfRecord(record)?.nanoUsd).not.toBe('nanoUsd' in record ? record.nanoUsd : undefined)
    })
})

describe('the corpus', () => {
  test('has records of every provider and part', () => {
    expect(corpus.length).toBeGreaterThanOrEqual(120)
    const providers = new Set(corpus.map(({ provider }) => provider))
    expect(catalog.map(({ id }) => id).filter((id) => !providers.has(id))).toEqual([])
  })

  test('has a source with its date beside every model that has a price', () => {
    const known = (record: CostRecord) => published[record.provider]?.[record.model]
    const priced = [...corpus, ...differences].filter((record) => 'by' in record)
    for (const record of priced) {
      expect(known(record)?.url, `${record.provider}/${record.model}`).toMatch(/^https:/)
      expect(known(record)?.readOn, `${record.provider}/${record.model}`).toMatch(/^\d{4}-\d\d-\d\d$/)
    }
  })

  test('names each record once', () => {
    const names = corpus.map(({ provider, model, of }) => `${provider} ${model} ${of}`)
    expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([])
  })
})

test('sums are worked out exactly', () => {
  expect(nanoOf('1000*1.25 + 100*10')).toBe(2_250_000)
  expect(nanoOf('0.5*(1000*0.75 + 100*4.5)')).toBe(600_000)
  expect(nanoOf('1*0.0005')).toBe(1)
  expect(nanoOf('1*0.0004')).toBe(0)
  expect(() => nanoOf('1*(2')).toThrow(SyntaxError)
  expect(() => nanoOf('1*2)')).toThrow(SyntaxError)
  expect(() => nanoOf('one')).toThrow(SyntaxError)
})
