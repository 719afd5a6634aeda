import { describe, expect, test } from 'vitest'
import { historyArguments, objectText, objectToText, repairedArguments, textToObject } from './toolArguments.ts'

const twice = (text: string) => JSON.stringify(text)
const ID = '{"id":2512292042121000001}'
const PROTO = '{"__proto__":{"a":1.0}}'
const deep = `{"a":${'['.repeat(300)}${']'.repeat(300)}}`
const brackets = JSON.stringify({ code: '['.repeat(300) })

describe('arguments as a model wrote them', () => {
  test.each([
    // what it wrote, the text a client gets, the object a client gets, the text in the history of an upstream
    ['nothing', '', '{}', '{}', '{}'],
    ['white space', ' \n', '{}', '{}', '{}'],
    ['null', ' null\n', '{}', '{}', '{}'],
    ['an object', '{"a":1.0}', '{"a":1.0}', '{"a":1.0}', '{"a":1.0}'],
    ['an object between spaces', ' {"a": 1}\n', ' {"a": 1}\n', '{"a":1}', ' {"a": 1}\n'],
    ['an object encoded twice', twice(ID), ID, ID, ID],
    ['an object encoded three times', twice(twice(ID)), ID, ID, ID],
    ['an empty object encoded twice', twice('{}'), '{}', '{}', '{}'],
    ['null encoded twice', twice('null'), '{}', '{}', '{}'],
    ['an empty string', '""', '{}', '{}', '{}'],
    ['a string', '"UTC"', '"UTC"', '{"unparsed":"\\"UTC\\""}', '"UTC"'],
    ['a list', '[1,2.50]', '[1,2.50]', '{"unparsed":"[1,2.50]"}', '[1,2.50]'],
    ['a number', '5', '5', '{"unparsed":"5"}', '5'],
    ['an object behind a placeholder', '{} {"a":1.0}', ' {"a":1.0}', '{"a":1.0}', ' {"a":1.0}'],
    ['placeholders alone', '{}{}', '{}', '{}', '{}'],
    ['two objects', '{"a":1}{}', '{"a":1}{}', '{"unparsed":"{\\"a\\":1}{}"}', '{"unparsed":"{\\"a\\":1}{}"}'],
    ['a broken object', '{"a":', '{"a":', '{"unparsed":"{\\"a\\":"}', '{"unparsed":"{\\"a\\":"}'],
    ['a broken string', '"{', '"{', '{"unparsed":"\\"{"}', '{"unparsed":"\\"{"}'],
    ['prose', 'UTC', 'UTC', '{"unparsed":"UTC"}', '{"unparsed":"UTC"}'],
    ['a string of many brackets', brackets, brackets, brackets, brackets],
    ['hostile nesting', deep, deep, JSON.stringify({ unparsed: deep }), JSON.stringify({ unparsed: deep })],
    ['keys with a meaning in JavaScript', PROTO, PROTO, PROTO, PROTO],
  ])('%s', (_what, wrote, text, object, history) => {
    expect(repairedArguments(wrote)).toBe(text)
    expect(JSON.stringify(textToObject(wrote))).toBe(object)
    expect(historyArguments(wrote)).toBe(history)
    // What a client got and brings back goes to an upstream like what the model wrote.
    expect(historyArguments(text)).toBe(history)
    expect(normal(historyArguments(object))).toBe(normal(history))
    expect(JSON.stringify(textToObject(object))).toBe(object)
  })
})

const normal = (text: string) => JSON.stringify(JSON.parse(text))

test('objectText() leaves what begins an object as it is, however it goes on', () => {
  expect(objectText(' {"a":')).toBe(' {"a":')
  expect(objectText('[1.0]')).toBe('{"unparsed":"[1.0]"}')
})

describe('arguments that come as JSON', () => {
  test.each([
    ['none', undefined, '{}'],
    ['null', null, '{}'],
    ['an object', { a: 1 }, '{"a":1}'],
    ['the text of an object', '{"a": 1.0}', '{"a": 1.0}'],
    ['an empty text', '', '{}'],
    ['a list', [1], '[1]'],
  ])('%s', (_what, value, text) => expect(objectToText(value)).toBe(text))
})
