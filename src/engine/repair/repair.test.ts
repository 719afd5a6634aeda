import { describe, expect, test } from 'vitest'
import type { FieldRefusal } from '../../domain/fieldRefusal.ts'
import { repair } from './repair.ts'

const field = (path: string): FieldRefusal => ({ path, refused: 'field' })
const SCHEMA = { type: 'object', properties: { name: { type: 'string', strict: true } } }

type Case = [name: string, refusal: FieldRefusal, body: Record<string, unknown>, after: Record<string, unknown>]

describe('left out is', () => {
  test.each<Case>([
    ['an option', field('verbosity'), { verbosity: 'low', model: 'm' }, { model: 'm' }],
    ['an extra of any shape', field('provider'), { provider: { order: ['a'] }, model: 'm' }, { model: 'm' }],
    ['an option in the spelling of the service', field('topK'), { top_k: 4, model: 'm' }, { model: 'm' }],
    [
      'an option of Gemini, and what it empties',
      field('generation_config.thinking_config.thinking_level'),
      { generationConfig: { thinkingConfig: { thinkingLevel: 'LOW' } }, contents: [] },
      { contents: [] },
    ],
    [
      'a hint in every message',
      field('messages[].prefix'),
      {
        messages: [
          { role: 'user', content: 'a' },
          { role: 'assistant', content: 'b', prefix: true },
        ],
      },
      {
        messages: [
          { role: 'user', content: 'a' },
          { role: 'assistant', content: 'b' },
        ],
      },
    ],
    [
      'a hint only in the messages of the role that the path names',
      field('messages[].assistant.name'),
      {
        messages: [
          { role: 'user', content: 'a', name: 'b' },
          { role: 'assistant', content: 'b', name: 'c' },
        ],
      },
      {
        messages: [
          { role: 'user', content: 'a', name: 'b' },
          { role: 'assistant', content: 'b' },
        ],
      },
    ],
    [
      'a hint behind the type of its part',
      field('messages[].content[].text.cache_control'),
      { messages: [{ role: 'user', content: [{ type: 'text', text: 'a', cache_control: {} }] }] },
      { messages: [{ role: 'user', content: [{ type: 'text', text: 'a' }] }] },
    ],
    [
      'a switch of a tool',
      field('tools[].function.strict'),
      { tools: [{ type: 'function', function: { name: 'f', strict: true } }] },
      { tools: [{ type: 'function', function: { name: 'f' } }] },
    ],
    [
      'what is inside a hint',
      field('system[].cache_control.ttl'),
      { system: [{ type: 'text', text: 'a', cache_control: { type: 'ephemeral', ttl: '1h' } }] },
      { system: [{ type: 'text', text: 'a', cache_control: { type: 'ephemeral' } }] },
    ],
    [
      'an option that is named without its place',
      field('effort'),
      { output_config: { effort: 'max', format: {} } },
      { output_config: { format: {} } },
    ],
    [
      'options without a form of the answer',
      field('output_config'),
      { output_config: { effort: 'low' }, a: 1 },
      { a: 1 },
    ],
    [
      'one of two that exclude each other',
      { path: 'top_p', refused: 'beside', other: 'temperature' },
      { top_p: 0.5, temperature: 0.5 },
      { temperature: 0.5 },
    ],
    [
      'nothing of one alone',
      { path: 'top_p', refused: 'beside', other: 'temperature' },
      { top_p: 0.5 },
      { top_p: 0.5 },
    ],
    [
      'nothing beside thinking that is off',
      { path: 'top_k', refused: 'beside', other: 'thinking' },
      { top_k: 5, thinking: { type: 'disabled' } },
      { top_k: 5, thinking: { type: 'disabled' } },
    ],
    [
      'an unset part',
      field('messages[].audio'),
      { messages: [{ content: 'a', audio: null }] },
      { messages: [{ content: 'a' }] },
    ],
    ['an empty list of tools', field('tools'), { tools: [], model: 'm' }, { model: 'm' }],
    ['one answer', field('n'), { n: 1, model: 'm' }, { model: 'm' }],
    ['text as the only form', field('modalities'), { modalities: ['text'], model: 'm' }, { model: 'm' }],
    [
      'a value that a hint may not have',
      { path: 'service_tier', refused: 'value', taken: ['auto'] },
      { service_tier: 'flex', model: 'm' },
      { model: 'm' },
    ],
  ])('%s', (_name, refusal, body, after) => {
    const before = structuredClone(body)
    expect(repair(body, refusal).body).toEqual(after)
    // The client's own objects are read again for the next target.
    expect(body).toEqual(before)
  })
})

describe('never left out is', () => {
  test.each<[name: string, refusal: FieldRefusal, body: Record<string, unknown>]>([
    ...(
      [
        ...['model', 'messages', 'input', 'contents', 'system', 'tools', 'functions', 'tool_choice', 'response_format'],
        ...['stop', 'logprobs', 'top_logprobs', 'modalities', 'audio', 'max_output_tokens', 'previous_response_id'],
        ...['thread', 'cached_content', 'dimensions', 'web_search_options'],
      ] as const
    ).map((name): [string, FieldRefusal, Record<string, unknown>] => [name, field(name), { [name]: 'x' }]),
    ['an empty conversation', field('messages'), { messages: [] }],
    ['more than one answer', field('n'), { n: 2 }],
    ['two forms of an answer', field('modalities'), { modalities: ['text', 'image'] }],
    [
      'a tool that must be called',
      { path: 'tool_choice', refused: 'alone', without: 'tools' },
      { tool_choice: 'required' },
    ],
    [
      'an option beside what it is about',
      { path: 'tool_choice', refused: 'alone', without: 'tools' },
      { tool_choice: 'auto', tools: [{}] },
    ],
    ['options with a form of the answer', field('text'), { text: { format: { type: 'json_schema' } } }],
    ['the form of an answer', field('text.format'), { text: { format: { type: 'json_schema' } } }],
    [
      'a part',
      field('messages[].content[].image_url'),
      { messages: [{ content: [{ type: 'image_url', image_url: {} }] }] },
    ],
    [
      'a part of unknown type',
      field('messages[].content[].video'),
      { messages: [{ content: [{ video: { url: 'x' } }] }] },
    ],
    ['a text of unknown name', field('messages[].content[].body'), { messages: [{ content: [{ body: 'tell me' }] }] }],
    ['a call', field('messages[].tool_calls'), { messages: [{ tool_calls: [{ id: 'a' }] }] }],
    ['the name of a tool', field('tools[].name'), { tools: [{ name: 'f' }] }],
    [
      'a keyword of a schema',
      field('tools[].function.parameters.strict'),
      { tools: [{ function: { parameters: { strict: true } } }] },
    ],
    [
      'what a schema names',
      field('tools[].input_schema.properties.name.strict'),
      { tools: [{ input_schema: SCHEMA }] },
    ],
    [
      'a keyword of the form of an answer',
      field('generation_config.response_schema.nullable'),
      { generationConfig: { responseSchema: { nullable: true } } },
    ],
    ['half of an option', field('thinking.budget_tokens'), { thinking: { type: 'enabled', budget_tokens: 9 } }],
    [
      'a value that means something',
      { path: 'tool_choice', refused: 'value', taken: ['auto'] },
      { tool_choice: 'required' },
    ],
    [
      'a text for its length',
      { path: 'messages[].content', refused: 'length', most: 2 },
      { messages: [{ content: 'long' }] },
    ],
    ['what is not there', field('store'), { model: 'm' }],
    ['what every object has', field('constructor'), { model: 'm' }],
  ])('%s', (_name, refusal, body) => {
    const repaired = repair(body, refusal)
    expect(repaired).toEqual({ body, isLeftOut: false })
    expect(repaired.body).toBe(body)
  })
})

describe('written otherwise is', () => {
  const efforts = (...taken: string[]): FieldRefusal => ({ path: 'reasoning_effort', refused: 'value', taken })

  test.each<Case>([
    ['a limit under its other name', field('max_tokens'), { max_tokens: 9 }, { max_completion_tokens: 9 }],
    ['an effort below the scale', efforts('low', 'high'), { reasoning_effort: 'minimal' }, { reasoning_effort: 'low' }],
    ['an effort above it', efforts('none', 'low', 'high'), { reasoning_effort: 'max' }, { reasoning_effort: 'high' }],
    ['no effort where some must be', efforts('low', 'high'), { reasoning_effort: 'none' }, { reasoning_effort: 'low' }],
    [
      'an effort that is taken, as it is',
      efforts('low', 'high'),
      { reasoning_effort: 'high' },
      { reasoning_effort: 'high' },
    ],
    ['an effort where only none is taken, not at all', efforts('none'), { reasoning_effort: 'low', a: 1 }, { a: 1 }],
    [
      'an effort in the spelling of the service',
      { path: 'generation_config.thinking_config.thinking_level', refused: 'value', taken: ['LOW', 'HIGH'] },
      { generationConfig: { thinkingConfig: { thinkingLevel: 'minimal' } } },
      { generationConfig: { thinkingConfig: { thinkingLevel: 'LOW' } } },
    ],
    [
      'the role of instructions',
      { path: 'messages[].role', refused: 'value', taken: ['system', 'user'] },
      {
        messages: [
          { role: 'developer', content: 'a' },
          { role: 'user', content: 'b' },
        ],
      },
      {
        messages: [
          { role: 'system', content: 'a' },
          { role: 'user', content: 'b' },
        ],
      },
    ],
    [
      'an effort beside tools',
      { path: 'reasoning_effort', refused: 'beside-tools', taken: 'none' },
      { tools: [{}] },
      { tools: [{}], reasoning_effort: 'none' },
    ],
    [
      'an effort without tools, as it is',
      { path: 'reasoning_effort', refused: 'beside-tools', taken: 'none' },
      { reasoning_effort: 'low' },
      { reasoning_effort: 'low' },
    ],
  ])('%s', (_name, refusal, body, after) => {
    expect(repair(body, refusal).body).toEqual(after)
  })

  test('an id of a call that is too long, and of its result alike', () => {
    const id = 'x'.repeat(60)
    const { body } = repair(
      { messages: [{ tool_calls: [{ id }, { id: 'short' }] }, { tool_call_id: id }] },
      { path: 'messages[].tool_calls[].id', refused: 'length', most: 40 },
    )
    const [{ tool_calls: calls }, { tool_call_id: answered }] = body['messages'] as [
      { tool_calls: { id: string }[] },
      { tool_call_id: string },
    ]
    expect(calls.map((call) => call.id)).toEqual([answered, 'short'])
    expect(answered).toMatch(/^[\da-f]{40}$/)
  })
})
