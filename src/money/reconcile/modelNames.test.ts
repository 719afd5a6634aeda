import { describe, expect, test } from 'vitest'
import { readSku } from './forms/sku.ts'
import { modelGroups } from './modelNames.ts'

describe('modelGroups() finds the ledger’s model', () => {
  const cases: readonly (readonly [theirs: string, ours: string, isSame: boolean])[] = [
    ['gpt-4o-2024-08-06', 'gpt-4o', true],
    ['gpt-4o-2024-08-06', 'gpt-4o-2024-05-13', false],
    ['gpt-4o-mini-2024-07-18', 'gpt-4o', false],
    ['Claude Haiku 4.5', 'claude-haiku-4-5-20251001', true],
    ['Claude 3.5 Sonnet 2024-10-22', 'claude-3-5-sonnet-20241022', true],
    ['anthropic/claude-4.6-sonnet-20260217', 'anthropic/claude-sonnet-4.6', true],
    ['gemini-3-flash', 'models/gemini-3-flash-preview', true],
    ['gemini-2.5-flash', 'gemini-2.5-flash-preview-09-2025', true],
    ['gemini-2.5-flash', 'gemini-2.5-flash-lite', false],
    ['gemini-2.0-flash', 'gemini-2.0-flash-001', true],
  ]
  test.each(cases)('%s, %s: %s', (theirs, ours, isSame) => {
    const groups = modelGroups([theirs], [ours])
    expect(groups.theirs.get(theirs) === groups.ours.get(ours)).toBe(isSame)
  })

  test('a name that stands for the newest joins the version that the invoice names, and no other of the ledger', () => {
    const { theirs, ours } = modelGroups(['gpt-4o-2024-08-06'], ['gpt-4o', 'gpt-4o-2024-08-06', 'gpt-4o-2024-05-13'])
    expect(ours.get('gpt-4o')).toBe(theirs.get('gpt-4o-2024-08-06'))
    expect(ours.get('gpt-4o-2024-08-06')).toBe(theirs.get('gpt-4o-2024-08-06'))
    expect(ours.get('gpt-4o-2024-05-13')).toBe('gpt-4o-2024-05-13')
  })

  test('a name that both sides have means itself', () => {
    const { theirs, ours } = modelGroups(['gpt-4o', 'gpt-4o-2024-08-06'], ['gpt-4o'])
    expect(ours.get('gpt-4o')).toBe('gpt-4o')
    expect(theirs.get('gpt-4o-2024-08-06')).toBe('gpt-4o-2024-08-06')
  })
})

// As published by those who read their invoices, 2026-11-30.
test.each([
  ['Generate content input token count gemini 2.5 flash short input text', 'gemini-2.5-flash', 'input'],
  ['Generate content output token count gemini 2.5 flash short input text', 'gemini-2.5-flash', 'output'],
  [
    'Generate content output token count gemini 2.5 flash lite short output text non-thinking',
    'gemini-2.5-flash-lite',
    'output',
  ],
  ['Generate content cached input token count gemini 2.5 flash input audio', 'gemini-2.5-flash', 'cachedAudio'],
  ['Generate content input token count Gemini 2.5 Pro input image', 'gemini-2.5-pro', 'inputImage'],
  ['Generate_content text cached input token count for gemini 3 pro short', 'gemini-3-pro', 'cached'],
  ['Generate_content image output token count for Gemini 3 Pro Image', 'gemini-3-pro-image', 'outputImage'],
  [
    'Generate_content image output token count for Gemini 2.5 Flash Native Image Generation',
    'gemini-2.5-flash-image',
    'outputImage',
  ],
  ['GenerateContent text output token count for Gemini 2.0 Flash', 'gemini-2.0-flash', 'output'],
  ['Generate content input token count gemini 3.1 flash lite preview text', 'gemini-3.1-flash-lite-preview', 'input'],
  ['Generate content input token count gemini 3.7 flash image flex caching', 'gemini-3.7-flash', 'cachedImage'],
  ['EmbedContent input token count for gemini-embedding-2 text', 'gemini-embedding-2', 'input'],
  ['Gemini 2.5 Pro Thinking Text Output - Predictions', 'gemini-2.5-pro-thinking', 'output'],
])('readSku() reads %s', (description, model, part) => {
  expect(readSku(description)).toMatchObject({ model, part })
})

test('readSku() takes what is no use of a model for none', () => {
  expect(readSku('Cached content storage token hours gemini 2.5 flash')).toBeNull()
  expect(readSku('N2 Instance Core')).toBeNull()
  expect(readSku('Grounding with Google Search')).toMatchObject({ model: null, part: 'tools' })
})
