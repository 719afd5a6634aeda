/** What clients say inside messages, parts and tools reaches the model in its own words, or is named as left out. */

import { describe, expect, test } from 'vitest'
import { openGateway } from './support/gatewayWorld.ts'

const PDF = Buffer.from('%PDF-1.4 a').toString('base64')
const PNG = Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex').toString('base64')
const URL = `data:image/png;base64,${PNG}`
const RESPONSES = 'gpt-5.1-codex'
const CHAT = 'openai/gpt-4.1'
const CLAUDE = 'anthropic/claude-sonnet-5'
const GEMINI = 'google/gemini-3.5-flash'
const GROQ = 'groq/openai/gpt-oss-120b'

async function ask(path: string, body: object) {
  await using world = await openGateway(
    {
      providers: {
        openai: { models: { 'gpt-4.1': {}, [RESPONSES]: {} } },
        anthropic: { models: { 'claude-sonnet-5': {} } },
        google: { models: { 'gemini-3.5-flash': {} } },
        groq: { models: { 'openai/gpt-oss-120b': {} } },
      },
    },
    {
      reconfigure: (config) => ({
        ...config,
        openai: { ...config['openai'], dialect: ['openai', 'openai-responses'] },
      }),
    },
  )
  const response = await world.ask(path, body)
  const [call] = world.fakes.calls
  return {
    status: response.status,
    refusal: call?.refusal,
    leftOut: response.headers.get('x-keywise-left-out')?.split(', ') ?? [],
    sent: JSON.stringify(call?.body),
  }
}

const claude = (model: string, content: unknown, more: object = {}) => ({
  model,
  max_tokens: 50,
  messages: [{ role: 'user', content }],
  ...more,
})
const chat = (model: string, messages: readonly object[]) => ({ model, messages })
const schema = { type: 'object', properties: {} }
const failed = (content: unknown) => [
  { role: 'user', content: 'Look' },
  { role: 'assistant', content: [{ type: 'tool_use', id: 'toolu_1', name: 'look', input: {} }] },
  { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'toolu_1', content, is_error: true }] },
]

describe('a tool that failed', () => {
  test.each<[string, unknown, string]>([
    [CHAT, 'no such file', 'Error: no such file'],
    [GROQ, [{ type: 'text', text: 'no such file' }], 'Error: no such file'],
    [RESPONSES, 'no such file', 'Error: no such file'],
    [CHAT, undefined, '"content":"Error:"'],
    [CHAT, 'ValueError: error 5', '"content":"ValueError: error 5"'],
  ])('is told %s with %j', async (model, content, words) => {
    const body = { model, max_tokens: 50, tools: [{ name: 'look', input_schema: schema }], messages: failed(content) }
    const { status, refusal, sent } = await ask('/v1/messages', body)
    expect([status, refusal]).toEqual([200, undefined])
    expect(sent).toContain(words)
  })
})

describe('what is said of a document', () => {
  const document = {
    type: 'document',
    title: 'Report',
    context: 'Written in 1999',
    source: { type: 'base64', media_type: 'application/pdf', data: PDF },
    citations: { enabled: true },
  }
  test.each([CHAT, GEMINI, RESPONSES])('is read by %s, and its citations are named', async (model) => {
    const { status, sent, leftOut } = await ask(
      '/v1/messages',
      claude(model, [document, { type: 'text', text: 'Sum up' }]),
    )
    expect(status).toBe(200)
    expect(sent).toContain('Written in 1999')
    expect(leftOut).toContain('citations')
  })
})

describe('how closely to look at a picture', () => {
  const seen = { role: 'user', content: [{ type: 'image_url', image_url: { url: URL, detail: 'low' } }] }
  test('is said to Responses as chat says it', async () => {
    const { sent, leftOut } = await ask('/v1/chat/completions', chat(RESPONSES, [seen]))
    expect(sent).toContain('"detail":"low"')
    expect(leftOut).toEqual([])
  })

  test('and to chat as Responses says it', async () => {
    const input = [{ role: 'user', content: [{ type: 'input_image', image_url: URL, detail: 'high' }] }]
    const { sent, refusal } = await ask('/v1/responses', { model: CHAT, input, previous_response_id: null })
    expect(refusal).toBeUndefined()
    expect(sent).toContain('"detail":"high"')
  })

  test.each([CLAUDE, GEMINI])('is named as left out for %s', async (model) => {
    expect((await ask('/v1/chat/completions', chat(model, [seen]))).leftOut).toEqual(['detail'])
  })
})

describe('named as left out', () => {
  test.each([CLAUDE, GEMINI])('is the name of who speaks, for %s', async (model) => {
    const { leftOut, status } = await ask(
      '/v1/chat/completions',
      chat(model, [{ role: 'user', name: 'ada', content: 'Hi' }]),
    )
    expect([status, leftOut]).toEqual([200, ['messages[].name']])
  })

  test('are options of tools that only Anthropic has', async () => {
    const tools = [{ name: 'look', input_schema: schema, input_examples: [{}], cache_control: { type: 'ephemeral' } }]
    const { leftOut, status } = await ask('/v1/messages', claude(CHAT, 'Hi', { tools }))
    expect([status, leftOut.toSorted()]).toEqual([200, ['cache_control', 'tools[].input_examples']])
  })

  test('is what ran at the provider in an earlier turn', async () => {
    const messages = [
      { role: 'user', content: 'Search' },
      {
        role: 'assistant',
        content: [
          { type: 'server_tool_use', id: 'srvtoolu_1', name: 'web_search', input: { query: 'moon' } },
          { type: 'web_search_tool_result', tool_use_id: 'srvtoolu_1', content: [] },
          { type: 'text', text: 'It is far.' },
        ],
      },
      { role: 'user', content: 'How far?' },
    ]
    const { leftOut, status } = await ask('/v1/messages', { model: CHAT, max_tokens: 50, messages })
    expect([status, leftOut]).toEqual([200, ['server_tool_use', 'web_search_tool_result']])
  })

  test('is how many words an answer of Responses shall have', async () => {
    const { leftOut } = await ask('/v1/responses', { model: CLAUDE, input: 'Hi', text: { verbosity: 'low' } })
    expect(leftOut).toEqual(['text.verbosity'])
  })

  test('is which part of a film is meant', async () => {
    const parts = [
      { text: 'Hi' },
      { inlineData: { mimeType: 'image/png', data: PNG }, mediaResolution: { level: 'LOW' } },
    ]
    const { leftOut } = await ask(`/v1beta/models/${CLAUDE}:generateContent`, { contents: [{ role: 'user', parts }] })
    expect(leftOut).toEqual(['mediaResolution'])
  })
})

test.each([CHAT, CLAUDE, RESPONSES])('a film on YouTube is no document for %s', async (model) => {
  const parts = [{ text: 'Sum up' }, { fileData: { fileUri: 'https://www.youtube.com/watch?v=1' } }]
  const { status, sent } = await ask(`/v1beta/models/${model}:generateContent`, { contents: [{ role: 'user', parts }] })
  expect([status, sent]).toEqual([400, undefined])
})
