/** Answers that are more than text: what of them reaches a client of every protocol, whole and as a stream. */

import Anthropic from '@anthropic-ai/sdk'
import { GoogleGenAI } from '@google/genai'
import OpenAI from 'openai'
import { describe, expect, test } from 'vitest'
import type { DialectId } from '../src/domain/chat.ts'
import { APIManager } from '../src/manager/apiManager.ts'
import { askGateway, DIALECTS, textOf } from './support/askGateway.ts'
import { type GatewayWorld, openGateway, TOKEN } from './support/gatewayWorld.ts'
import { httpUpstream } from './support/httpUpstream.ts'
import { fakeKey } from './support/labCall.ts'
import { type OddAnswer, ofAnthropic, ofChat, ofGoogle, ofResponses } from './support/odderAnswers.ts'

const PNG = 'iVBORw0KGgoAAAANSUhEUg=='
const WAV = 'UklGRiQAAABXQVZF'
const URL = `data:image/png;base64,${PNG}`

/** The configuration of an upstream that answers like that, whatever it is asked. */
async function blockOf({ upstream, whole, stream }: OddAnswer, isStream: boolean): Promise<object> {
  const headers = { 'content-type': isStream ? 'text/event-stream' : 'application/json' }
  const { endpoint } = await httpUpstream(() => ({ headers, body: isStream ? stream : whole }))
  return { odd: { dialect: upstream, endpoint, api_key: fakeKey('odd'), models: ['m'] } }
}

async function openOdd(answer: OddAnswer, isStream: boolean): Promise<GatewayWorld> {
  return openGateway({ providers: {} }, { providers: await blockOf(answer, isStream) })
}

async function ask(answer: OddAnswer, client: DialectId, stream: boolean) {
  await using world = await openOdd(answer, stream)
  return await askGateway(world, client, { model: 'odd/m', stream })
}

const image = { type: 'image', mediaType: 'image/png', data: PNG }
const PICTURES: readonly OddAnswer[] = [
  ofGoogle([[{ text: 'Here: ' }], [{ inlineData: { mimeType: 'image/png', data: PNG } }], [{ text: '' }]]),
  ofChat({ content: 'Here: ', images: [{ type: 'image_url', image_url: { url: URL } }] }, [
    { role: 'assistant', content: 'Here: ' },
    { content: '', images: [{ type: 'image_url', image_url: { url: URL }, index: 0 }] },
  ]),
  ofResponses([
    { type: 'message', id: 'msg_1', role: 'assistant', status: 'completed', content: [textPart('Here: ')] },
    { type: 'image_generation_call', id: 'ig_1', status: 'completed', output_format: 'png', result: PNG },
  ]),
]
const ONLY_PICTURES: readonly OddAnswer[] = [
  ofGoogle([[{ inlineData: { mimeType: 'image/png', data: PNG } }], [{ text: '' }]]),
  ofChat({ images: [{ type: 'image_url', image_url: { url: URL } }] }, [
    { images: [{ type: 'image_url', image_url: { url: URL } }] },
  ]),
  ofResponses([{ type: 'image_generation_call', id: 'ig_1', status: 'completed', result: PNG }]),
]

function textPart(text: string, annotations: readonly object[] = []) {
  return { type: 'output_text', text, annotations }
}

const ways = (answers: readonly OddAnswer[]) =>
  answers.flatMap((answer) =>
    DIALECTS.flatMap((client) =>
      [false, true].map((stream) => ({ answer, client, stream, name: `${answer.upstream} for ${client}` })),
    ),
  )

describe('a picture', () => {
  test.each(ways(PICTURES))('reaches its client: $name (stream: $stream)', async ({ answer, client, stream }) => {
    const { status, read } = await ask(answer, client, stream)
    expect(status).toBe(200)
    expect(read?.finishReason).toBe('stop')
    // Its protocol has no pictures in answers.
    if (client === 'anthropic') expect(textOf(read)).toBe(`Here: \n\n![image](${URL})\n\n`)
    else {
      expect(textOf(read)).toBe('Here: ')
      expect(read?.content.at(-1)).toMatchObject(image)
    }
  })

  test.each(ways(ONLY_PICTURES))('alone is an answer: $name (stream: $stream)', async ({ answer, client, stream }) => {
    const { status, text, trail } = await ask(answer, client, stream)
    expect([status, trail]).toEqual([200, 'odd/m#1=ok'])
    expect(text).toContain(PNG)
    expect(text.split(PNG).length - 1).toBe(client === 'openai-responses' && stream ? 2 : 1)
  })

  test('is shown by the official clients as their own', async () => {
    await using world = await openOdd(ONLY_PICTURES[0]!, true)
    const openai = new OpenAI({ baseURL: `${world.origin}/v1`, apiKey: TOKEN })
    const response = await openai.responses.stream({ model: 'odd/m', input: 'Draw' }).finalResponse()
    expect(response.output).toMatchObject([{ type: 'image_generation_call', status: 'completed', result: PNG }])
    const anthropic = new Anthropic({ baseURL: world.origin, apiKey: TOKEN })
    const messages = [{ role: 'user' as const, content: 'Draw' }]
    const message = await anthropic.messages.stream({ model: 'odd/m', max_tokens: 99, messages }).finalMessage()
    expect(message.content).toMatchObject([{ type: 'text', text: expect.stringContaining(URL) }])
    await using foreign = await openOdd(ONLY_PICTURES[1]!, true)
    const genai = new GoogleGenAI({ apiKey: TOKEN, httpOptions: { baseUrl: foreign.origin } })
    const parts = []
    for await (const chunk of await genai.models.generateContentStream({ model: 'odd/m', contents: 'Draw' }))
      parts.push(...(chunk.candidates?.[0]?.content?.parts ?? []))
    expect(parts).toEqual([{ inlineData: { mimeType: 'image/png', data: PNG } }])
  })

  test('is an event and a result of the library, and its data no text', async () => {
    for (const answer of PICTURES) {
      const config = await blockOf(answer, true)
      const manager = new APIManager({ config, store: 'memory:', env: {}, logger: false })
      const stream = manager.streamWithFallback({ prompt: 'Draw', model: 'odd/m' })
      const types: string[] = []
      for await (const event of stream) types.push(event.type === 'media' ? JSON.stringify(event.media) : event.type)
      const media = { mediaType: 'image/png', data: PNG }
      expect(types.filter((type) => type !== 'usage')).toEqual(['text-delta', JSON.stringify(media), 'end'])
      expect(await stream.result).toMatchObject({ content: 'Here: ', media: [media] })
      await manager.close()
    }
  })

  test('that the model drew only for itself is left out', async () => {
    const thought = { thought: true, inlineData: { mimeType: 'image/png', data: 'bm90IHRoaXM=' } }
    const answer = ofGoogle([[thought], [{ inlineData: { mimeType: 'image/png', data: PNG } }]])
    for (const stream of [false, true]) expect((await ask(answer, 'openai', stream)).text).not.toContain('bm90IHRoaXM=')
  })
})

describe('a recording', () => {
  const SOUNDS = [
    ofGoogle([[{ inlineData: { mimeType: 'audio/wav', data: WAV } }]]),
    ofChat({ content: null, audio: { id: 'audio_1', data: WAV, expires_at: 9, transcript: 'Hi' } }, [
      { role: 'assistant', audio: { id: 'audio_1', transcript: 'Hi' } },
      { audio: { data: WAV } },
      { audio: { expires_at: 9 } },
    ]),
  ]

  test.each(ways(SOUNDS))('is heard or said in words: $name (stream: $stream)', async ({ answer, client, stream }) => {
    const { status, text, read } = await ask(answer, client, stream)
    expect(status).toBe(200)
    if (client === 'openai' || client === 'google') expect(text).toContain(WAV)
    else expect(textOf(read)).toContain('[The answer holds a file (audio/wav): which this protocol cannot carry]')
    if (answer.upstream === 'openai' && client !== 'openai') expect(textOf(read)).toMatch(/^Hi/)
  })

  test('has the form that chat clients expect', async () => {
    const { text } = await ask(SOUNDS[0]!, 'openai', false)
    const audio = { id: 'audio_r1', data: WAV, expires_at: expect.any(Number), transcript: '' }
    expect(JSON.parse(text).choices[0].message).toMatchObject({ content: '', audio })
  })
})

describe('code that ran at the provider', () => {
  const CODES = [
    ofGoogle([
      [{ executableCode: { language: 'PYTHON', code: 'print(6*7)' } }],
      [{ codeExecutionResult: { outcome: 'OUTCOME_OK', output: '42\n' } }],
    ]),
    ofAnthropic([
      { type: 'server_tool_use', id: 'srvtoolu_1', name: 'code_execution', input: { code: 'print(6*7)' } },
      {
        type: 'code_execution_tool_result',
        tool_use_id: 'srvtoolu_1',
        content: { type: 'code_execution_result', stdout: '42\n', stderr: '', return_code: 0, content: [] },
      },
    ]),
  ]

  test.each(ways(CODES))('is text for others: $name (stream: $stream)', async ({ answer, client, stream }) => {
    const { status, text, read } = await ask(answer, client, stream)
    expect(status).toBe(200)
    if (client === answer.upstream) expect(text).toContain('print(6*7)')
    else expect(textOf(read)).toBe('\n```python\nprint(6*7)\n```\n\n```\n42\n```\n')
  })
})

describe('the sources of an answer', () => {
  const url = 'https://pages.example/a'
  const page = { url, title: 'A' }
  const SOURCES = [
    ofGoogle([[{ text: 'It ' }], [{ text: 'rains.' }]], {
      groundingMetadata: {
        groundingChunks: [{ web: { uri: url, title: 'A' } }],
        groundingSupports: [{ segment: { startIndex: 3, endIndex: 9, text: 'rains.' }, groundingChunkIndices: [0] }],
      },
    }),
    ofChat({ content: 'It rains.', annotations: [chatCitation(3)] }, [
      { content: 'It ' },
      { content: 'rains.' },
      { annotations: [chatCitation(3)] },
    ]),
    ofResponses([
      { type: 'web_search_call', id: 'ws_1', status: 'completed', action: { type: 'search', query: 'rain' } },
      {
        type: 'message',
        id: 'msg_1',
        role: 'assistant',
        status: 'completed',
        content: [textPart('It rains.', [{ type: 'url_citation', ...page, start_index: 3, end_index: 9 }])],
      },
    ]),
    ofAnthropic([
      { type: 'server_tool_use', id: 'srvtoolu_1', name: 'web_search', input: { query: 'rain' } },
      { type: 'web_search_tool_result', tool_use_id: 'srvtoolu_1', content: [] },
      { type: 'text', text: 'It ' },
      {
        type: 'text',
        text: 'rains.',
        citations: [{ type: 'web_search_result_location', ...page, encrypted_index: 'x', cited_text: 'rain' }],
      },
    ]),
  ]

  function chatCitation(start: number) {
    return { type: 'url_citation', url_citation: { ...page, start_index: start, end_index: 9 } }
  }

  test.each(ways(SOURCES))('reach who can show them: $name (stream: $stream)', async ({ answer, client, stream }) => {
    const { status, read } = await ask(answer, client, stream)
    expect(status).toBe(200)
    expect(textOf(read)).toBe('It rains.')
    // What a client of this protocol sends back must be the service's own.
    const isKept = client !== 'anthropic' || answer.upstream === 'anthropic'
    if (isKept) expect(read?.citations).toEqual([{ ...page, start: 3, end: 9 }])
  })
})

describe('an answer of which nothing has words in the protocol of its client', () => {
  const UNSPEAKABLE = [
    ofResponses([{ type: 'web_search_call', id: 'ws_1', status: 'completed', action: { type: 'search', query: 'x' } }]),
    ofGoogle([[{ hologram: { data: 'AAAA' } }]]),
    ofAnthropic([{ type: 'server_tool_use', id: 'srvtoolu_1', name: 'web_search', input: { query: 'rain' } }]),
  ]

  test.each(ways(UNSPEAKABLE))('is not empty in silence: $name (stream: $stream)', async ({
    answer,
    client,
    stream,
  }) => {
    const { status, text, read } = await ask(answer, client, stream)
    expect(status).toBe(200)
    if (client === answer.upstream) expect(text).toContain(stream ? answer.stream.slice(-40) : '"')
    else expect(textOf(read)).toContain('[The model answered with something that this protocol cannot carry')
  })
})
