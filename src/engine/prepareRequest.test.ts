import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { openTestEngine, prepare } from '../../test/support/openTestEngine.ts'
import { dialectOf } from '../dialects/dialects.ts'
import { openaiEmbeddings } from '../dialects/embeddings/client.ts'
import type { DialectId } from '../domain/chat.ts'
import { InvalidRequestError, ModelNotFoundError } from '../domain/errors.ts'
import { prepareRequest, type RequestOptions, requestId } from './prepareRequest.ts'
import { embeddingsOperation } from './request/embeddingsOperation.ts'
import { readContext } from './request/readContext.ts'
import { WireBody } from './request/wireBody.ts'

const NOW = Date.UTC(2026, 10, 23, 12)
const KEY = `gsk_${'x'.repeat(20)}`

const open = (settings: object = {}) =>
  openTestEngine({ config: { groq: { api_key: KEY, models: ['a', 'b'] }, settings }, now: () => NOW })

/** As the gateway prepares it. */
function prepared(options: RequestOptions, settings: object = {}, prompt = 'Say hi') {
  return prepareRequest(open(settings), readContext(prompt, false).request, options)
}

const embeddings = openaiEmbeddings.readRequest({ model: 'm', input: 'Hi' })

describe('the time a request may take', () => {
  const secondsLeft = (options: RequestOptions, settings: object = {}) => {
    const engine = open(settings)
    const before = engine.tools.monotonic()
    const { deadlineAt } = prepareRequest(engine, readContext('Say hi', false).request, options)
    return Math.round((deadlineAt - before) / 1000)
  }

  test('is its own, else the configured', () => {
    expect(secondsLeft({ timeoutMs: 5000 })).toBe(5)
    expect(secondsLeft({}, { timeouts: { total_ms: 7000 } })).toBe(7)
    expect(secondsLeft({ timeoutMs: 5000 }, { timeouts: { total_ms: 7000 } })).toBe(5)
  })

  test.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])('is refused when it is %s', (timeoutMs) => {
    expect(() => prepared({ timeoutMs })).toThrow(InvalidRequestError)
    expect(() => prepared({ timeoutMs })).toThrow(`timeoutMs must be a number above 0, not ${timeoutMs}`)
  })
})

describe('the number of attempts', () => {
  test.each<{ options: RequestOptions; settings: object; maxAttempts: number; hardCap: boolean }>([
    { options: {}, settings: {}, maxAttempts: 5, hardCap: false },
    { options: {}, settings: { max_attempts: 3 }, maxAttempts: 3, hardCap: true },
    { options: { maxAttempts: 2 }, settings: {}, maxAttempts: 2, hardCap: true },
    { options: { maxAttempts: 2 }, settings: { max_attempts: 3 }, maxAttempts: 2, hardCap: true },
  ])('with $options and $settings is $maxAttempts, a cap: $hardCap', ({ options, settings, ...expected }) => {
    expect(prepared(options, settings)).toMatchObject(expected)
  })

  test('is refused when it is none', () => {
    expect(() => prepared({ maxAttempts: 0 })).toThrow(/maxAttempts must be a number above 0/)
  })
})

describe('the model', () => {
  test('is resolved once, to the targets that serve it', () => {
    const engine = open()
    const pending = prepare(engine, { prompt: 'Hi', model: 'groq/b' })
    expect(pending.selection).toMatchObject({ name: 'groq/b', auto: false })
    expect(pending.needs.among).toEqual(new Set([engine.registry.targets[1]!.stateId]))
    expect(prepare(engine).needs).toMatchObject({ auto: true, among: null })
  })

  test('that no target serves is refused with the nearest names', () => {
    expect(() => prepare(open(), { prompt: 'Hi', model: 'groq/bb' })).toThrow(ModelNotFoundError)
    expect(() => prepare(open(), { prompt: 'Hi', model: 'groq/bb' })).toThrow(/nearest: .*groq\/b/)
  })
})

describe('what the request needs', () => {
  test('counts a long body by its outline and by what the outline leaves out', () => {
    const short = prepared({})
    const long = prepared({ leftOutTokens: 1000, whole: () => short.request })
    expect(long.needs.inputTokens).toBe(short.needs.inputTokens + 1000)
    expect(prepared({ needs: { provider: 'groq' } }).needs).toEqual({ ...short.needs, provider: 'groq' })
  })

  test('bounds its prompt only where a budget or a hedge will ask, and by the whole request', () => {
    const budgets = [{ scope: 'all', usd: 1, per: 'day' }]
    expect(prepared({}).mostInputTokens).toBe(0)
    const bound = prepared({}, { budgets }).mostInputTokens
    expect(bound).toBeGreaterThan(0)
    expect(prepared({}, { hedge: {} }).mostInputTokens).toBe(bound)
    const whole = () => readContext('word '.repeat(1000), false).request
    expect(prepared({ whole }, { budgets }).mostInputTokens).toBeGreaterThan(bound + 1000)
  })
})

describe('the number of answers', () => {
  const answers = (dialect: DialectId, body: object, path: object = {}) => {
    const request = dialectOf(dialect).client.readRequest(body, { model: 'auto', stream: false, ...path })
    return prepareRequest(open(), request).answers
  }
  const messages = [{ role: 'user', content: 'Hi' }]
  const contents = [{ role: 'user', parts: [{ text: 'Hi' }] }]

  test.each<{ name: string; dialect: DialectId; body: object; expected: number }>([
    { name: "OpenAI's n", dialect: 'openai', body: { model: 'auto', messages, n: 3 }, expected: 3 },
    {
      name: "Gemini's candidateCount",
      dialect: 'google',
      body: { contents, generationConfig: { candidateCount: 4 } },
      expected: 4,
    },
    { name: 'neither of them', dialect: 'openai', body: { model: 'auto', messages }, expected: 1 },
  ])('with $name is $expected', ({ dialect, body, expected }) => {
    expect(answers(dialect, body)).toBe(expected)
  })
})

describe('what the client sent', () => {
  const wire = (): NonNullable<RequestOptions['wire']> => ({
    dialect: 'openai',
    body: new WireBody(Buffer.from('{"model":"auto"}'), 0),
    headers: ['x-trace', '1'],
  })

  test('goes with the request, so that its bytes can be passed on', () => {
    const sent = wire()
    expect(prepared({ wire: sent }).wire).toBe(sent)
    expect(prepared({}).wire).toBeNull()
  })

  test('may be for another dialect than chat', () => {
    const operation = embeddingsOperation(embeddings)
    expect(prepared({ operation }).operation).toBe(operation)
    expect(prepared({}).operation).toBeNull()
  })

  test('decides whether another provider may answer what one has filtered', () => {
    expect(prepared({ retryFiltered: true }).retryFiltered).toBe(true)
    expect(prepared({}).retryFiltered).toBe(false)
  })

  describe('in an experiment', () => {
    const variants = [
      { name: 'usual', share: 0.5 },
      { name: 'shown', share: 0.5 },
    ]
    /** Both variants make the same change, so that a request shows it whichever it gets. */
    const enrolled = (change: object, options: RequestOptions, asked = 'Say hi', model = 'auto') => {
      const experiments = [{ name: 'race', variants: variants.map((variant) => ({ ...variant, ...change })) }]
      const { request } = readContext({ prompt: asked, model }, false)
      return prepareRequest(open({ experiments }), request, options)
    }
    const template = { template: 'In one word: {{prompt}}' }

    test('is written again where the variant changes more than the model, with the headers of the client', () => {
      const sent = wire()
      const { request, whole, ...changed } = enrolled(template, { experiment: 'race', wire: sent })
      expect(changed.wire).toEqual({ dialect: 'openai', body: null, headers: ['x-trace', '1'] })
      expect(request.messages).toEqual(readContext('In one word: Say hi', false).request.messages)
      expect(whole()).toBe(request)
      expect(changed.enrolment).toMatchObject({ name: 'race', version: 1 })
    })

    test('is passed on where the variant changes the model alone', () => {
      const sent = wire()
      const { request, wire: kept } = enrolled({ model: 'groq/b' }, { experiment: 'race', wire: sent })
      expect([request.model, kept]).toEqual(['groq/b', sent])
    })

    test('is filled from all of a long body, and no longer counts what its outline left out', () => {
      const long = readContext('word '.repeat(1000), false).request
      const options = { experiment: 'race', whole: () => long, leftOutTokens: 5000 }
      const { request, whole, needs } = enrolled(template, options, 'word')
      expect(request.messages).toEqual(readContext(`In one word: ${'word '.repeat(1000)}`, false).request.messages)
      expect(whole()).toBe(request)
      const plain = prepareRequest(open(), request)
      expect(needs.inputTokens).toBe(plain.needs.inputTokens)
    })

    test('keeps what its outline left out where the variant changes the model alone', () => {
      const long = readContext('word '.repeat(1000), false).request
      const options = { experiment: 'race', whole: () => long, leftOutTokens: 5000 }
      const { whole, needs } = enrolled({ model: 'groq/b' }, options)
      expect(whole()).toBe(long)
      expect(needs.inputTokens).toBe(prepared({}).needs.inputTokens + 5000)
    })

    test('is bound to the provider of the variant, beside its other needs', () => {
      const change = { model: 'b', provider: 'groq' }
      const among = new Set(['a target'])
      expect(enrolled(change, { experiment: 'race', needs: { among } }).needs).toMatchObject({
        provider: 'groq',
        among,
      })
      expect(enrolled({ model: 'b' }, { experiment: 'race', needs: { among } }).needs).toMatchObject({ provider: null })
    })

    test('is filled with the variables of the caller', () => {
      const greeting = variants.map((variant) => ({ ...variant, template: 'Greet {{who}}.' }))
      const engine = open({ experiments: [{ name: 'race', variables: ['who'], variants: greeting }] })
      const options = { experiment: 'race', variables: { who: 'Ana' } }
      const { request } = prepareRequest(engine, readContext('Say hi', false).request, options)
      expect(request.messages).toEqual(readContext('Greet Ana.', false).request.messages)
    })

    test('gets the variant of its session, which belongs to its token', () => {
      const experiments = [{ name: 'race', unit: 'session', variants }]
      const engine = open({ experiments })
      const variantsOf = (token: string) =>
        Array.from({ length: 40 }, (_, index) => {
          const options = { experiment: 'race', sessionId: `session ${index}`, token }
          return prepareRequest(engine, readContext('Say hi', false).request, options).enrolment?.variant
        })
      expect(variantsOf('one')).toEqual(variantsOf('one'))
      expect(new Set(variantsOf('one'))).toEqual(new Set(['usual', 'shown']))
      expect(variantsOf('one')).not.toEqual(variantsOf('another'))
    })

    test('keeps the conversation that it would have outside of it', () => {
      const { session } = prepared({ token: 't' })
      expect(enrolled(template, { experiment: 'race', token: 't' }).session).toEqual(session)
    })

    test('is not enrolled when it asks for embeddings', () => {
      const options = { labels: { experiment: 'race' } }
      expect(enrolled(template, options).enrolment).toMatchObject({ name: 'race' })
      const { enrolment, request } = enrolled(template, { ...options, operation: embeddingsOperation(embeddings) })
      expect(enrolment).toBeNull()
      expect(request.messages).toEqual(readContext('Say hi', false).request.messages)
    })
  })
})

describe('whose request it is', () => {
  test('its session follows the id, else the conversation, and is kept apart by token', () => {
    const id = (options: RequestOptions, prompt?: string) => prepared(options, {}, prompt).session.id
    expect(id({ sessionId: 's' }, 'one')).toBe(id({ sessionId: 's' }, 'two'))
    expect(id({}, 'one')).toBe(id({}, 'one'))
    expect(id({}, 'one')).not.toBe(id({}, 'two'))
    expect(id({ token: 'a' }, 'one')).not.toBe(id({ token: 'b' }, 'one'))
    expect(id({ sessionId: 's', token: 'a' })).not.toBe(id({ sessionId: 's', token: 'b' }))
  })

  test('task, labels and token go with it', () => {
    const facts = { task: 'greet', labels: { team: 'a' }, token: 't' }
    expect(prepared(facts)).toMatchObject(facts)
    expect(prepared({})).toMatchObject({ task: null, labels: {}, token: null, enrolment: null, arrivedAt: NOW })
  })
})

test('of a request id 96 bits are random: none says anything about another', () => {
  const ids = Array.from({ length: 4096 }, requestId)
  expect(new Set(ids).size).toBe(ids.length)
  for (const id of ids) expect(id).toMatch(/^kw_[\w-]{21}$/)
  // Neither a part of the process nor a counter: every one of the 16 places takes every one of the 64 characters.
  for (let place = 8; place < 24; place++) expect(new Set(ids.map((id) => id[place])).size).toBe(64)
  const ascending = ids.filter((id, at) => at > 0 && id > (ids[at - 1] ?? '')).length
  expect(ascending / ids.length).toBeGreaterThan(0.4)
  expect(ascending / ids.length).toBeLessThan(0.6)
})

test('request ids of a later second sort behind, so that the index of the store grows at its end', () => {
  vi.useFakeTimers({ toFake: ['Date'] })
  onTestFinished(() => void vi.useRealTimers())
  const [, ...times] = ['2026-11-30', '2026-12-01', '2027-01-01', '2033-07-01', '2037-12-31'].map((day) => {
    vi.setSystemTime(new Date(`${day}T00:00:00Z`))
    return Array.from({ length: 600 }, requestId).at(-1)
  })
  expect(times.toSorted()).toEqual(times)
})
