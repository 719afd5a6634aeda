import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { literalAt } from './literal.ts'
import { unwrap } from './wrappedText.ts'

/** As Python prints it. */
function printed(value: unknown): string {
  if (value === null) return 'None'
  if (typeof value === 'boolean') return value ? 'True' : 'False'
  if (typeof value === 'number') return String(value)
  if (typeof value === 'string')
    return `'${value.replace(/[\\']/g, '\\$&').replaceAll('\n', '\\n').replaceAll('\r', '\\r')}'`
  if (Array.isArray(value)) return `[${value.map(printed).join(', ')}]`
  const fields = Object.entries(value as object).map(([name, content]) => `${printed(name)}: ${printed(content)}`)
  return `{${fields.join(', ')}}`
}

const plain = (value: unknown) => JSON.parse(JSON.stringify(value))

describe('literalAt()', () => {
  test('reads whatever JSON and Python print', () => {
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof(
        { maxDepth: 4 },
        fc.string(),
        fc.integer(),
        fc.boolean(),
        fc.constant(null),
        fc.array(tie('tree'), { maxLength: 4 }),
        fc.dictionary(fc.string({ minLength: 1 }), tie('tree'), { maxKeys: 4, noNullPrototype: true }),
      ),
    }))
    fc.assert(
      fc.property(fc.array(tree, { maxLength: 4 }), (value) => {
        for (const text of [JSON.stringify(value), printed(value)])
          expect(plain(literalAt(`${text}`, 0)?.value)).toEqual(plain(value))
      }),
    )
  })

  test('reads what is there of a text that was cut off', () => {
    const text = `{'error': {'code': 429, 'message': 'too ma`
    expect(plain(literalAt(text, 0))).toMatchObject({
      value: { error: { code: 429, message: 'too ma' } },
      isCut: true,
    })
  })

  test('takes prose for prose', () => {
    for (const text of ['{model} is not there', '[see above] and below', '{', '[', '{"a" 1}', '(1)'])
      expect(literalAt(text, 0)?.value ?? null).toSatisfy((value) => value === null || Object.keys(value).length === 0)
  })

  test('never throws and ends on hostile texts', () => {
    for (const part of ['{', '[', '{"a":', "{'a':[", '"', "'", '\\', '(', ',', '{1:', 'b'])
      literalAt(`{${part.repeat(1e6 / part.length)}`, 0)
    fc.assert(fc.property(fc.string(), (text) => void literalAt(`{${text}`, 0)))
  })
})

const inner = { error: { message: 'too many', code: 'rate_limit_exceeded' } }

describe('unwrap()', () => {
  const wrapped: readonly string[] = [
    JSON.stringify(inner),
    `429 ${JSON.stringify(inner)}`,
    `Error: 429 ${JSON.stringify(inner)}`,
    `Error code: 429 - ${printed(inner)}`,
    `API Error: 429 ${JSON.stringify(inner)}`,
    `Error: API request failed (429): ${JSON.stringify(inner, null, 2)}`,
    `litellm.RateLimitError: RateLimitError: OpenAIException - Error code: 429 - ${printed(inner)}`,
    `litellm.RateLimitError: VertexAIException - ${JSON.stringify(inner)}. Received Model Group=x\nAvailable Model Group Fallbacks=None`,
    `OpenrouterException - ${JSON.stringify(inner)}`,
    `litellm.APIError: AnthropicException - b'${JSON.stringify(inner)}'`.replace("b'", '').replace(/'$/, ''),
  ]
  for (const text of wrapped)
    test(`finds the data in ${text.slice(0, 70)}`, () => expect(plain(unwrap(text).value)).toEqual(inner))

  test('finds text in text', () =>
    expect(unwrap(JSON.stringify(JSON.stringify(inner))).value).toBe(JSON.stringify(inner)))

  for (const text of [
    `Invalid value: ${printed(inner)}`,
    `messages[0]: ${JSON.stringify(inner)} is not allowed`,
    `The model said ${JSON.stringify(inner)}`,
    `Error: ${printed(inner)} is not a valid message`,
    'no data at all',
    '[1310][Limit Exhausted.][20261123]',
  ])
    test(`leaves "${text.slice(0, 60)}" a sentence`, () => expect(unwrap(text).value).toBeUndefined())

  test('knows by LiteLLM’s words that a provider behind it refused', () => {
    const text =
      'litellm.AuthenticationError: AuthenticationError: OpenAIException - Incorrect API key provided: x. Received Model Group=y'
    expect(unwrap(text)).toEqual({ value: undefined, words: 'Incorrect API key provided: x', passedOn: true })
    expect(unwrap('the litellm.AuthenticationError: OpenAIException - x').passedOn).toBe(false)
  })

  test('ends on hostile texts', () => {
    for (const part of ['litellm.xError: ', 'xError: ', 'Exception - ', '429 ', ': ', '(4', 'error code: 429 - ', 'a'])
      unwrap(part.repeat(1e6 / part.length))
  })
})
