import { expect, test } from 'vitest'
import { InterimFilter } from './interimAnswers.ts'

const ANSWER = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok'
const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n'
const HINTS = 'HTTP/1.1 103 Early Hints\r\nlink: </a>; rel=preload\r\n\r\n'

/** What comes through of a text in pieces of a size. */
function through(text: string, size: number): string {
  const filter = new InterimFilter()
  filter.expect()
  let passed = ''
  for (let at = 0; at < text.length; at += size) {
    const piece = Buffer.from(text.slice(at, at + size), 'latin1')
    passed += (filter.isBefore ? filter.push(piece) : piece).toString('latin1')
  }
  return passed
}

test.each([
  ['one that nobody asked for', CONTINUE + ANSWER, ANSWER],
  ['one with headers', `HTTP/1.1 100 Continue\r\nx-a: b\r\ndate: now\r\n\r\n${ANSWER}`, ANSWER],
  ['one without a reason', `HTTP/1.1 100 \r\n\r\n${ANSWER}`, ANSWER],
  ['an older one', `HTTP/1.0 100 Continue\r\n\r\n${ANSWER}`, ANSWER],
  ['several of all kinds', CONTINUE + HINTS + CONTINUE + HINTS.replace('103', '102') + ANSWER, ANSWER],
  ['a hundred', CONTINUE.repeat(100) + ANSWER, ANSWER],
  ['none', ANSWER, ANSWER],
  ['one within the body', ANSWER + CONTINUE, ANSWER + CONTINUE],
  [
    'a change of the protocol',
    `HTTP/1.1 101 Switching Protocols\r\n\r\n${CONTINUE}`,
    `HTTP/1.1 101 Switching Protocols\r\n\r\n${CONTINUE}`,
  ],
  ['no HTTP', 'garbage HTTP/1.1 100', 'garbage HTTP/1.1 100'],
  ['a status of four digits', `HTTP/1.1 1000 x\r\n\r\n${ANSWER}`, `HTTP/1.1 1000 x\r\n\r\n${ANSWER}`],
])('%s: only interim answers before the answer are taken out, however the bytes are cut', (_, text, expected) => {
  for (let size = 1; size <= Math.min(text.length, 60); size++) expect(through(text, size)).toBe(expected)
  expect(through(text, text.length)).toBe(expected)
})

test('the head of one that does not end is held up to a limit', () => {
  const endless = `HTTP/1.1 103 Early Hints\r\n${'x-a: b\r\n'.repeat(10_000)}`
  expect(through(endless, 1000)).toBe(endless)
})
