import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { findJson, type JsonKind } from './findJson.ts'

const cases: readonly { name: string; text: string; kind?: JsonKind; found: string | null; isHealed?: boolean }[] = [
  { name: 'an object as it is', text: '{"a":1}', found: '{"a":1}', isHealed: false },
  { name: 'without the space around it', text: '\ufeff \n{"a":1}\n', found: '{"a":1}', isHealed: false },
  { name: 'any value that is the whole text', text: '42', found: '42', isHealed: false },
  { name: 'the inside of a fence', text: '```json\n{"a":1}\n```', found: '{"a":1}' },
  { name: 'the inside of a fence without a language', text: '```\n{"a":1}\n```', found: '{"a":1}' },
  { name: 'the inside of a fence on one line', text: '```json {"a":1}```', found: '{"a":1}' },
  { name: 'the inside of a fence that was never closed', text: '```json\n{"a":1}', found: '{"a":1}' },
  {
    name: 'the fence, whatever stands in the prose',
    text: 'Use {x}:\n```json\n{"a":1}\n```\nor {y}.',
    found: '{"a":1}',
  },
  { name: 'the only fence that holds JSON', text: '```sh\nls\n```\n```json\n{"a":1}\n```', found: '{"a":1}' },
  { name: 'an object in prose', text: 'Here: {"a":{"b":"}"}} Enjoy!', found: '{"a":{"b":"}"}}' },
  { name: 'an object beside brackets that are no value', text: 'As {asked} [1]: {"a":[1]}', found: '{"a":[1]}' },
  { name: 'an array where one is wanted', text: 'The list: [1, 2]', kind: 'array', found: '[1, 2]' },
  { name: 'a string with quotes inside', text: 'So: {"a":"\\"}{\\""}', found: '{"a":"\\"}{\\""}' },
  { name: 'an answer behind thoughts', text: '<think>{"a":2}?</think>\n{"a":1}', found: '{"a":1}' },
  { name: 'nothing in prose', text: 'Of course!', found: null },
  { name: 'nothing in an empty text', text: ' ', found: null },
  { name: 'nothing where it is cut off', text: '{"a":1,"b":', found: null },
  { name: 'nothing where an object is wanted and there is an array', text: 'See [1].', found: null },
  { name: 'nothing between two values', text: '{"a":1} or {"a":2}', found: null },
  { name: 'nothing between two fences', text: '```json\n{"a":1}\n```\n```json\n{"a":2}\n```', found: null },
  { name: 'nothing in single quotes', text: "{'a': 1}", found: null },
]

describe('findJson() finds', () => {
  test.each(cases)('$name', ({ text, kind = 'object', found, isHealed = true }) => {
    expect(findJson(text, kind)).toEqual(found === null ? null : { text: found, isHealed })
  })

  test('every value in a fence and in prose without brackets', () => {
    const prose = fc.stringMatching(/^[a-z ,.!]{0,40}$/)
    fc.assert(
      fc.property(
        fc.dictionary(fc.string(), fc.jsonValue()),
        prose,
        prose,
        fc.boolean(),
        (value, before, after, isFenced) => {
          const json = JSON.stringify(value)
          const text = isFenced ? `${before}\n\`\`\`json\n${json}\n\`\`\`\n${after}` : `${before} ${json} ${after}`
          // A fence inside the value makes another one of it.
          fc.pre(!json.includes('```'))
          expect(JSON.parse(findJson(text, 'object')?.text ?? 'null')).toEqual(JSON.parse(json))
        },
      ),
    )
  })

  test('its way through hostile texts', () => {
    expect(findJson('{'.repeat(300_000), 'object')).toBeNull()
    expect(findJson('{"a":'.repeat(60_000), 'object')).toBeNull()
    expect(findJson('```json\n{\n'.repeat(30_000), 'object')).toBeNull()
  })
})
