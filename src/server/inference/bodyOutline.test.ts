import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { WireBody } from '../../engine/request/wireBody.ts'
import { endOfText, outlineBody } from './bodyOutline.ts'

const piece = fc.constantFrom(
  'plain words ',
  'a "quoted" word ',
  'line\n',
  'back\\slash ',
  'naïve 漢字 🙂 ',
  '\u0001',
  '{"stream":true}',
)
const longText = fc
  .tuple(fc.array(piece, { minLength: 1, maxLength: 8 }), fc.integer({ min: 1, max: 2000 }))
  .map(([pieces, times]) => pieces.join('').repeat(times))

describe('outlineBody()', () => {
  test('keeps the structure and the beginning of every long text, whatever it contains', () => {
    fc.assert(
      fc.property(longText, longText, fc.json(), (system, user, extra) => {
        const request = {
          model: 'm',
          messages: [
            { role: 'system', content: system },
            { role: 'user', content: user },
          ],
          extra: JSON.parse(extra),
        }
        const body = Buffer.from(JSON.stringify(request))
        const outline = outlineBody(body)
        if (outline === null) return
        const read = JSON.parse(outline.bytes.toString()) as typeof request
        expect(read.extra).toEqual(request.extra)
        for (const [at, message] of read.messages.entries()) {
          const whole = request.messages[at]!.content
          expect(whole.startsWith(message.content)).toBe(true)
          if (message.content.length < whole.length) expect(message.content.length).toBeGreaterThan(600)
        }
        expect(outline.bytes.length + outline.leftOut).toBe(body.length)
      }),
      { numRuns: 100 },
    )
  })

  test('keeps at least the part of a plain text that identifies a session', () => {
    const body = Buffer.from(JSON.stringify({ text: 'a plain word '.repeat(10_000) }))
    expect((JSON.parse(outlineBody(body)!.bytes.toString()) as { text: string }).text.length).toBeGreaterThan(4096)
  })

  for (const [name, text] of [
    ['has no long text', '{"a":"short"}'],
    ['never closes a text', `{"a":"${'x'.repeat(20_000)}`],
  ] as const) {
    test(`returns null for a body that ${name}`, () => expect(outlineBody(Buffer.from(text))).toBeNull())
  }

  test('locates the model before, between and after long texts that name it too', () => {
    fc.assert(
      fc.property(longText, longText, longText, fc.string(), (before, between, behind, model) => {
        const messages = [{ role: 'user', content: `${between} "model":"not this" ` }]
        for (const request of [
          { model: 'asked', before, messages, behind },
          { before, model: 'asked', messages, behind },
          { before, messages, model: 'asked', behind },
          { before, messages, behind, model: 'asked' },
        ]) {
          const body = Buffer.from(JSON.stringify(request))
          const memory = Buffer.concat([Buffer.alloc(512), body])
          const outline = outlineBody(body)
          if (outline === null) continue
          const wire = new WireBody(memory.subarray(512), 512, outline)
          expect(JSON.parse(wire.withModel(model, '')!.toString())).toEqual({ ...request, model })
          expect(wire.original().equals(body)).toBe(true)
        }
      }),
      { numRuns: 50 },
    )
  })
})

describe('endOfText()', () => {
  const written = fc
    .array(fc.constantFrom('a', 'bc', '"', '\\', '\n', 'é', '🙂', ' '.repeat(90)), { maxLength: 400 })
    .map((pieces) => JSON.stringify(pieces.join('')))

  test('finds the closing quote, however close together quotes and backslashes are', () => {
    fc.assert(
      fc.property(fc.string(), written, fc.string(), (before, text, behind) => {
        const open = Buffer.byteLength(before)
        const end = open + Buffer.byteLength(text)
        expect(endOfText(Buffer.from(before + text + behind), open)).toBe(end)
        expect(endOfText(Buffer.from(before + text).subarray(0, -1), open)).toBe(-1)
      }),
      { numRuns: 500 },
    )
  })
})
