import { describe, expect, test } from 'vitest'
import { openTestEngine, prepare } from '../../test/support/openTestEngine.ts'
import { InvalidRequestError, ModelNotFoundError } from '../domain/errors.ts'
import { prepareRequest, type RequestOptions, requestId } from './prepareRequest.ts'
import { readContext } from './request/readContext.ts'

const NOW = Date.UTC(2026, 10, 23, 12)
const KEY = `gsk_${'x'.repeat(20)}`

const open = (settings: object = {}) =>
  openTestEngine({ config: { groq: { api_key: KEY, models: ['a', 'b'] }, settings }, now: () => NOW })

/** As the gateway prepares it. */
function prepared(options: RequestOptions, settings: object = {}, prompt = 'Say hi') {
  return prepareRequest(open(settings), readContext(prompt, false).request, options)
}

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

  test('that nobody serves is refused with the nearest names', () => {
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

  test('bounds its prompt only where a budget will ask, and by the whole request', () => {
    const budgets = [{ scope: 'all', usd: 1, per: 'day' }]
    expect(prepared({}).mostInputTokens).toBe(0)
    const bound = prepared({}, { budgets }).mostInputTokens
    expect(bound).toBeGreaterThan(0)
    const whole = () => readContext('word '.repeat(1000), false).request
    expect(prepared({ whole }, { budgets }).mostInputTokens).toBeGreaterThan(bound + 1000)
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

test('request ids are unique and sort by age', () => {
  const ids = Array.from({ length: 1000 }, requestId)
  expect(new Set(ids).size).toBe(1000)
  expect([...ids].sort()).toEqual(ids)
  for (const id of ids) expect(id).toMatch(/^kw_[\w-]{12}[0-9a-z]{6}$/)
})
