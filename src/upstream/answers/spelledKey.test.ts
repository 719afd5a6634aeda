import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { ChatChunk } from '../../domain/chat.ts'
import { SpelledKey, type StreamPiece } from './spelledKey.ts'

const KEY = 'q7ZxV2mKp9LwT4sBn8RcY3dG'

const text = (said: string): ChatChunk => ({ type: 'text-delta', text: said })
const event = (said: string, field = 'content') =>
  `data: {"id":"x","choices":[{"index":0,"delta":{"${field}":${JSON.stringify(said)}}}]}\n\n`

/** One event for each text, or its bytes cut as they are given. */
function through(pieces: readonly { chunks: readonly ChatChunk[]; bytes: string; startsEvent?: boolean }[]): {
  said: string
  bytes: string
  waited: number
} {
  const filter = new SpelledKey(KEY)
  const out: (StreamPiece | null)[] = pieces.map(({ chunks, bytes, startsEvent = true }) =>
    filter.push({ chunks, bytes: Buffer.from(bytes) }, startsEvent),
  )
  out.push(filter.end())
  return {
    said: out
      .flatMap((piece) => piece?.chunks.map((chunk) => (chunk.type === 'text-delta' ? chunk.text : '')) ?? [])
      .join(''),
    bytes: out.map((piece) => piece?.bytes?.toString() ?? '').join(''),
    waited: out.slice(0, -1).filter((piece) => piece === null).length,
  }
}

const perEvent = (said: readonly string[]) =>
  through(said.map((part) => ({ chunks: [text(part)], bytes: event(part) })))

const saidIn = (bytes: string) =>
  bytes
    .split('\n\n')
    .filter((part) => part !== '')
    .map((part) => JSON.parse(part.slice(6)).choices[0].delta.content)
    .join('')

const cut = (whole: string, sizes: readonly number[]) => {
  const parts: string[] = []
  for (let at = 0, turn = 0; at < whole.length; turn++) {
    const size = sizes[turn % sizes.length] ?? 1
    parts.push(whole.slice(at, at + size))
    at += size
  }
  return parts
}

describe('a key that is spelled out', () => {
  test.each([
    ['by single characters', [1]],
    ['by tokens', [3, 2, 1, 4]],
    ['in two', [30]],
  ])('%s is masked in texts and bytes', (_, sizes) => {
    const { said, bytes } = perEvent(cut(`the key is gsk_${KEY}, and "so" on`, sizes))
    expect(saidIn(bytes)).toBe(said)
    expect(said).toMatch(/^the key is gsk_[^…]{0,3}…, and "so" on$/)
    expect(KEY.startsWith(/gsk_([^…]*)/.exec(said)?.[1] ?? '-')).toBe(true)
  })

  test('in any cut, beside any text, more than once: never whole, and nothing else is changed', () => {
    const around = fc.stringMatching(/^[a-q7Z .]{0,12}$/)
    const sizes = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 6 })
    const property = fc.property(around, around, around, sizes, (one, two, three, by) => {
      const whole = `${one}${KEY}${two}${KEY}${three}`
      const { said, bytes } = perEvent(cut(whole, by))
      expect(saidIn(bytes)).toBe(said)
      expect(said).not.toContain(KEY.slice(0, 12))
      expect(said).not.toContain(KEY.slice(-12))
      expect(said.startsWith(one)).toBe(true)
      expect(said.endsWith(`…${three}`)).toBe(true)
    })
    fc.assert(property, { seed: 16, numRuns: 300 })
  })

  test('in events that the network cuts anywhere', () => {
    const events = cut(`it is ${KEY}.`, [2]).map((part) => event(part))
    // Each event ends in the middle of the piece that holds the beginning of the next.
    const stream = events.join('')
    const at = [20, ...events.map((_, index) => events.slice(0, index + 1).join('').length + 60)]
    let from = 0
    let read = 0
    const pieces = at.map((end) => {
      const until = Math.min(end, stream.length)
      const chunks: ChatChunk[] = []
      while (read < events.length && events.slice(0, read + 1).join('').length <= until)
        chunks.push(text(cut(`it is ${KEY}.`, [2])[read++] ?? ''))
      const piece = { chunks, bytes: stream.slice(from, until), startsEvent: from === 0 }
      from = until
      return piece
    })
    const { said, bytes } = through(pieces)
    // Of what waits the bytes may have gone before it was read.
    for (const shown of [said, saidIn(bytes)]) expect(shown).toMatch(/^it is .{0,6}…\.$/)
  })

  test('by several events that come in one piece', () => {
    const parts = cut(`it is ${KEY}.`, [2])
    const { said, bytes } = through([
      { chunks: [text(parts.join(''))], bytes: parts.map((part) => event(part)).join('') },
    ])
    expect(said).toBe('it is ….')
    expect(saidIn(bytes)).toBe(said)
  })

  test('in the arguments of a call, which its end repeats', () => {
    const filter = new SpelledKey(KEY)
    const parts = cut(`{"key":"${KEY}"}`, [3])
    const out = parts.map((part) =>
      filter.push(
        {
          chunks: [{ type: 'tool-call-delta', index: 1, arguments: part }],
          bytes: Buffer.from(event(part, 'arguments')),
        },
        true,
      ),
    )
    const whole: ChatChunk = { type: 'tool-call', index: 1, id: 'c', name: 'f', arguments: parts.join('') }
    out.push(filter.push({ chunks: [whole, { type: 'end' }], bytes: null }, false))
    const shown = JSON.stringify(out.map((piece) => [piece?.chunks, piece?.bytes?.toString()]))
    expect(shown).not.toContain(KEY.slice(4, 12))
    expect(shown.replace(/[^…]/g, '').length).toBeGreaterThan(2)
    expect(out.flatMap((piece) => piece?.chunks ?? []).at(-2)).toMatchObject({ arguments: '{"key":"…"}' })
  })
})

describe('what only begins like the key', () => {
  test('waits until it goes on otherwise, and is left as it is', () => {
    const parts = ['it is ', KEY.slice(0, 5), KEY.slice(5, 9), ' or', ' so']
    const { said, bytes, waited } = perEvent(parts)
    expect(said).toBe(parts.join(''))
    expect(bytes).toBe(parts.map((part) => event(part)).join(''))
    expect(waited).toBe(2)
  })

  test('does not wait for the end of the answer', () => {
    const filter = new SpelledKey(KEY)
    expect(filter.push({ chunks: [text(KEY.slice(0, 9))], bytes: Buffer.from('a') }, true)).toBeNull()
    const last = filter.push({ chunks: [{ type: 'end' }], bytes: Buffer.from('b') }, true)
    expect(last?.chunks).toHaveLength(2)
    expect(last?.bytes?.toString()).toBe('ab')
  })

  test('does not wait below four characters, and not for other texts', () => {
    expect(perEvent(['a', KEY.slice(0, 3), 'b', KEY.slice(4, 20)]).waited).toBe(0)
    const filter = new SpelledKey(KEY)
    const thought: ChatChunk = { type: 'reasoning-delta', text: KEY.slice(3) }
    const piece = { chunks: [text(KEY.slice(0, 3))], bytes: null }
    expect(filter.push(piece, true)).toBe(piece)
    expect(filter.push({ chunks: [thought], bytes: null }, true)?.chunks).toEqual([thought])
  })

  test('does not wait for more than 256 KiB, and is never whole all the same', () => {
    const filter = new SpelledKey(KEY)
    const ping = Buffer.from(`: ${'x'.repeat(1000)}\n\n`)
    const out: (StreamPiece | null)[] = [filter.push({ chunks: [text(KEY.slice(0, 12))], bytes: null }, true)]
    for (let at = 0; at < 300; at++) out.push(filter.push({ chunks: [], bytes: ping }, true))
    expect(out.some((piece) => piece !== null)).toBe(true)
    out.push(
      filter.push({ chunks: [text(KEY.slice(12))], bytes: Buffer.from(event(KEY.slice(12))) }, true),
      filter.end(),
    )
    const said = out.flatMap((piece) => piece?.chunks ?? [])
    expect(said.map((chunk) => (chunk.type === 'text-delta' ? chunk.text : '')).join('')).toBe(`${KEY.slice(0, 12)}…`)
  })
})

test('bytes in which no mask can be put end the stream', () => {
  const filter = new SpelledKey(KEY)
  const bytes = Buffer.from('data: {"x":"?"}\n\n')
  expect(filter.push({ chunks: [text(KEY.slice(0, 9))], bytes }, true)).toBeNull()
  expect(() => filter.push({ chunks: [text(KEY.slice(9))], bytes }, true)).toThrow('spells out the key')
})
