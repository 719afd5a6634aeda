import fc from 'fast-check'
import { expect, test } from 'vitest'
import { attemptEvent, heldBy, qualityEvent } from '../../../test/support/storeEvents.ts'
import { LineWriter, readLines } from './line.ts'

const header = { version: 1, origin: 'a' }

function journalOf(...values: readonly unknown[]): Buffer {
  const lines = new LineWriter()
  lines.add('header', JSON.stringify(header))
  for (const value of values) lines.add('event', JSON.stringify(value))
  return lines.take()
}

const valuesIn = (bytes: Buffer) => readLines(bytes).records.map(({ value }) => value)

test('lines are read as they were written, of every kind and length', () => {
  const lines = new LineWriter()
  const long = qualityEvent({ task: 'é😀\u2028\n'.repeat(20_000) })
  const events = [attemptEvent(), long]
  lines.add('holding', JSON.stringify(heldBy()))
  lines.add('undecided', JSON.stringify(events[0]))
  const bytes = Buffer.concat([journalOf(...events), lines.take()])
  expect(readLines(bytes)).toEqual({
    header,
    damaged: 0,
    records: [
      ...events.map((value) => ({ kind: 'event', value })),
      { kind: 'holding', value: heldBy() },
      { kind: 'undecided', value: events[0] },
    ],
  })
})

test('a journal cut off at any byte gives every line that was whole, and no other', () => {
  const events = [attemptEvent(), attemptEvent({ task: 'é😀' }), attemptEvent()]
  const bytes = journalOf(...events)
  const ends = [...bytes.keys()].filter((at) => bytes[at] === 0x0a)
  for (let length = 0; length <= bytes.length; length++) {
    const whole = Math.max(0, ends.filter((end) => end < length).length - 1)
    const read = readLines(bytes.subarray(0, length))
    expect(read.records.map(({ value }) => value)).toEqual(events.slice(0, whole))
    expect(read.damaged).toBe(0)
  }
})

test('a line that was cut off costs itself alone when others follow', () => {
  const [one, two] = [attemptEvent(), attemptEvent()]
  const bytes = journalOf(one)
  const torn = bytes.subarray(0, bytes.length - 7)
  expect(readLines(Buffer.concat([torn, Buffer.from('\n'), journalOf(two)]))).toMatchObject({
    damaged: 1,
    records: [{ kind: 'event', value: two }],
  })
})

test('a changed byte costs one line, wherever it is, and is counted', () => {
  const events = [attemptEvent(), attemptEvent(), attemptEvent()]
  const bytes = journalOf(...events)
  fc.assert(
    fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
      const damaged = Buffer.from(bytes)
      damaged[at] = (damaged[at] ?? 0) ^ change
      const read = valuesIn(damaged)
      // A line break that is gone, or new, concerns two lines at most.
      expect(read.length).toBeGreaterThanOrEqual(events.length - 2)
      for (const value of read) expect(events).toContainEqual(value)
    }),
    { numRuns: 300 },
  )
})

test('what is no journal has neither a header nor rows', () => {
  for (const text of ['', '\n\n', 'notes\n', '00000000 {"e":{}}\n', 'xxxxxxxx ', '{}\n'])
    expect(readLines(Buffer.from(text))).toMatchObject({ header: undefined, records: [] })
})
