import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { ChatChunk } from '../../domain/chat.ts'
import { ChatStreamReader } from '../openaiChat/streamReader.ts'
import { SseReader } from './sse.ts'

/** Reads the bytes as a call does: runs in one go where there are any, else event by event. Counts the runs. */
function read(pieces: readonly Buffer[], withRuns: boolean): { chunks: ChatChunk[]; runs: number } {
  const sse = new SseReader()
  const reader = new ChatStreamReader()
  const chunks: ChatChunk[] = []
  let runs = 0
  for (const piece of pieces) {
    const run = withRuns && sse.isBetweenEvents ? reader.readRun(piece) : null
    if (run !== null) {
      runs++
      chunks.push({ type: 'text-delta', text: run })
    } else for (const { event, data } of sse.push(piece)) chunks.push(...reader.push(event, data))
  }
  chunks.push(...reader.end())
  return { chunks: joined(chunks), runs }
}

/** A run may bring the text of several events at once. */
function joined(chunks: readonly ChatChunk[]): ChatChunk[] {
  const result: ChatChunk[] = []
  for (const chunk of chunks) {
    const last = result.at(-1)
    if (chunk.type === 'text-delta' && last?.type === 'text-delta')
      result[result.length - 1] = { ...last, text: last.text + chunk.text }
    else result.push(chunk)
  }
  return result
}

const delta = (delta: object, finish: string | null = null, more: object = {}) =>
  JSON.stringify({ id: 'c', model: 'm', choices: [{ index: 0, delta, finish_reason: finish }], ...more })
const event = (data: string) => Buffer.from(`data: ${data}\n\n`)

const words = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.constantFrom('"', '\\', '\\"', '"}', '\n', '🙂', '","finish_reason":null', 'data: [DONE]', '"content":"', ''),
)
const data = fc.oneof(
  { weight: 8, arbitrary: words.map((content) => delta({ content })) },
  { weight: 2, arbitrary: words.map((content) => delta({ role: 'assistant', content })) },
  { weight: 1, arbitrary: words.map((content) => delta({ content }, null, { obfuscation: content })) },
  { weight: 1, arbitrary: words.map((reasoning) => delta({ content: 'so', reasoning })) },
  { weight: 1, arbitrary: words.map((refusal) => delta({ content: null, refusal })) },
  { weight: 1, arbitrary: words.map((content) => delta({ content }, 'stop')) },
  { weight: 1, arbitrary: fc.constant(delta({ tool_calls: [{ index: 0, id: 'a', function: { name: 'f' } }] })) },
  { weight: 1, arbitrary: fc.constant('{"error":{"message":"no"}}') },
  { weight: 1, arbitrary: fc.constant('{"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2}}') },
  { weight: 1, arbitrary: fc.constant('{"content":"text","content":"twice"}') },
  { weight: 1, arbitrary: fc.constant('no json') },
)
/** Whole events per piece, or cut anywhere. */
const pieces = fc.tuple(fc.array(data, { maxLength: 20 }), fc.array(fc.nat(), { maxLength: 6 })).map(([all, cuts]) => {
  if (cuts.length === 0) return all.map(event)
  const bytes = Buffer.concat([...all.map(event), event('[DONE]')])
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]
  return places.slice(1).map((place, index) => bytes.subarray(places[index], place))
})

describe('TextFastPath', () => {
  test('reads what a reading event by event reads, whatever is said and however it is cut', () => {
    fc.assert(
      fc.property(pieces, (all) => {
        expect(read(all, true).chunks).toEqual(read(all, false).chunks)
      }),
      { numRuns: 2000 },
    )
  })

  const long = (content: string) => [
    event(delta({ role: 'assistant', content: '' })),
    ...Array.from({ length: 50 }, () => event(delta({ content }))),
    event(delta({}, 'stop')),
  ]

  for (const [name, content] of [
    ['plain words', 'word and word '],
    ['quotes and line ends', 'say "so"\n\t\\ '],
    ['other scripts', 'хорошо 漢字 🙂 '],
  ] as const)
    test(`takes the events of a text of ${name} as a run`, () => {
      const { chunks, runs } = read(long(content), true)
      expect(runs).toBe(49)
      expect(chunks).toContainEqual({ type: 'text-delta', text: content.repeat(50) })
    })

  test('gives up where every event says something new', () => {
    const all = Array.from({ length: 50 }, (_, index) => event(delta({ content: 'a' }, null, { obfuscation: index })))
    expect(read(all, true).runs).toBe(0)
  })

  test('reads several events of a run that came together', () => {
    const one = event(delta({ content: 'a' }))
    const { chunks, runs } = read([one, one, Buffer.concat([one, one, one]), one], true)
    expect(runs).toBe(2)
    expect(chunks).toContainEqual({ type: 'text-delta', text: 'aaaaaa' })
  })
})
