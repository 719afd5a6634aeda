import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { WireBody } from './wireBody.ts'

const HEADROOM = 512

/** A body in a larger piece of memory, as the gateway reads it; `margin` guards what lies beside it. */
function inMemory(text: string): { wire: WireBody; margins: () => boolean } {
  const bytes = Buffer.from(text)
  const memory = Buffer.alloc(64 + HEADROOM + bytes.length + 64, 0x23)
  bytes.copy(memory, 64 + HEADROOM)
  const margins = () =>
    memory.subarray(0, 64).every((byte) => byte === 0x23) && memory.subarray(-64).every((byte) => byte === 0x23)
  return { wire: new WireBody(memory.subarray(64 + HEADROOM, 64 + HEADROOM + bytes.length), HEADROOM), margins }
}

/** No second "model" anywhere: such bodies are written anew. */
const fields = fc.dictionary(
  fc.string().filter((name) => name !== 'model' && name !== '__proto__'),
  fc.jsonValue().filter((value) => !JSON.stringify(value).includes('"model"')),
  { maxKeys: 4 },
)
const modelName = fc.string({ minLength: 1, maxLength: 80 })

describe('WireBody', () => {
  test('replaces the model any number of times and returns the original', () => {
    fc.assert(
      fc.property(
        fields,
        fields,
        fc.array(modelName, { minLength: 1, maxLength: 4 }),
        fc.boolean(),
        (before, after, models, usage) => {
          const request = { ...before, nested: { model: 'inner' }, model: 'asked "for"', ...after }
          const text = JSON.stringify(request, null, usage ? 1 : 0)
          const { wire, margins } = inMemory(text)
          for (const model of models) {
            const front = usage ? '"stream_options":{"include_usage":true},' : ''
            const body = wire.withModel(model, front)
            expect(JSON.parse(body!.toString())).toEqual({
              ...(usage && { stream_options: { include_usage: true } }),
              ...JSON.parse(text),
              model,
            })
            expect(wire.original().toString()).toBe(text)
          }
          expect(margins()).toBe(true)
        },
      ),
      { numRuns: 200 },
    )
  })

  test('copies the body where the model comes after a long prompt', () => {
    const request = { messages: [{ role: 'user', content: 'long "and" quoted\n'.repeat(3000) }], model: 'a' }
    const { wire } = inMemory(JSON.stringify(request))
    expect(JSON.parse(wire.withModel('another', '')!.toString())).toEqual({ ...request, model: 'another' })
    expect(JSON.parse(wire.original().toString())).toEqual(request)
  })

  for (const text of ['[]', '{"a":1}', '{"model":"a","model":"b"}', '{"model":5}', '{"model":"open', 'no json', '']) {
    test(`says null to ${text || 'nothing'}, which is to be written anew`, () =>
      expect(inMemory(text).wire.withModel('m', '')).toBeNull())
  }
})
