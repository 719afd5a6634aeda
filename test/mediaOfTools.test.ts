/** What a tool shows, and media whose type is said oddly, reach every model in a form that its service takes. */

import { describe, expect, test } from 'vitest'
import { openGateway } from './support/gatewayWorld.ts'

const PNG = Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex').toString('base64')
const PDF = Buffer.from('%PDF-1.4 a').toString('base64')
const ADDRESS = 'https://example.org/a.png'

async function ask(provider: string, model: string, path: string, body: object) {
  await using world = await openGateway({ providers: { [provider]: { models: { [model]: {} } } } })
  const response = await world.ask(path, { model: `${provider}/${model}`, ...body })
  const [call] = world.fakes.calls
  return {
    status: response.status,
    refusal: call?.refusal,
    sent: JSON.stringify(call?.body),
    text: await response.text(),
  }
}

const png = { type: 'image', source: { type: 'base64', media_type: 'image/png', data: PNG } }
const pdf = { type: 'document', source: { type: 'base64', media_type: 'application/pdf', data: PDF } }
const byAddress = { type: 'image', source: { type: 'url', url: ADDRESS } }

describe.each([
  ['google', 'gemini-2.5-flash'],
  ['google', 'gemini-3.5-flash'],
  ['openai', 'gpt-4.1'],
])('%s %s', (provider, model) => {
  test.each([
    ['a picture', png, PNG],
    ['a document', pdf, PDF],
    ['a picture by its address', byAddress, ADDRESS],
  ])('is shown %s of a tool', async (_, block, sign) => {
    const use = (id: string) => ({ type: 'tool_use', id, name: 'look', input: {} })
    const result = (id: string, content: unknown) => ({ type: 'tool_result', tool_use_id: id, content })
    const { status, refusal, sent } = await ask(provider, model, '/v1/messages', {
      max_tokens: 50,
      tools: [{ name: 'look', input_schema: { type: 'object' } }],
      messages: [
        { role: 'user', content: 'Look' },
        { role: 'assistant', content: [use('toolu_1'), use('toolu_2')] },
        {
          role: 'user',
          content: [result('toolu_1', [block]), result('toolu_2', 'seen'), { type: 'text', text: 'And?' }],
        },
      ],
    })
    expect([status, refusal]).toEqual([200, undefined])
    expect(sent).toContain(sign)
    expect(sent).toContain('And?')
  })
})

describe.each([
  ['google', 'gemini-2.5-flash'],
  ['openai', 'gpt-4.1'],
  ['mistral', 'mistral-small-2603'],
])('%s %s is told whose picture is whose', (provider, model) => {
  const use = (id: string, name: string) => ({ type: 'tool_use', id, name, input: {} })
  const result = (id: string, ...content: unknown[]) => ({ type: 'tool_result', tool_use_id: id, content })
  const picture = (data: string) => ({ ...png, source: { ...png.source, data } })
  const SECOND = Buffer.from('89504e470d0a1a0a0000000d49484453', 'hex').toString('base64')
  const shown = (...results: object[]) => ({
    max_tokens: 50,
    tools: ['look', 'draw'].map((name) => ({ name, input_schema: { type: 'object' } })),
    messages: [
      { role: 'user', content: 'Look' },
      { role: 'assistant', content: [use('toolu_1', 'look'), use('toolu_2', 'draw')].slice(0, results.length) },
      { role: 'user', content: results },
    ],
  })

  test('of several tools', async () => {
    const body = shown(result('toolu_1', picture(PNG)), result('toolu_2', picture(SECOND)))
    const { status, sent } = await ask(provider, model, '/v1/messages', body)
    expect(status).toBe(200)
    // Where the service takes no such id, by the one that it was told in its place.
    const line = (nth: number, name: string) => `Result ${nth} \\(call \\\\"\\w+\\\\" of \\\\"${name}\\\\"\\) shows:`
    expect(sent).toMatch(new RegExp(`${line(1, 'look')}.*${escaped(PNG)}.*${line(2, 'draw')}.*${escaped(SECOND)}`))
    const [, id = ''] = /call \\"(\w+)\\"/.exec(sent) ?? []
    if (provider !== 'google') expect(sent).toContain(`"tool_call_id":"${id}"`)
  })

  test('and not where there is one only', async () => {
    const { sent } = await ask(provider, model, '/v1/messages', shown(result('toolu_1', picture(PNG))))
    expect(sent).toContain(PNG)
    expect(sent).not.toContain('shows:')
  })
})

const escaped = (text: string) => text.replaceAll(/[+/=]/g, '\\$&')

describe('a type that is said oddly', () => {
  const image = (url: string) => ({ type: 'image_url', image_url: { url } })
  test.each([
    ['anthropic', 'claude-haiku-4-5', image(`data:IMAGE/PNG;base64,${PNG}`), '"media_type":"image/png"'],
    ['anthropic', 'claude-haiku-4-5', image(`DATA:image/png;base64,${PNG}`), '"media_type":"image/png"'],
    ['anthropic', 'claude-haiku-4-5', image(`data:application/octet-stream;base64,${PNG}`), '"media_type":"image/png"'],
    ['google', 'gemini-3.5-flash', image('data:image/jpg;base64,AAAA'), '"mimeType":"image/jpeg"'],
  ])('is told %s %s as it is', async (provider, model, part, sign) => {
    const body = { messages: [{ role: 'user', content: [part, { type: 'text', text: 'What is it?' }] }] }
    const { status, refusal, sent } = await ask(provider, model, '/v1/chat/completions', body)
    expect([status, refusal]).toEqual([200, undefined])
    expect(sent).toContain(sign)
  })

  test.each([
    ['audio/x-wav', '"format":"wav"'],
    ['audio/wave', '"format":"wav"'],
    ['audio/MPEG', '"format":"mp3"'],
  ])('is told OpenAI as it is: %s', async (mimeType, sign) => {
    await using world = await openGateway({ providers: { openai: { models: { 'gpt-4o': {} } } } })
    const parts = [{ text: 'What is said?' }, { inlineData: { mimeType, data: 'UklGRgAA' } }]
    const response = await world.ask('/v1beta/models/gpt-4o:generateContent', { contents: [{ role: 'user', parts }] })
    expect([response.status, JSON.stringify(world.fakes.calls[0]?.body)]).toEqual([200, expect.stringContaining(sign)])
  })

  test('hides no document from a service that takes none', async () => {
    const file = { type: 'file', file: { filename: 'a.pdf', file_data: PDF } }
    const body = { messages: [{ role: 'user', content: [file] }] }
    const { status, sent, text } = await ask('mistral', 'mistral-small-2603', '/v1/chat/completions', body)
    expect([status, sent]).toEqual([400, undefined])
    expect(text).toContain('PDF')
  })
})

describe('a file that Google keeps is told nobody else', () => {
  const FILE = 'https://generativelanguage.googleapis.com/v1beta/files/abc-123'
  test.each([
    ['openai', 'gpt-4o', 'image/png', FILE],
    ['openai', 'gpt-4o', 'image/png', 'gs://bucket/a.png'],
    ['openai', 'gpt-4o', 'audio/wav', 'https://example.org/a.wav'],
    ['anthropic', 'claude-haiku-4-5', 'image/png', 'gs://bucket/a.png'],
    ['anthropic', 'claude-haiku-4-5', 'application/pdf', FILE],
  ])('%s %s: %s at %s', async (provider, model, mimeType, fileUri) => {
    const providers = { [provider]: { models: { [model]: {} } }, google: { models: { 'gemini-2.5-flash': {} } } }
    const both = [`${provider}/${model}`, 'google/gemini-2.5-flash']
    await using world = await openGateway(
      { providers },
      { settings: { models: { both }, routing: { strategy: 'priority' } } },
    )
    const body = { contents: [{ role: 'user', parts: [{ text: 'What is it?' }, { fileData: { mimeType, fileUri } }] }] }
    const alone = await world.ask(`/v1beta/models/${model}:generateContent`, body)
    expect([alone.status, world.fakes.calls.length]).toEqual([400, 0])
    const answered = await world.ask('/v1beta/models/both:generateContent', body)
    expect([answered.status, world.fakes.calls.map((call) => call.provider)]).toEqual([200, ['google']])
  })
})

test('a recording that a service does not know goes to one that does', async () => {
  const providers = {
    deepseek: { models: { 'deepseek-v4-flash': {} } },
    google: { models: { 'gemini-2.5-flash': {} } },
  }
  const both = ['deepseek/deepseek-v4-flash', 'google/gemini-2.5-flash']
  await using world = await openGateway(
    { providers },
    { settings: { models: { both }, routing: { strategy: 'priority' } } },
  )
  const content = [
    { type: 'text', text: 'What is said?' },
    { type: 'input_audio', input_audio: { data: 'UklGRgAA', format: 'wav' } },
  ]
  const response = await world.ask('/v1/chat/completions', { model: 'both', messages: [{ role: 'user', content }] })
  expect([response.status, response.headers.get('x-keywise-trail')]).toEqual([
    200,
    'deepseek/deepseek-v4-flash#1=unsupported; google/gemini-2.5-flash#1=ok',
  ])
})
