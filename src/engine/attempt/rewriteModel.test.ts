import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { DialectId } from '../../domain/chat.ts'
import { WireBody } from '../request/wireBody.ts'
import { rewriteModel } from './rewriteModel.ts'

function rewritten(body: string, facts: { dialect?: DialectId; stream?: boolean; wantsUsage?: boolean } = {}) {
  const { dialect = 'openai', stream = false, wantsUsage } = facts
  const request = { model: 'asked', messages: [], stream, ...(wantsUsage !== undefined && { wantsUsage }) }
  const result = rewriteModel({ dialect, body: new WireBody(Buffer.from(body), 0), headers: [] }, request, 'theirs')
  return result === null ? null : { path: result.path, body: result.body.toString() }
}

describe('rewriteModel()', () => {
  test.each([
    ['{"model":"asked"}', '{"model":"theirs"}'],
    [' \n{ "model" : "asked" , "x":1 }\n', ' \n{ "model" : "theirs" , "x":1 }\n'],
    ['{"x":{"model":"inner"},"model":"asked"}', '{"x":{"model":"inner"},"model":"theirs"}'],
    ['{"x":"\\"model\\":","model":"asked"}', '{"x":"\\"model\\":","model":"theirs"}'],
    ['{"x":["model","}{"],"model":"a\\"b\\\\","ü":"ü"}', '{"x":["model","}{"],"model":"theirs","ü":"ü"}'],
  ])('changes the model of %s and nothing else', (body, expected) => {
    expect(rewritten(body)).toEqual({ path: '/chat/completions', body: expected })
  })

  test.each([
    ['two models', '{"model":"a","model":"b"}'],
    ['a second one in escapes', '{"model":"a","mod\\u0065l":"b"}'],
    ['one only in escapes', '{"mod\\u0065l":"b"}'],
    ['a model that is no text', '{"model":5}'],
    ['no model', '{"x":1}'],
    ['no object', '["model","a"]'],
    ['nothing', ''],
    ['half a text', '{"model":"a'],
  ])('leaves %s to be written anew', (_, body) => expect(rewritten(body)).toBeNull())

  test('requests usage where the client did not, and never twice', () => {
    const front = '{"stream_options":{"include_usage":true},'
    expect(rewritten('{"model":"m"}', { stream: true })?.body).toBe(`${front}"model":"theirs"}`)
    expect(rewritten('{"model":"m"}', { stream: true, wantsUsage: true })?.body).toBe('{"model":"theirs"}')
    expect(rewritten('{"model":"m","stream_options":{}}', { stream: true })).toBeNull()
    expect(rewritten('{"model":"m"}', { stream: true, dialect: 'anthropic' })?.body).toBe('{"model":"theirs"}')
  })

  test('puts the model of Gemini into the path', () => {
    const path = '/models/theirs:streamGenerateContent?alt=sse'
    expect(rewritten('{"contents":[]}', { dialect: 'google', stream: true })).toEqual({ path, body: '{"contents":[]}' })
  })

  test('never changes what a JSON parser reads besides the model', () => {
    const object = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 }), { maxKeys: 5 })
    fc.assert(
      fc.property(object, object, (before, after) => {
        const body = { ...before, model: 'asked', ...after, ...('model' in after && { model: 'asked' }) }
        const result = rewritten(JSON.stringify(body))
        if (result !== null)
          expect(JSON.parse(result.body)).toEqual({ ...JSON.parse(JSON.stringify(body)), model: 'theirs' })
      }),
      { numRuns: 200 },
    )
  })
})
