/** Work grows with what there is to do, and not with its square: counted, not timed. */

import { describe, expect, test } from 'vitest'
import { AnthropicStreamReader } from '../src/dialects/anthropic/streamReader.ts'
import { dialectOf } from '../src/dialects/dialects.ts'
import { HeldArguments } from '../src/dialects/stream/heldArguments.ts'
import { SseReader } from '../src/dialects/stream/sse.ts'
import type { ChatChunk, ChatRequest, DialectId } from '../src/domain/chat.ts'
import { EventAligner } from '../src/server/inference/eventAligner.ts'
import { Assembler } from '../src/upstream/assembler.ts'

const DIALECTS: readonly DialectId[] = ['openai', 'openai-responses', 'anthropic', 'google']
const REQUEST: ChatRequest = { model: 'm', messages: [], stream: true }

const start = (index: number): ChatChunk => ({ type: 'tool-call-start', index, id: `c${index}`, name: 'f' })
const delta = (index: number): ChatChunk => ({ type: 'tool-call-delta', index, arguments: '{"a":1}' })
const whole = (index: number): ChatChunk => ({ ...start(index), type: 'tool-call', arguments: '{"a":1}' }) as ChatChunk
const END: readonly ChatChunk[] = [{ type: 'finish', finishReason: 'stop' }, { type: 'end' }]

const times = <T>(count: number, make: (index: number) => T): T[] => Array.from({ length: count }, (_, at) => make(at))

/** Answers of n parts, as upstreams say them. */
const ANSWERS: Readonly<Record<string, (n: number) => readonly ChatChunk[]>> = {
  'calls that end one after the other': (n) => times(n, (at) => [start(at), delta(at), whole(at)]).flat(),
  'calls that all end at the end': (n) => [...times(n, (at) => [start(at), delta(at)]).flat(), ...times(n, whole)],
  'calls that end in the reverse order': (n) => [...times(n, start), ...times(n, (at) => whole(n - 1 - at))],
  'calls whose pieces alternate': (n) => [
    ...times(n, start),
    ...times(n, delta),
    ...times(n, delta),
    ...times(n, whole),
  ],
  'calls that never end': (n) => times(n, (at) => [start(at), delta(at)]).flat(),
  'text between calls that never end': (n) =>
    times(n, (at): ChatChunk[] => [start(at), { type: 'text-delta', text: 'x' }]).flat(),
  'thoughts, each with its seal': (n) =>
    times(n, (): ChatChunk => ({ type: 'reasoning-delta', text: 't', signature: 's' })),
  pictures: (n) =>
    times(n, (): ChatChunk => ({ type: 'media', part: { type: 'image', data: 'AA==', mediaType: 'image/png' } })),
  sources: (n) => [
    { type: 'text-delta', text: 'x' },
    ...times(
      n,
      (at): ChatChunk => ({ type: 'citations', citations: [{ url: `https://x.example/${at}`, start: 0, end: 1 }] }),
    ),
  ],
  'further answers': (n) =>
    times(n, (at): ChatChunk => ({ type: 'other', index: at + 1, chunk: { type: 'text-delta', text: 'x' } })),
}

/** How often a field of the chunks is looked at, or a chunk is put somewhere. */
function steps(chunks: readonly ChatChunk[], write: (chunk: ChatChunk) => unknown): number {
  let count = 0
  const counted = (chunk: ChatChunk): ChatChunk =>
    new Proxy(chunk, {
      get(target, name, receiver) {
        count++
        return Reflect.get(target, name, receiver)
      },
    })
  for (const chunk of chunks) write(counted(chunk))
  return count
}

describe.each(DIALECTS)('the writer of %s looks at each chunk as often, however many there are:', (id) => {
  test.each(Object.entries(ANSWERS))('%s', (_what, make) => {
    const stepsFor = (n: number) => {
      const writer = dialectOf(id).client.streamWriter(REQUEST)
      return steps([...make(n), ...END], (chunk) => writer.write(chunk))
    }
    expect(stepsFor(800)).toBeLessThan(4.5 * stepsFor(200) + 100)
  })
})

test.each(Object.entries(ANSWERS))('so does the assembler: %s', (_what, make) => {
  const stepsFor = (n: number) => {
    const assembler = new Assembler()
    return steps([...make(n), ...END], (chunk) => assembler.push(chunk))
  }
  expect(stepsFor(800)).toBeLessThan(4.5 * stepsFor(200) + 100)
})

describe('hundreds of thousands of single characters are read in', () => {
  const MANY = 400_000

  test.each([
    ['arguments that are a text in a text', '"'],
    ['arguments behind placeholders', '{}'],
    ['arguments behind spaces', ' '],
    ['arguments in which all objects end', '{"a":"'],
  ])('%s', (_what, first) => {
    const held = new HeldArguments()
    held.add(first)
    let wholes = 0
    for (let at = 0; at < MANY; at++) {
      held.add(first === '{}' ? '{}' : first === ' ' ? ' ' : '}')
      if (held.isWholeObject) wholes++
    }
    expect(wholes).toBe(0)
    expect(held.text.length).toBeGreaterThanOrEqual(MANY)
  })

  test('an event that is passed through', () => {
    const aligner = new EventAligner(null)
    for (let at = 0; at < MANY; at++) expectNothing(aligner.push(Buffer.from('x')))
    expect(aligner.push(Buffer.from('\n\n')).length).toBe(MANY + 2)
  })

  test('a line of a stream', () => {
    const reader = new SseReader()
    reader.push(Buffer.from('data:'))
    for (let at = 0; at < MANY; at++) reader.push(Buffer.from('x'))
    expect(reader.push(Buffer.from('\n\n'))[0]?.data.length).toBe(MANY)
  })

  test('a text that is told a second time', () => {
    const reader = new AnthropicStreamReader()
    const tell = (event: object) => reader.push('', JSON.stringify(event))
    const delta = (text: string) => ({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } })
    const begin = () => {
      tell({ type: 'message_start', message: { id: 'm' } })
      tell({ type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } })
    }
    begin()
    tell(delta('x'.repeat(MANY)))
    begin()
    let told = 0
    for (let at = 0; at < MANY; at += 10) told += tell(delta('xxxxxxxxxx')).length
    expect(told).toBe(0)
    expect(tell(delta('y'))).toEqual([{ type: 'text-delta', text: 'y' }])
  })
})

function expectNothing(bytes: Buffer): void {
  if (bytes.length > 0) throw new TypeError('nothing was to be passed on yet')
}
