/** What the real services once said, read by our readers. */

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { assembleResponse } from '../../test/support/assembleResponse.ts'
import { cutPositions, recordedStreams, recordings, replay, typedBytes } from '../../test/support/replay.ts'
import { hasTestData, readTestData } from '../../test/support/testData.ts'
import type { ChatResponse } from '../domain/chat.ts'
import { anthropicDialect } from './anthropic/anthropic.ts'
import type { Dialect } from './dialect.ts'
import { googleDialect } from './google/google.ts'

type Facts = [kinds: string, finishReason: ChatResponse['finishReason'], input: number, output: number]

/** Parts by their first letters (text, reasoning, call), the finish reason, tokens in and out. */
const ANSWERS: Record<string, Facts | 'error'> = {
  'anthropic-clear-thinking.1.json': ['rt', 'stop', 69, 33],
  'anthropic-clear-thinking.1.chunks.txt': ['rt', 'stop', 69, 53],
  'anthropic-json-other-tool.1.json': ['c', 'tool_calls', 843, 28],
  'anthropic-json-other-tool.1.chunks.txt': ['c', 'tool_calls', 843, 28],
  'anthropic-json-tool.1.json': ['c', 'tool_calls', 1151, 87],
  'anthropic-json-tool.1.chunks.txt': ['c', 'tool_calls', 849, 47],
  'anthropic-refusal.json': ['', 'content_filter', 18, 5],
  'anthropic-refusal.chunks.txt': ['', 'content_filter', 18, 5],
  'anthropic-text.json': ['t', 'stop', 12, 29],
  'anthropic-text.chunks.txt': ['t', 'stop', 12, 30],
  'spliced-message-start.chunks.txt': ['rc', 'tool_calls', 17, 65],
  'google-429-retry-info.json': 'error',
  'google-reasoning.json': ['tr', 'stop', 9, 311],
  'google-reasoning.chunks.txt': ['tr', 'stop', 9, 285],
  'google-stream-tool-call-arguments.chunks.txt': ['cc', 'tool_calls', 26, 155],
  'google-text.json': ['tr', 'stop', 9, 272],
  'google-text.chunks.txt': ['tr', 'stop', 9, 208],
  'google-tool-call.json': ['c', 'tool_calls', 29, 908],
  'google-tool-call.chunks.txt': ['c', 'tool_calls', 29, 60],
}

const LETTERS = { text: 't', reasoning: 'r', 'tool-call': 'c', image: 'i', file: 'f' } as const
const factsOf = ({ content, finishReason, usage }: ChatResponse): Facts => [
  content.map((part) => LETTERS[part.type]).join(''),
  finishReason,
  usage?.inputTokens ?? -1,
  usage?.outputTokens ?? -1,
]

const plainBytes = (lines: readonly string[]): Uint8Array =>
  Buffer.from(lines.map((line) => `data: ${line}\n\n`).join(''))
const WIRES: { folder: string; dialect: Dialect; bytes: (lines: readonly string[]) => Uint8Array }[] = [
  { folder: 'anthropic', dialect: anthropicDialect, bytes: typedBytes },
  { folder: 'google', dialect: googleDialect, bytes: plainBytes },
]

describe.runIf(hasTestData)('recordings', () => {
  for (const { folder, dialect, bytes } of WIRES) {
    for (const name of recordings(folder, '.json').filter((name) => name in ANSWERS)) {
      test(`${folder}/${name} is read`, () => {
        const read = dialect.upstream.readResponse(JSON.parse(readTestData('fixtures', folder, name)))
        expect(read.ok ? factsOf(read.response) : 'error').toEqual(ANSWERS[name])
      })
    }

    for (const { name, lines } of recordedStreams(folder)) {
      const whole = bytes(lines)
      const read = (cuts: readonly number[]) => replay(dialect.upstream.streamReader(), whole, cuts)
      const expected = ANSWERS[name.slice(folder.length + 1)]

      if (expected) {
        test(`${name} is read`, () => {
          const chunks = read([])
          expect(factsOf(assembleResponse(chunks))).toEqual(expected)
          expect(chunks[0]?.type).toBe('start')
          expect(chunks.at(-1)).toEqual({ type: 'end' })
        })
      }

      test(`${name} says the same however its bytes are cut`, () => {
        const chunks = JSON.stringify(read([]))
        // Large ones: a stride that falls on ever new places.
        const positions =
          whole.length > 50_000 ? cutPositions(whole.length).filter((at) => at % 41 === 0) : cutPositions(whole.length)
        for (const at of positions) if (JSON.stringify(read([at])) !== chunks) expect.fail(`differs when cut at ${at}`)
      })

      test(`${name} has no end when it is cut off before its last event`, () => {
        for (let count = 0; count < lines.length; count++) {
          const chunks = replay(dialect.upstream.streamReader(), bytes(lines.slice(0, count)))
          expect(chunks.some(({ type }) => type === 'end')).toBe(false)
        }
      })

      test(`${name} is read without a throw, whatever happens to its bytes`, () => {
        const mutation = fc.record({ line: fc.nat(), at: fc.nat(), byte: fc.integer({ min: 32, max: 126 }) })
        fc.assert(
          fc.property(fc.array(mutation, { minLength: 1, maxLength: 5 }), (mutations) => {
            const broken = lines.slice(0, 60)
            for (const { line, at, byte } of mutations) {
              const text = broken[line % broken.length] ?? ''
              const place = at % text.length
              broken[line % broken.length] = text.slice(0, place) + String.fromCharCode(byte) + text.slice(place + 1)
            }
            replay(dialect.upstream.streamReader(), plainBytes(broken))
          }),
          { numRuns: 100 },
        )
      })
    }
  }

  test('what Claude wrote around a web search is kept whole, and the search is not part of the answer', () => {
    const name = 'anthropic-web-search-tool.1'
    const body = JSON.parse(readTestData('fixtures', 'anthropic', `${name}.json`))
    const texts = body.content.flatMap((block: { type: string; text: string }) =>
      block.type === 'text' ? [block.text] : [],
    )
    const read = anthropicDialect.upstream.readResponse(body)
    const content = read.ok ? read.response.content : []
    expect(content.map((part) => (part.type === 'text' ? part.text : part))).toEqual(texts)

    const lines = readTestData('fixtures', 'anthropic', `${name}.chunks.txt`).split('\n').filter(Boolean)
    const streamed = lines.map((line) => JSON.parse(line).delta?.text ?? '').join('')
    const chunks = replay(anthropicDialect.upstream.streamReader(), typedBytes(lines))
    expect(assembleResponse(chunks).content).toEqual([{ type: 'text', text: streamed }])
  })

  test('a message that began anew keeps the thoughts that were shown and completes its call', () => {
    const lines = readTestData('fixtures', 'anthropic', 'spliced-message-start.chunks.txt').split('\n').filter(Boolean)
    expect(assembleResponse(replay(anthropicDialect.upstream.streamReader(), typedBytes(lines))).content).toEqual([
      { type: 'reasoning', text: 'I will call the tool.', signature: 'anthropic:sig-first' },
      { type: 'tool-call', id: 'toolu_first', name: 'test-tool', arguments: '{"value":"Sparkle Day"}' },
    ])
  })

  test('arguments that Vertex streamed in pieces are joined', () => {
    const lines = readTestData('fixtures', 'google', 'google-stream-tool-call-arguments.chunks.txt')
      .split('\n')
      .filter(Boolean)
    expect(assembleResponse(replay(googleDialect.upstream.streamReader(), plainBytes(lines))).content).toMatchObject([
      { name: 'getWeather', arguments: '{"location":"Boston"}' },
      { name: 'getWeather', arguments: '{"location":"San Francisco"}' },
    ])
  })
})
