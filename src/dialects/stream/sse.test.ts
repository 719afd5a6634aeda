import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { referenceEvents } from '../../../test/support/referenceEvents.ts'
import { MAX_EVENT_SIZE, type SseEvent, SseEventTooLargeError, SseReader, sseText } from './sse.ts'

const bytes = (text: string): Uint8Array => Buffer.from(text)

function read(text: string): readonly SseEvent[] {
  const reader = new SseReader()
  return [...reader.push(bytes(text)), ...reader.end()]
}

describe('SseReader', () => {
  const cases: { name: string; text: string; events: SseEvent[] }[] = [
    { name: 'reads an event without a name', text: 'data: x\n\n', events: [{ event: '', data: 'x' }] },
    { name: 'reads a name', text: 'event: ping\ndata: x\n\n', events: [{ event: 'ping', data: 'x' }] },
    { name: 'reads an id', text: 'id: 7\ndata: x\n\n', events: [{ event: '', data: 'x', id: '7' }] },
    { name: 'ignores an id with NUL', text: 'id: a\0b\ndata: x\n\n', events: [{ event: '', data: 'x' }] },
    {
      name: 'forgets name and id after an event',
      text: 'id: 7\nevent: a\ndata: x\n\ndata: y\n\n',
      events: [
        { event: 'a', data: 'x', id: '7' },
        { event: '', data: 'y' },
      ],
    },
    { name: 'takes off one space only', text: 'data:  x\n\n', events: [{ event: '', data: ' x' }] },
    { name: 'needs no space', text: 'data:x\n\n', events: [{ event: '', data: 'x' }] },
    {
      name: 'joins data lines with a line feed',
      text: 'data: a\ndata:\ndata: b\n\n',
      events: [{ event: '', data: 'a\n\nb' }],
    },
    { name: 'reads a field without a colon', text: 'data\n\n', events: [{ event: '', data: '' }] },
    { name: 'drops an event without data', text: 'event: x\n\ndata: y\n\n', events: [{ event: '', data: 'y' }] },
    {
      name: 'ignores unknown fields',
      text: 'retry: 5\ndatax: 1\n data: 2\ndata: y\n\n',
      events: [{ event: '', data: 'y' }],
    },
    { name: 'ends lines at \\r\\n', text: 'data: a\r\ndata: b\r\n\r\n', events: [{ event: '', data: 'a\nb' }] },
    { name: 'ends lines at \\r', text: 'data: a\rdata: b\r\r', events: [{ event: '', data: 'a\nb' }] },
    {
      name: 'ends lines at a mixture',
      text: 'data: a\r\ndata: b\rdata: c\n\r\n',
      events: [{ event: '', data: 'a\nb\nc' }],
    },
    { name: 'ignores a byte order mark at the start', text: '\ufeffdata: a\n\n', events: [{ event: '', data: 'a' }] },
    { name: 'keeps a byte order mark elsewhere', text: 'data: \ufeffa\n\n', events: [{ event: '', data: '\ufeffa' }] },
    {
      name: 'marks the last event when its blank line is missing',
      text: 'data: a\n\ndata: b\n',
      events: [
        { event: '', data: 'a' },
        { event: '', data: 'b', incomplete: true },
      ],
    },
    {
      name: 'marks the last event when its line end is missing',
      text: 'event: e\ndata: [DONE]',
      events: [{ event: 'e', data: '[DONE]', incomplete: true }],
    },
    { name: 'has nothing at the end of a name without data', text: 'event: e', events: [] },
    { name: 'has nothing in an empty body', text: '', events: [] },
  ]
  for (const { name, text, events } of cases) {
    test(`${name}`, () => expect(read(text)).toEqual(events))

    test(`${name}, cut at every byte`, () => {
      const all = bytes(text)
      for (let cut = 0; cut <= all.length; cut += 1) {
        const reader = new SseReader()
        const got = [...reader.push(all.subarray(0, cut)), ...reader.push(all.subarray(cut)), ...reader.end()]
        expect(got, `cut at ${cut}`).toEqual(events)
      }
    })
  }

  test('counts comments', () => {
    const reader = new SseReader()
    reader.push(bytes(': keep-alive\n\n:\ndata: x\n\n: OPENROUTER'))
    expect(reader.comments).toBe(2)
    reader.end()
    expect(reader.comments).toBe(3)
  })

  test('keeps what it was given when the caller uses its buffer again', () => {
    const reader = new SseReader()
    const buffer = Buffer.from('data: abc')
    reader.push(buffer)
    buffer.fill('z')
    expect(reader.push(bytes('\n\n'))).toEqual([{ event: '', data: 'abc' }])
  })

  test('throws at a line that grows beyond the limit', () => {
    const reader = new SseReader()
    const piece = new Uint8Array(MAX_EVENT_SIZE / 4).fill(97)
    for (let count = 0; count < 4; count += 1) reader.push(piece)
    expect(() => reader.push(piece)).toThrow(SseEventTooLargeError)
  })

  test('throws at an event of many lines that grows beyond the limit', () => {
    const reader = new SseReader()
    const line = bytes(`data: ${'a'.repeat(MAX_EVENT_SIZE / 4)}\n`)
    for (let count = 0; count < 3; count += 1) reader.push(line)
    expect(() => reader.push(Buffer.concat([line, line]))).toThrow(SseEventTooLargeError)
  })

  test('reads an event just below the limit from small pieces', () => {
    const reader = new SseReader()
    const piece = bytes('a'.repeat(1024))
    reader.push(bytes('data: '))
    for (let count = 0; count < 4095; count += 1) reader.push(piece)
    expect(reader.push(bytes('\n\n'))[0]?.data.length).toBe(4095 * 1024)
  })

  test.each(['\n', '\r\n', '\r'])('reads 200,000 events that come at once after many small pieces (%j)', (end) => {
    const event = `data: {"choices":[{"index":0,"delta":{"content":"a text of some length"}}]}${end}${end}`
    const small = new SseReader()
    const piece = bytes(event.repeat(60))
    for (let round = 0; round < 1000; round++) small.push(piece)
    // Work that grew with the square of the length would take minutes here.
    const count = 200_000
    expect([...new SseReader().push(bytes(`${event.repeat(count)}x${end}`))]).toHaveLength(count)
  })

  test('replaces bytes that are no UTF-8 as TextDecoder does', () => {
    const wild = fc.uint8Array({ maxLength: 40 }).map((array) => array.filter((byte) => byte !== 10 && byte !== 13))
    fc.assert(
      fc.property(wild, fc.nat(40), (garbage, at) => {
        const all = Buffer.concat([bytes('data: '), garbage, bytes('\n\n')])
        const cut = Math.min(at, all.length)
        const reader = new SseReader()
        const events = [...reader.push(all.subarray(0, cut)), ...reader.push(all.subarray(cut))]
        const [first] = garbage
        const expected = new TextDecoder('utf-8', { ignoreBOM: true }).decode(garbage)
        expect(events).toEqual([{ event: '', data: first === 32 ? ` ${expected}`.slice(1) : expected }])
      }),
      { numRuns: 200 },
    )
  })

  test('reads any stream in any pieces as eventsource-parser does', () => {
    const word = fc.constantFrom(
      'data',
      'event',
      'id',
      'retry',
      'd',
      ': c',
      'x',
      ' ',
      ':',
      'é',
      '𝄞',
      '[DONE]',
      '\0',
      '{"a":1}',
    )
    const end = fc.constantFrom('\n', '\r\n', '\r', '\n\n', '\r\n\r\n', '\r\r', '')
    const line = fc.oneof(
      fc.tuple(fc.constantFrom('data: ', 'data:', 'event: ', 'id: ', ': ', ''), fc.array(word, { maxLength: 4 }), end),
    )
    const stream = fc
      .array(line, { maxLength: 30 })
      .map((lines) => lines.map(([head, words, end]) => head + words.join('') + end).join(''))
    fc.assert(
      fc.property(stream, fc.boolean(), fc.array(fc.nat(400), { maxLength: 12 }), (text, mark, positions) => {
        const all = bytes((mark ? '\ufeff' : '') + text)
        const cuts = [...new Set(positions.map((position) => Math.min(position, all.length)))].sort((a, b) => a - b)
        const reader = new SseReader()
        const got: SseEvent[] = []
        let from = 0
        for (const to of [...cuts, all.length]) {
          got.push(...reader.push(all.subarray(from, to)))
          from = to
        }
        expect(got).toEqual(referenceEvents(text))
      }),
      { numRuns: 1000 },
    )
  })
})

test('sseText() writes what SseReader reads', () => {
  expect(read(sseText('{"a":1}') + sseText('{}', 'done'))).toEqual([
    { event: '', data: '{"a":1}' },
    { event: 'done', data: '{}' },
  ])
})
