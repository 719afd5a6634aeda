import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { mutate, someResponse } from '../../../test/support/chatArbitraries.ts'
import { recordings } from '../../../test/support/replay.ts'
import { hasTestData, readTestData } from '../../../test/support/testData.ts'
import type { ChatRequest, ChatResponse, Extra } from '../../domain/chat.ts'
import { openaiResponsesDialect } from './openaiResponses.ts'

const readResponse = openaiResponsesDialect.upstream.readResponse
const request: ChatRequest = { model: 'asked', messages: [], stream: false }
const ours = (fields: Record<string, unknown>): Extra => ({ dialect: 'openai-responses', fields })

function answerOf(body: unknown): ChatResponse {
  const read = readResponse(body)
  if (!read.ok) expect.fail(`no answer: ${JSON.stringify(read)}`)
  return read.response
}

const withOutput = (...output: unknown[]) => ({ id: 'resp_1', model: 'm', status: 'completed', output })
const message = (...content: object[]) => ({ type: 'message', role: 'assistant', content })

describe('openaiResponses reads an answer that was withheld', () => {
  const incomplete = {
    id: 'resp_1',
    model: 'm',
    status: 'incomplete',
    incomplete_details: { reason: 'content_filter' },
  }
  test.each([
    ['without output', incomplete],
    ['with thoughts alone', { ...incomplete, output: [{ type: 'reasoning', summary: [] }] }],
    ['with an empty message', { ...incomplete, output: [message()] }],
  ])('%s', (_, body) => {
    expect(answerOf(body)).toMatchObject({
      content: [],
      finishReason: 'content_filter',
      blocked: { reason: 'content_filter', details: { reason: 'content_filter' } },
    })
  })

  test('by the model, which says so itself', () => {
    expect(answerOf(withOutput(message({ type: 'refusal', refusal: 'No.' })))).toMatchObject({
      finishReason: 'content_filter',
      blocked: { reason: 'refusal', details: { refusal: 'No.' } },
    })
  })

  test('and writes one of another dialect with its reason as the refusal', () => {
    const response: ChatResponse = {
      model: 'm',
      content: [],
      finishReason: 'content_filter',
      blocked: { reason: 'SPII', details: {} },
    }
    expect(openaiResponsesDialect.client.writeResponse(response, request)).toMatchObject({
      status: 'incomplete',
      incomplete_details: { reason: 'content_filter' },
      output: [{ type: 'message', content: [{ type: 'refusal', refusal: expect.stringContaining('SPII') }] }],
    })
  })

  test('but not one of what ran at the provider', () => {
    expect(answerOf(withOutput({ type: 'web_search_call', id: 'ws_1', status: 'completed' })).opaque).toBe(true)
    expect(
      answerOf(withOutput({ type: 'function_call', call_id: 'c', name: 'f', arguments: '{}' })).opaque,
    ).toBeUndefined()
  })
})

describe('openaiResponses reads answers', () => {
  const contents: { name: string; item: object; content: unknown[] }[] = [
    {
      name: 'text',
      item: message({ type: 'output_text', text: 'Hi', annotations: [], logprobs: [] }),
      content: [{ type: 'text', text: 'Hi' }],
    },
    {
      name: 'text with its id and annotations',
      item: { ...message({ type: 'output_text', text: 'Hi', annotations: [{ a: 1 }] }), id: 'msg_1' },
      content: [{ type: 'text', text: 'Hi', extra: ours({ annotations: [{ a: 1 }], item: { id: 'msg_1' } }) }],
    },
    {
      name: 'a refusal',
      item: message({ type: 'refusal', refusal: 'No' }),
      content: [{ type: 'text', text: 'No', extra: ours({ refusal: true }) }],
    },
    {
      name: 'a summary of thoughts in parts',
      item: {
        type: 'reasoning',
        id: 'rs_1',
        summary: [
          { type: 'summary_text', text: 'a' },
          { type: 'summary_text', text: 'b' },
        ],
        encrypted_content: 'gAAA',
      },
      content: [{ type: 'reasoning', text: 'a\n\nb', signature: 'openai-responses:gAAA', extra: ours({ id: 'rs_1' }) }],
    },
    {
      name: 'thoughts themselves',
      item: { type: 'reasoning', summary: [], content: [{ type: 'reasoning_text', text: 'a' }] },
      content: [{ type: 'reasoning', text: 'a', extra: ours({}) }],
    },
    { name: 'thinking of which nothing is shown', item: { type: 'reasoning', id: 'rs_1', summary: [] }, content: [] },
    {
      name: 'a call',
      item: { type: 'function_call', call_id: 'c', name: 'f', arguments: '' },
      content: [{ type: 'tool-call', id: 'c', name: 'f', arguments: '{}' }],
    },
    {
      name: 'an image',
      item: { type: 'image_generation_call', result: 'AAAA', output_format: 'webp' },
      content: [{ type: 'image', mediaType: 'image/webp', data: 'AAAA' }],
    },
    { name: 'the call of a built-in tool', item: { type: 'web_search_call', id: 'ws' }, content: [] },
  ]
  for (const { name, item, content } of contents) {
    test(`with ${name}`, () => expect(answerOf(withOutput(item)).content).toEqual(content))
  }

  const reasons: { name: string; body: object; reason: string }[] = [
    { name: 'completed', body: withOutput(message({ type: 'output_text', text: 'a' })), reason: 'stop' },
    {
      name: 'completed with a call',
      body: withOutput({ type: 'function_call', call_id: 'c', name: 'f' }),
      reason: 'tool_calls',
    },
    {
      name: 'completed with a refusal',
      body: withOutput(message({ type: 'refusal', refusal: 'a' })),
      reason: 'content_filter',
    },
    { name: 'of no stated status', body: { ...withOutput(), status: undefined }, reason: 'stop' },
    {
      name: 'cut at the limit',
      body: { ...withOutput(), status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } },
      reason: 'length',
    },
    {
      name: 'filtered',
      body: { ...withOutput(), status: 'incomplete', incomplete_details: { reason: 'content_filter' } },
      reason: 'content_filter',
    },
    { name: 'incomplete for a reason of its own', body: { ...withOutput(), status: 'incomplete' }, reason: 'length' },
  ]
  for (const { name, body, reason } of reasons) {
    test(`that are ${name} as ${reason}`, () => expect(answerOf(body).finishReason).toBe(reason))
  }

  const failures: { name: string; body: unknown; expected: object }[] = [
    { name: 'an error object', body: { error: { message: 'x', code: 'insufficient_quota' } }, expected: {} },
    {
      name: 'a failed answer',
      body: { ...withOutput(), status: 'failed', error: { code: 'server_error', message: 'x' } },
      expected: { body: { error: { code: 'server_error' } } },
    },
    {
      name: 'a failed answer without a reason',
      body: { ...withOutput(), status: 'failed', error: null },
      expected: { status: 502 },
    },
    { name: 'a cancelled answer', body: { ...withOutput(), status: 'cancelled' }, expected: { status: 502 } },
    {
      name: 'an answer without an id that is still being made',
      body: { ...withOutput(), id: undefined, status: 'in_progress' },
      expected: { malformed: true },
    },
    { name: 'no output', body: { id: 'resp_1', status: 'completed' }, expected: { malformed: true } },
    { name: 'nothing', body: null, expected: { malformed: true } },
  ]
  for (const { name, body, expected } of failures) {
    test(`but takes ${name} for a failure`, () => expect(readResponse(body)).toMatchObject({ ok: false, ...expected }))
  }
})

describe('openaiResponses writes answers', () => {
  test('that its own reader reads as the same', () => {
    fc.assert(
      fc.property(someResponse, (response) => {
        const body = JSON.parse(JSON.stringify(openaiResponsesDialect.client.writeResponse(response, request)))
        expect({ ...withoutExtra(answerOf(body)), blocked: undefined }).toEqual(response)
      }),
      { numRuns: 200 },
    )
  })

  test('with the ids that the upstream gave its items', () => {
    const item = {
      type: 'reasoning',
      id: 'rs_up',
      summary: [{ type: 'summary_text', text: 'a' }],
      encrypted_content: 'gAAA',
    }
    const call = { type: 'function_call', id: 'fc_up', status: 'completed', call_id: 'c', name: 'f', arguments: '{}' }
    const said = {
      ...message({ type: 'output_text', text: 'a', annotations: [], logprobs: [] }),
      id: 'msg_up',
      status: 'completed',
      phase: 'commentary',
    }
    const custom = {
      type: 'custom_tool_call',
      id: 'ct_up',
      call_id: 'd',
      name: 'grep',
      input: 'a b',
      status: 'completed',
    }
    const body = withOutput(item, said, { ...said, id: 'msg_2' }, call, custom)
    expect(openaiResponsesDialect.client.writeResponse(answerOf(body), request)).toMatchObject({ output: body.output })
  })

  test('with signatures of other dialects, which come back to whom they belong', () => {
    const content: ChatResponse['content'] = [
      { type: 'reasoning', text: 'Hm', signature: 'anthropic:s1' },
      { type: 'reasoning', text: '', signature: 'anthropic:s2', redacted: true },
      { type: 'tool-call', id: 'c', name: 'f', arguments: '{}', signature: 'google:s3' },
    ]
    const { output } = openaiResponsesDialect.client.writeResponse(
      { model: 'm', content, finishReason: 'stop' },
      request,
    ) as {
      output: object[]
    }
    const echoed = openaiResponsesDialect.client.readRequest({
      model: 'm',
      input: [...output, { role: 'user', content: 'a' }],
    })
    expect(echoed.messages[0]?.content).toMatchObject(content)
    expect(openaiResponsesDialect.upstream.writeRequest(echoed, 'm').body['input']).toHaveLength(2)
  })

  test('with their date and what the client asked for', () => {
    const asked = openaiResponsesDialect.client.readRequest({
      model: 'm',
      input: 'a',
      tools: [{ type: 'function', name: 'f', parameters: {} }],
      metadata: { a: 'b' },
    })
    const body = openaiResponsesDialect.client.writeResponse(
      { model: '', content: [], finishReason: 'length' },
      asked,
      {
        now: 5000,
        id: 'req_7',
      },
    )
    expect(body).toMatchObject({
      id: 'resp_req_7',
      object: 'response',
      created_at: 5,
      model: 'm',
      status: 'incomplete',
      incomplete_details: { reason: 'max_output_tokens' },
      tools: [{ type: 'function', name: 'f' }],
      metadata: { a: 'b' },
    })
    expect(body).not.toHaveProperty('usage')
  })
})

/** The answer without what the wire adds: ids of items and fields of the whole. */
function withoutExtra(response: ChatResponse): ChatResponse {
  const { extra: _, ...rest } = response
  return { ...rest, content: response.content.map(({ extra: __, ...part }) => part) }
}

describe.runIf(hasTestData)('openaiResponses reads the recorded answer of', () => {
  const folders = ['openai-responses', 'azure', 'lmstudio-responses']
  const expected: Record<string, { shape: string; finish: string; usage: number[] }> = {
    'openai-custom-tool.1.json': {
      shape: 'write_sql(SELECT * FROM users WHERE age > 25)',
      finish: 'tool_calls',
      usage: [50, 20, 0, 0],
    },
    'openai-phase.1.json': { shape: 'text:179,text:1187', finish: 'stop', usage: [7243, 423, 3072, 58] },
    'openai-reasoning-encrypted-content.1.json': {
      shape: 'reasoning:399+1589,text:56',
      finish: 'stop',
      usage: [865, 163, 0, 128],
    },
    'azure-text.1.json': { shape: 'text:4', finish: 'stop', usage: [11, 11, 0, 0] },
    'lmstudio-basic.1.json': { shape: 'reasoning:17,text:12', finish: 'stop', usage: [136, 3677, 0, 2456] },
  }
  for (const folder of folders) {
    for (const name of recordings(folder, '.json').filter((name) => !name.includes('error'))) {
      test(name, () => {
        const response = answerOf(JSON.parse(readTestData('fixtures', folder, name)))
        const { inputTokens, outputTokens, cachedInputTokens, reasoningTokens } = response.usage ?? expect.fail()
        const usage = [inputTokens, outputTokens, cachedInputTokens, reasoningTokens]
        expect({ shape: shapeOf(response), finish: response.finishReason, usage }).toEqual(expected[name])
      })
    }
  }

  test('an error as a failure', () => {
    const body = JSON.parse(readTestData('fixtures', 'openai-responses', 'openai-error.1.json'))
    expect(readResponse(body)).toEqual({ ok: false, body })
  })

  test('anybody with fields dropped and retyped, without ever throwing', () => {
    const bodies = folders.flatMap((folder) =>
      recordings(folder, '.json').map((name): unknown => JSON.parse(readTestData('fixtures', folder, name))),
    )
    fc.assert(
      fc.property(
        fc.constantFrom(...bodies),
        fc.infiniteStream(fc.double({ min: 0, max: 0.999, noNaN: true })),
        (body, dice) => {
          const read = readResponse(mutate(body, () => dice.next().value ?? 0))
          if (read.ok) openaiResponsesDialect.client.writeResponse(read.response, request)
        },
      ),
      { numRuns: 200 },
    )
  })
})

/** The signature counts with the name of its origin: `reasoning:12+signature,text:5,name(arguments)` */
function shapeOf(response: ChatResponse): string {
  return response.content
    .map((part) => {
      if (part.type === 'tool-call') return `${part.name}(${part.arguments})`
      if (part.type === 'image' || part.type === 'file') return part.type
      const signature = part.type === 'reasoning' && part.signature ? `+${part.signature.length}` : ''
      return `${part.type}:${part.text.length}${signature}`
    })
    .join()
}
