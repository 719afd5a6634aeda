import { expect, test } from 'vitest'
import { assembleResponse } from '../../test/support/assembleResponse.ts'
import type { ChatChunk } from '../domain/chat.ts'
import { Assembler } from './assembler.ts'

test('assembleResponse() folds a stream into the answer, in the order of the stream', () => {
  const usage = { inputTokens: 1, outputTokens: 2, totalTokens: 3, estimated: false }
  const response = assembleResponse([
    { type: 'start', id: 'a', model: 'm' },
    { type: 'reasoning-delta', text: 'Let ' },
    { type: 'reasoning-delta', text: 'me', signature: 's1' },
    { type: 'reasoning-delta', text: 'again' },
    { type: 'reasoning-delta', text: '', signature: 's2', redacted: true },
    { type: 'text-delta', text: 'He' },
    { type: 'text-delta', text: 'llo' },
    { type: 'tool-call-start', index: 0, id: 'c0', name: 'f' },
    { type: 'tool-call-start', index: 1, id: 'c1', name: 'g' },
    { type: 'tool-call-delta', index: 1, arguments: '{"b"' },
    { type: 'tool-call-delta', index: 0, arguments: '{"a":1}' },
    { type: 'tool-call-delta', index: 1, arguments: ':2}' },
    { type: 'tool-call', index: 1, id: 'c1', name: 'g', arguments: '{"b":2}', signature: 'sig' },
    { type: 'usage', usage: { ...usage, outputTokens: 1 } },
    { type: 'usage', usage },
    { type: 'finish', finishReason: 'stop', stopSequence: 'END' },
    { type: 'end' },
  ])
  expect(response).toEqual({
    id: 'a',
    model: 'm',
    content: [
      { type: 'reasoning', text: 'Let me', signature: 's1' },
      { type: 'reasoning', text: 'again' },
      { type: 'reasoning', text: '', signature: 's2', redacted: true },
      { type: 'text', text: 'Hello' },
      { type: 'tool-call', id: 'c0', name: 'f', arguments: '{"a":1}' },
      { type: 'tool-call', id: 'c1', name: 'g', arguments: '{"b":2}', signature: 'sig' },
    ],
    finishReason: 'stop',
    stopSequence: 'END',
    usage,
  })
})

test('Assembler has the answer so far at any time, and knows whether it is whole', () => {
  const assembler = new Assembler()
  const chunks: ChatChunk[] = [
    { type: 'tool-call-start', index: 0, id: 'c', name: 'f' },
    { type: 'text-delta', text: 'a' },
    { type: 'error', body: {} },
  ]
  for (const chunk of chunks) assembler.push(chunk)
  const response = assembler.response()
  expect(response).toEqual({
    model: '',
    content: [
      { type: 'tool-call', id: 'c', name: 'f', arguments: '{}' },
      { type: 'text', text: 'a' },
    ],
    finishReason: 'other',
  })
  expect(assembler.isComplete).toBe(false)
  assembler.push({ type: 'text-delta', text: 'b' })
  assembler.push({ type: 'end' })
  expect(response.content[1]).toEqual({ type: 'text', text: 'a' })
  expect(assembler.response().content[1]).toEqual({ type: 'text', text: 'ab' })
  expect(assembler.isComplete).toBe(true)
})
