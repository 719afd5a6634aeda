/** Answers of services that requests were fitted to: a stream and a whole answer say the same to the client. */

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { assembleResponse } from '../../../test/support/assembleResponse.ts'
import { streamOf } from '../../../test/support/chatArbitraries.ts'
import { replay } from '../../../test/support/replay.ts'
import type { ChatRequest, ChatResponse, FinishReason } from '../../domain/chat.ts'
import { dialectOf } from '../dialects.ts'
import type { AnswerChanges } from './answerChanges.ts'
import { argumentNames } from './argumentNames.ts'
import { withChanges } from './changedAnswer.ts'

const names = argumentNames({ type: 'object', properties: { 'user name': {}, 'a/b': {} } }, 'anthropic')
if (names === null) throw new TypeError('the names are refused')

const request: ChatRequest = { model: 'm', stream: true, messages: [] }

function whole(response: ChatResponse, changes: AnswerChanges): ChatResponse | null {
  const { client } = dialectOf('openai')
  const read = withChanges(dialectOf('openai'), changes).upstream.readResponse(
    JSON.parse(JSON.stringify(client.writeResponse(response, request))),
  )
  return read.ok ? read.response : null
}

function streamed(response: ChatResponse, changes: AnswerChanges, cutAt: (length: number) => number): ChatResponse {
  const writer = dialectOf('openai').client.streamWriter(request)
  const bytes = streamOf(response, cutAt).map((chunk) => writer.write(chunk))
  return assembleResponse(
    replay(withChanges(dialectOf('openai'), changes).upstream.streamReader(), Buffer.from(bytes.join(''))),
  )
}

/** What the client makes of it. */
const said = (response: ChatResponse | null) => ({
  text: response?.content.map((part) => (part.type === 'text' ? part.text : '')).join(''),
  calls: response?.content.flatMap((part) =>
    part.type === 'tool-call' ? [[part.name, part.arguments, part.custom]] : [],
  ),
  reason: response?.finishReason,
  stop: response?.stopSequence,
})

const piece = fc.constantFrom(
  'The ',
  'END',
  'EN',
  'D',
  '{"answer":',
  '["a","b"]',
  '}',
  '12345678901234567890',
  '```',
  '"',
)
const call = fc
  .record({
    name: fc.constantFrom('files_read', 'patch', 'look'),
    arguments: fc.constantFrom(
      '{"user_name":"Ana","a_b":2512292042121000001}',
      '{"input":"a b"}',
      '{}',
      '{"input":',
      '',
    ),
  })
  .map((one) => ({ type: 'tool-call' as const, ...one }))

const answer: fc.Arbitrary<ChatResponse> = fc
  .record({
    text: fc.array(piece, { maxLength: 6 }).map((pieces) => pieces.join('')),
    calls: fc.array(call, { maxLength: 3 }),
    reason: fc.constantFrom<FinishReason>('stop', 'length'),
  })
  .map(({ text, calls, reason }) => ({
    id: 'a',
    model: 'm',
    content: [
      ...(text === '' ? [] : [{ type: 'text' as const, text }]),
      ...calls.map((one, index) => ({ ...one, id: `call_${index}` })),
    ],
    finishReason: calls.length > 0 ? 'tool_calls' : reason,
  }))

const changes: fc.Arbitrary<AnswerChanges> = fc.record(
  {
    toolNames: fc.constant(new Map([['files_read', 'files.read']])),
    customTools: fc.constant(new Set(['patch'])),
    argumentNames: fc.constant(new Map([['look', names]])),
    stop: fc.constantFrom(['END'], ['"b', 'END']),
    jsonIn: fc.constant('answer'),
  },
  { requiredKeys: [] },
)

test('however the stream is cut, and whatever is changed', () => {
  fc.assert(
    fc.property(answer, changes, fc.double({ min: 0, max: 1, noNaN: true }), (response, change, share) => {
      const cut = (length: number) => Math.floor(length * share)
      expect(said(streamed(response, change, cut))).toEqual(said(whole(response, change)))
    }),
    { numRuns: 1000 },
  )
})

const token = (text: string) => ({ token: text, logprob: -1, top: [] })
const half = (length: number) => Math.floor(length / 2)

test('an answer that was cut inside of the object around it is told as far as it came', () => {
  const text = '{ "answer": [1, "b'
  const response: ChatResponse = { model: 'm', content: [{ type: 'text', text }], finishReason: 'length' }
  for (const read of [whole(response, { jsonIn: 'answer' }), streamed(response, { jsonIn: 'answer' }, half)])
    expect(said(read)).toMatchObject({ text: '[1, "b', reason: 'length' })
})

test('the probabilities end with the text, and none is lost', () => {
  const answerOf = (...texts: string[]): ChatResponse => ({
    model: 'm',
    content: [{ type: 'text', text: texts.join('') }],
    logprobs: texts.map(token),
    finishReason: 'stop',
  })
  const tokens = (response: ChatResponse, change: AnswerChanges) => {
    const reader = withChanges(dialectOf('openai'), change).upstream.streamReader()
    const chunks = (response.logprobs ?? []).map(({ token: text }) => ({
      choices: [{ index: 0, delta: { content: text }, logprobs: { content: [{ token: text, logprob: -1 }] } }],
    }))
    const end = { choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] }
    const bytes = [...chunks, end].map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`).join('')
    const read = assembleResponse(replay(reader, Buffer.from(`${bytes}data: [DONE]\n\n`)))
    return [whole(response, change), read].map((one) => one?.logprobs?.map(({ token: text }) => text))
  }
  const cut = ['One', ' EN', 'D two']
  expect(tokens(answerOf(...cut), { stop: ['END'] })).toEqual([
    ['One', ' EN'],
    ['One', ' EN'],
  ])
  const wrapped = ['{"answer"', ':[1]}']
  expect(tokens(answerOf(...wrapped), { jsonIn: 'answer' })).toEqual([wrapped, wrapped])
})
