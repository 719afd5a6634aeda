import { describe, expect, test } from 'vitest'
import type { DialectId } from '../../domain/chat.ts'
import { toolsNeedOf } from './toolsNeed.ts'

const needOf = (dialect: DialectId, fields: Record<string, unknown>) =>
  toolsNeedOf({ model: 'm', messages: [], stream: false, extra: { dialect, fields } })

describe('how often tools that run at the provider may be used', () => {
  for (const { name, dialect, fields, uses } of [
    {
      name: 'as often as the request allows each of them',
      dialect: 'anthropic',
      fields: {
        tools: [
          { type: 'web_search_20250305', name: 'web_search', max_uses: 3 },
          { type: 'web_fetch_20250910', name: 'web_fetch', max_uses: 1 },
        ],
      },
      uses: { web_search: 3, web_fetch: 1 },
    },
    {
      name: 'ten times where it allows more than it says',
      dialect: 'anthropic',
      fields: { tools: [{ type: 'web_search_20260209', name: 'web_search' }] },
      uses: { web_search: 10 },
    },
    {
      name: 'ten times where its number bounds nothing',
      dialect: 'anthropic',
      fields: {
        tools: [
          { type: 'web_search_20260209', name: 'web_search', max_uses: -1 },
          { type: 'web_fetch_20250910', name: 'web_fetch', max_uses: Number.POSITIVE_INFINITY },
        ],
      },
      uses: { web_search: 10, web_fetch: 10 },
    },
    {
      name: 'as often as all may be called together, and a container once',
      dialect: 'openai-responses',
      fields: {
        max_tool_calls: 4,
        tools: [
          { type: 'web_search_preview' },
          { type: 'file_search', vector_store_ids: ['v'] },
          { type: 'code_interpreter', container: { type: 'auto' } },
          { type: 'image_generation' },
          { type: 'function', name: 'web_search', parameters: {} },
        ],
      },
      uses: { web_search: 4, file_search: 4, code_interpreter: 1, image_generation: 4 },
    },
    {
      name: 'in the words of Gemini',
      dialect: 'google',
      fields: {
        tools: [{ functionDeclarations: [] }, { google_search: {} }, { googleMaps: {} }, { codeExecution: {} }],
      },
      uses: { web_search: 10, google_maps: 1 },
    },
    {
      name: 'by a switch for searches',
      dialect: 'openai',
      fields: { web_search_options: {} },
      uses: { web_search: 10 },
    },
    {
      name: 'by a plugin of a router',
      dialect: 'openai',
      fields: { plugins: [{ id: 'web' }] },
      uses: { web_search: 10 },
    },
    {
      name: 'at the service itself',
      dialect: 'openai',
      fields: { tools: [{ type: 'browser_search' }] },
      uses: { web_search: 10 },
    },
  ] as const)
    test(name, () => expect(needOf(dialect, fields)).toEqual({ dialect, uses }))

  for (const [dialect, fields] of [
    ['openai', { tools: [{ type: 'function', function: { name: 'web_search' } }] }],
    ['openai', { plugins: [{ id: 'file-parser' }], web_search_options: null }],
    [
      'anthropic',
      {
        tools: [
          { name: 'web_search', input_schema: {} },
          { type: 'bash_20250124', name: 'bash' },
        ],
      },
    ],
    ['google', { tools: [{ functionDeclarations: [{ name: 'googleSearch' }] }, null, 5] }],
  ] as const)
    test(`nothing is billed of ${JSON.stringify(fields)}`, () => expect(needOf(dialect, fields)).toBeUndefined())

  test('nothing is billed of a request without fields of its dialect', () =>
    expect(toolsNeedOf({ model: 'm', messages: [], stream: false })).toBeUndefined())
})
