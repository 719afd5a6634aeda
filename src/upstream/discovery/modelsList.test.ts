import { describe, expect, test } from 'vitest'
import { openai } from '../../providers/openai.ts'
import { readModelsPage } from './modelsList.ts'

const ids = (body: unknown, shape: Parameters<typeof readModelsPage>[1] = 'openai') =>
  readModelsPage(body, shape, openai)?.models.map(({ id }) => id) ?? null

describe('a models list', () => {
  test('has no names with half a character, and its next page can be asked for all the same', () => {
    const page = readModelsPage(
      { data: [{ id: 'a' }, { id: 'b\ud800' }], has_more: true, last_id: '\udc00' },
      'openai',
      openai,
    )
    expect(page).toMatchObject({ models: [{ id: 'a' }], next: 'after_id=%EF%BF%BD' })
  })

  test.each([
    ['OpenAI', { object: 'list', data: [{ id: 'a' }, { id: 'b' }] }],
    ['a bare list', [{ id: 'a' }, { id: 'b' }]],
    ['names alone', ['a', 'b']],
    ['names as data', { data: ['a', 'b'] }],
    ['names as models', { models: ['a', 'b'] }],
    ['models with a name', { models: [{ name: 'a' }, { name: 'b' }] }],
    ['models with a model', { models: [{ model: 'a' }, { model: 'b' }] }],
    ['models with a model name', { data: [{ model_name: 'a' }, { model_name: 'b' }] }],
    ['no data, but models', { data: null, models: [{ id: 'a' }, { id: 'b' }] }],
    ['empty data beside models', { data: [], models: [{ id: 'a' }, { id: 'b' }] }],
    ['a result', { success: true, result: [{ id: 'a' }, { id: 'b' }] }],
    ['results', { results: [{ id: 'a' }, { id: 'b' }] }],
    ['items', { items: [{ id: 'a' }, { id: 'b' }] }],
    ['a list inside of data', { data: { models: [{ id: 'a' }, { id: 'b' }] } }],
    ['a list inside of a result', { result: { data: ['a', 'b'] } }],
    ['an object by id', { data: { a: { owned_by: 'x' }, b: {} } }],
    ['models by id', { models: { a: { context_length: 5 }, b: null } }],
    ['rows that are none among them', { data: [null, { id: 'a' }, {}, { id: 5 }, '', 7, { id: 'b' }] }],
  ])('is read from %s', (_, body) => {
    expect(ids(body)).toEqual(['a', 'b'])
    for (const shape of ['array', 'google', 'anthropic', 'cohere', 'ollama', 'cloudflare'] as const)
      expect({ shape, ids: ids(body, shape) }).toEqual({ shape, ids: ['a', 'b'] })
  })

  test.each([
    ['an error', { error: 'Unexpected endpoint or method' }],
    ['an error object', { error: { message: 'gone' } }],
    ['a text', 'ok'],
    ['nothing', null],
    ['a status', { status: 'ok', data: 'none' }],
    ['an error as data', { data: { error: { message: 'gone' } } }],
  ])('is not read from %s', (_, body) => {
    expect(ids(body)).toBeNull()
  })

  test.each([
    ['an empty list', { data: [] }],
    ['an empty object by id', { data: {} }],
  ])('may be empty: %s', (_, body) => {
    expect(ids(body)).toEqual([])
  })

  test('has numbers as numbers or as text', () => {
    const contextOf = (fields: object) =>
      readModelsPage([{ id: 'a', ...fields }], 'openai', openai)?.models[0]?.contextTokens
    expect(contextOf({ context_length: '32768' })).toBe(32_768)
    expect(contextOf({ context_window: 8192 })).toBe(8192)
    expect(contextOf({ max_model_len: 4096 })).toBe(4096)
    expect(contextOf({ context_length: 'long', max_model_len: 4096 })).toBe(4096)
  })

  test('says what a model supports, in the words of Anthropic', () => {
    const capabilities = {
      image_input: { supported: true },
      structured_outputs: { supported: false },
      thinking: { supported: true, types: { adaptive: { supported: true } } },
      batch: { supported: true },
    }
    const page = readModelsPage({ data: [{ id: 'claude-x', type: 'model', capabilities }] }, 'anthropic', openai)
    expect(page?.models[0]?.abilities).toEqual({ images: true, jsonSchema: false, reasoning: true })
  })
})
