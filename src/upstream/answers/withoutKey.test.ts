import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import { KeyTraces } from '../keyTraces.ts'
import { KeyFilter, withoutKey } from './withoutKey.ts'

const PART = 'q7ZxV2mKp9LwT4sBn8RcY3dG'
const KEY = `gsk_${PART}`
const traces = KeyTraces.of(KEY)

const clean = (text: string, isOpaque = false) => withoutKey(Buffer.from(text), traces, isOpaque).toString()

function inPieces(text: string, sizes: readonly number[], isOpaque = false): string[] {
  const filter = new KeyFilter(traces as KeyTraces, isOpaque)
  const bytes = Buffer.from(text)
  const pieces: string[] = []
  let at = 0
  for (let turn = 0; at < bytes.length; turn++) {
    const size = sizes[turn % sizes.length] ?? 1
    // A copy: what is read into the same memory later must not change what is held.
    const piece = Buffer.from(bytes.subarray(at, at + size))
    pieces.push(filter.push(piece).toString('latin1'))
    piece.fill(0)
    at += size
  }
  pieces.push(filter.end().toString('latin1'))
  return pieces
}

const joined = (pieces: readonly string[]) => Buffer.from(pieces.join(''), 'latin1').toString()

const answer = (fields: object) => JSON.stringify({ id: 'chatcmpl-1', choices: [], ...fields })

describe('withoutKey()', () => {
  test.each([
    ['the key in content', { choices: [{ message: { content: `it is ${KEY}.` } }] }, 'it is gsk_….'],
    ['the key in arguments', { arguments: JSON.stringify({ key: KEY }) }, '{\\"key\\":\\"gsk_…\\"}'],
    ['the key in an id', { id: `chatcmpl-${KEY}` }, '"chatcmpl-gsk_…"'],
    ['a part in an id', { id: `x-${PART.slice(3, 11)}-y` }, '"x-…-y"'],
    ['a part in a fingerprint', { system_fingerprint: PART.slice(0, 14).toUpperCase() }, '"system_fingerprint":"…"'],
    ['a part in a name', { [PART.slice(5, 20)]: 1 }, '"…":1'],
    ['a part in a list', { x_unknown: ['a', PART.slice(5, 20)] }, '["a","…"]'],
    ['the key in base64', { x_echo: Buffer.from(`Bearer ${KEY}`).toString('base64') }, '…'],
  ])('masks %s', (_, fields, expected) => {
    const shown = clean(answer(fields))
    expect(shown).toContain(expected)
    expect(shown).not.toContain(PART.slice(4, 12))
    expect(() => JSON.parse(shown)).not.toThrow()
  })

  test.each([
    [
      'a part of the key that a model quotes',
      { choices: [{ message: { content: `it begins with ${PART.slice(0, 12)}` } }] },
    ],
    ['a part of the key behind a quotation', { choices: [{ delta: { content: `say "so": ${PART.slice(0, 12)}` } }] }],
    ['seven characters anywhere', { id: PART.slice(0, 7), system_fingerprint: PART.slice(-7) }],
    ['escapes that mean something', { choices: [{ message: { content: 'caf\\u00e9 \\u0022 \\\\u0067' } }] }],
  ])('leaves %s', (_, fields) => {
    expect(clean(answer(fields))).toBe(answer(fields))
  })

  test('masks a key whose letters are escaped, and keeps what else it says', () => {
    const escaped = [...KEY].map((letter) => `\\u00${letter.charCodeAt(0).toString(16)}`).join('')
    expect(clean(`{"content":"it is ${escaped} \\u0022\\u00e9"}`)).toBe('{"content":"it is gsk_… \\u0022\\u00e9"}')
  })

  test('masks only the whole key in what is no JSON', () => {
    expect(clean(`${PART.slice(0, 12)} and ${KEY}`, true)).toBe(`${PART.slice(0, 12)} and gsk_…`)
  })

  test('takes a key of words as a whole, and hides nothing of one that is none', () => {
    const words = KeyTraces.of('my-local-key')
    expect(withoutKey(Buffer.from('{"content":"my-local-key, my-local"}'), words).toString()).toBe(
      '{"content":"…, my-local"}',
    )
    for (const key of ['none', 'ollama', 'abc1', '']) expect(KeyTraces.of(key)).toBeNull()
  })

  test('looks through a long text with a part of the key in every word in time', () => {
    const text = answer({ choices: [{ message: { content: `${PART.slice(0, 10)} `.repeat(20_000) } }] })
    expect(clean(text)).toBe(text)
  })
})

describe('KeyFilter', () => {
  const event = (fields: object) => `data: ${JSON.stringify(fields)}\n\n`
  const stream =
    `: ${PART.slice(2, 18)}\nid: ${KEY}\nevent: ${PART.slice(0, 9)}\n` +
    event({ id: `chatcmpl-${PART.slice(1, 13)}`, choices: [{ delta: { content: `key ${KEY} é` } }] }) +
    event({ system_fingerprint: KEY, choices: [{ delta: { content: `quoted ${PART.slice(0, 12)}` } }] })
  const expected =
    ': …\nid: gsk_…\nevent: …\n' +
    event({ id: 'chatcmpl-…', choices: [{ delta: { content: 'key gsk_… é' } }] }) +
    event({ system_fingerprint: 'gsk_…', choices: [{ delta: { content: `quoted ${PART.slice(0, 12)}` } }] })

  test('masks in one piece what it masks in a whole body', () => {
    expect(joined(inPieces(stream, [10_000]))).toBe(expected)
  })

  test('shows less than 8 characters in a row, wherever the stream is cut in two', () => {
    for (let cut = 1; cut < stream.length; cut++) {
      const shown = joined(inPieces(stream, [cut, 10_000]))
      expect(shown.replaceAll(`quoted ${PART.slice(0, 12)}`, '')).not.toMatch(anyRun)
      expect(shown.replace(/…|[\w-]/g, '')).toBe(expected.replace(/…|[\w-]/g, ''))
    }
  })

  test('shows less than 8 characters in a row in pieces of any size', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 20 }), (sizes) => {
        const shown = joined(inPieces(stream, sizes))
        expect(shown.replaceAll(`quoted ${PART.slice(0, 12)}`, '')).not.toMatch(anyRun)
      }),
    )
  })

  test('changes nothing and delays nothing where there is nothing of the key', () => {
    fc.assert(
      fc.property(fc.array(anyText, { maxLength: 10 }), (texts) => {
        const filter = new KeyFilter(traces as KeyTraces, false)
        for (const text of texts) {
          const piece = Buffer.from(`data: ${JSON.stringify({ content: text })}\n\n`)
          expect(filter.push(piece)).toEqual(piece)
        }
        expect(filter.end()).toHaveLength(0)
      }),
    )
  })

  test('looks closely at single bytes only where four of them are like the key', () => {
    const find = vi.spyOn(KeyTraces.prototype, 'find')
    const said = answer({ choices: [{ delta: { content: 'nothing of it '.repeat(500) } }] })
    expect(joined(inPieces(said, [1]))).toBe(said)
    // Some four bytes look like others to the filter.
    expect(find.mock.calls.length).toBeLessThan(10)
    const before = find.mock.calls.length
    inPieces(PART.slice(0, 6), [1])
    expect(find.mock.calls.length).toBeGreaterThan(before)
    find.mockRestore()
  })

  test('holds only what ends like the key, and never more than its length', () => {
    const filter = new KeyFilter(traces as KeyTraces, true)
    expect(filter.push(Buffer.from('so gsk_q7Z')).toString()).toBe('so gsk_q7Z')
    expect(filter.push(Buffer.from('and gsk_q7ZxV')).toString()).toBe('and gsk_')
    expect(filter.push(Buffer.from('oh')).toString()).toBe('q7ZxVoh')
    expect(filter.end()).toHaveLength(0)
  })
})

const anyText = fc.array(fc.nat(0xffff), { minLength: 1, maxLength: 30 }).map((codes) => String.fromCharCode(...codes))

const anyRun = new RegExp(Array.from({ length: PART.length - 7 }, (_, at) => PART.slice(at, at + 8)).join('|'), 'i')
