import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { openaiChatDialect } from '../../dialects/openaiChat/openaiChat.ts'
import { InvalidRequestError } from '../../domain/errors.ts'
import { readContext } from './readContext.ts'

const asRead = (prompt: string, model = 'auto', stream = false) =>
  openaiChatDialect.client.readRequest({ model, messages: [{ role: 'user', content: prompt }], stream })

describe('a prompt alone', () => {
  test('is the request that the OpenAI dialect would have read', () => {
    const text = fc.string({ minLength: 1 }).filter((prompt) => prompt.trim() !== '')
    fc.assert(
      fc.property(text, fc.constantFrom('auto', 'groq/m', 'm'), fc.boolean(), (prompt, model, stream) => {
        const { request } = readContext({ prompt, model }, stream)
        expect(JSON.parse(JSON.stringify(request))).toEqual(
          JSON.parse(JSON.stringify({ ...asRead(prompt, model, stream), ...(stream && { wantsUsage: true }) })),
        )
      }),
      { numRuns: 200 },
    )
  })

  test('may be a plain string, and keeps the options that are not about the prompt', () => {
    const labels = { team: 'a' }
    expect(readContext('Say hi', false).request).toEqual(readContext({ prompt: 'Say hi' }, false).request)
    const { options, request } = readContext({ prompt: 'Say hi', labels, maxAttempts: 2, task: 'greet' }, false)
    expect(options).toMatchObject({ labels, maxAttempts: 2, task: 'greet' })
    expect(request).toEqual(readContext('Say hi', false).request)
  })

  test.each(['', '  \n'])('is refused when it is %j', (prompt) => {
    expect(() => readContext({ prompt }, false)).toThrow(InvalidRequestError)
  })
})

describe('a context', () => {
  test('with options of the dialect is read by it, and a wrong one is named', () => {
    const { request } = readContext({ prompt: 'Hi', system: 'Be brief.', maxTokens: 5, responseFormat: 'json' }, false)
    expect(request).toMatchObject({ maxTokens: 5, responseFormat: { type: 'json' } })
    expect(request.messages.map(({ role }) => role)).toEqual(['system', 'user'])
    expect(() => readContext({ prompt: 'Hi', temperature: 'hot' }, false)).toThrow(/temperature/)
    expect(() => readContext({ prompt: 'Hi', model: '' }, false)).toThrow(/model/)
  })

  test('prefers its prompt to its messages, and takes messages that all have role and content', () => {
    const messages = [{ role: 'user', content: 'from the messages' }]
    expect(JSON.stringify(readContext({ prompt: 'from the prompt', messages }, false).request)).not.toContain(
      'from the messages',
    )
    expect(readContext({ messages }, false).request.messages).toHaveLength(1)
  })

  test('that is any other object becomes text, one line a field', () => {
    const { request } = readContext({ phase: 'review', files: ['a.ts', 'b.ts'], empty: '', model: 'auto:fast' }, false)
    expect(request.model).toBe('auto:fast')
    expect(request.messages[0]?.content).toEqual([{ type: 'text', text: 'phase: review\nfiles:\n  - a.ts\n  - b.ts' }])
  })

  test('is written out by the template of the caller, which must say something', () => {
    const { request } = readContext({ phase: 'review' }, false, ({ phase }) => `now: ${phase}`)
    expect(request.messages[0]?.content).toEqual([{ type: 'text', text: 'now: review' }])
    expect(() => readContext({ phase: 'review' }, false, () => ' ')).toThrow(InvalidRequestError)
  })

  test.each([null, 7, [], undefined])('that is %j is refused with what to pass instead', (context) => {
    expect(() => readContext(context as never, false)).toThrow(/prompt/)
  })
})
