import { describe, expect, test } from 'vitest'
import { FAILURE_KINDS, type Failure, type FailureKind } from '../domain/failure.ts'
import { PARK_RULES, parkRule } from '../domain/park.ts'
import { type JudgeFacts, judge, type Verdict } from './judge.ts'

const others: JudgeFacts = {
  alone: false,
  spare: true,
  retried: false,
  patienceMs: 10_000,
  confirmed: false,
  mayAnswerFiltered: false,
  random: 0.5,
}
const alone = { ...others, alone: true }

/** A failure of that kind with only its required fields. */
function failure(kind: FailureKind, facts: object = {}): Failure {
  // Every required field is present.
  return { kind, status: null, message: '', phase: 'idle', afterMs: 1, code: 'ECONNRESET', ...facts } as Failure
}

const table: Record<
  FailureKind,
  [Verdict['next'], Verdict['skip'], Verdict['counts'], weight: number, provider: boolean]
> = {
  auth_invalid: ['next', 'key', false, 1, false],
  auth_forbidden: ['next', 'target', true, 1, false],
  billing: ['next', 'account', false, 1, false],
  in_flight_budget: ['next', 'key', true, 0.25, false],
  quota_day: ['next', 'account+model', true, 0.25, false],
  rate_minute: ['next', 'account+model', true, 0.25, false],
  zero_quota: ['next', 'target', true, 0.25, false],
  too_large_for_limit: ['next', 'account+model', true, 0, false],
  overloaded: ['next', 'provider+model', true, 1, true],
  server: ['next', 'provider+model', true, 1, true],
  timeout: ['next', 'provider+model', true, 1, true],
  network: ['next', 'provider', true, 1, true],
  model_not_found: ['next', 'target', true, 1, false],
  context_too_long: ['next', 'provider+model', true, 0, false],
  content_filter: ['give-up', 'none', true, 0, false],
  empty: ['retry-once', 'target', true, 1, false],
  malformed: ['next', 'target', true, 1, false],
  unsupported: ['next', 'provider+model', true, 0, false],
  bad_request: ['give-up', 'none', true, 0, false],
  client_gone: ['give-up', 'none', true, 0, false],
  slower: ['next', 'none', true, 0, false],
}

describe('judge()', () => {
  for (const kind of FAILURE_KINDS) {
    test(`answers ${kind} with ${table[kind].join(', ')}`, () => {
      const verdict = judge(failure(kind), others)
      const { next, skip, counts, blame } = verdict
      expect([next, skip, counts, blame.weight, blame.provider]).toEqual(table[kind])
      expect(parkRule(failure(kind))).toBe(PARK_RULES[kind])
      expect(verdict.waitMs).toBe(0)
    })
  }

  test.each([
    { name: 'once more while an attempt is left for another target', facts: {}, next: 'retry-once' },
    { name: 'never twice', facts: { retried: true }, next: 'next' },
    { name: 'not with the last attempt, which is another target\u2019s', facts: { spare: false }, next: 'next' },
    {
      name: 'with the last attempt where there is no other target',
      facts: { spare: false, alone: true },
      next: 'retry-once',
    },
    { name: 'but the only target never twice', facts: { alone: true, retried: true }, next: 'next' },
  ])('asks a target that answered nothing $name', ({ facts, next }) => {
    expect(judge(failure('empty'), { ...others, ...facts })).toMatchObject({ next, waitMs: 0 })
  })

  test('asks the only target once more when its model gave up, and not when it answered in the wrong form', () => {
    expect(judge(failure('malformed', { gaveUp: true }), alone).next).toBe('retry-once')
    expect(judge(failure('malformed', { gaveUp: true }), others).next).toBe('next')
    expect(judge(failure('malformed'), alone).next).toBe('next')
  })

  for (const kind of ['overloaded', 'server', 'network'] as const) {
    test(`retries the only target once after ${kind}, after a pause of 0.25 to 1 s`, () => {
      expect(judge(failure(kind), alone)).toMatchObject({ next: 'retry-once', waitMs: 625 })
      expect(judge(failure(kind), { ...alone, random: 0 }).waitMs).toBe(250)
      expect(judge(failure(kind), { ...alone, retried: true }).next).toBe('next')
    })
  }

  test('does not retry after the answer had begun', () => {
    expect(judge(failure('network', { started: true }), alone).next).toBe('next')
    expect(judge(failure('timeout', { phase: 'idle' }), alone).next).toBe('next')
  })

  test('waits for a limit only when there is no other target and the wait fits the latency allowance', () => {
    expect(judge(failure('rate_minute', { retryAfterMs: 9_000 }), alone)).toMatchObject({
      next: 'retry-once',
      waitMs: 9_000,
    })
    expect(judge(failure('rate_minute', { retryAfterMs: 11_000 }), alone).next).toBe('next')
    expect(judge(failure('rate_minute'), alone).next).toBe('next')
    expect(judge(failure('rate_minute', { retryAfterMs: 1 }), others).next).toBe('next')
  })

  test('skips the whole account when the limit is the account’s', () => {
    expect(judge(failure('rate_minute', { scope: 'account' }), others).skip).toBe('account')
    expect(judge(failure('quota_day', { scope: 'account' }), others).skip).toBe('account')
  })

  test('skips the provider, not only the key, when the host’s region is refused', () => {
    const blocked = failure('auth_forbidden', { hostBlocked: true })
    expect(judge(blocked, others).skip).toBe('provider')
    expect(parkRule(blocked)?.scope).toBe('provider')
  })

  test('skips the key with all its models when everything it may do is refused', () => {
    const suspended = failure('auth_forbidden', { keyWide: true })
    expect(judge(suspended, others).skip).toBe('key')
    expect(parkRule(suspended)?.scope).toBe('key')
  })

  test('skips the whole provider, with all its models, when it cannot be reached', () => {
    const unreachable = failure('timeout', { phase: 'connect' })
    expect(judge(unreachable, others).skip).toBe('provider')
    expect(parkRule(unreachable)?.scope).toBe('provider')
  })

  test('gives up on an unsupported option only when a second dialect agrees, on an ability never', () => {
    expect(judge(failure('unsupported'), others).next).toBe('next')
    expect(judge(failure('unsupported'), { ...others, confirmed: true }).next).toBe('give-up')
    for (const confirmed of [false, true])
      expect(judge(failure('unsupported', { ability: 'tools' }), { ...others, confirmed })).toMatchObject({
        next: 'next',
        needs: { ability: 'tools' },
      })
  })

  test('takes more output than a model writes to one that writes more', () => {
    const tooMuch = failure('unsupported', { about: 'size', mostOutputTokens: 8192 })
    expect(judge(tooMuch, { ...others, confirmed: true })).toMatchObject({
      next: 'next',
      needs: { outputOverTokens: 8192 },
    })
  })

  test('takes what a target that never answered calls malformed to another one', () => {
    expect(judge(failure('bad_request'), { ...others, isUnproven: true })).toMatchObject({
      next: 'next',
      skip: 'target',
      blame: { weight: 0 },
    })
  })

  test('takes what is too large elsewhere, and what is missing to other accounts of the provider', () => {
    expect(judge(failure('bad_request', { about: 'size' }), others)).toMatchObject({
      next: 'next',
      skip: 'provider+model',
    })
    expect(judge(failure('bad_request', { about: 'size', byEdge: true }), others)).toMatchObject({
      next: 'next',
      skip: 'provider',
    })
    expect(judge(failure('bad_request', { about: 'object' }), others)).toMatchObject({
      next: 'next',
      skip: 'account',
      needs: { provider: true },
    })
    expect(judge(failure('bad_request', { about: 'value' }), others).next).toBe('give-up')
  })

  test('tries a body that keywise wrote in one more dialect', () => {
    const translated = { ...others, mayTranslateOtherwise: true }
    expect(judge(failure('bad_request', { about: 'value' }), translated)).toMatchObject({
      next: 'next',
      needs: { otherDialect: true },
    })
    expect(judge(failure('bad_request'), { ...translated, confirmed: true }).next).toBe('give-up')
  })

  test('requires a larger window than the one that was too small', () => {
    expect(judge(failure('context_too_long', { limitTokens: 8192 }), others).needs).toEqual({ contextOverTokens: 8192 })
    expect(judge(failure('context_too_long'), others).needs).toEqual({ contextOverTokens: null })
  })

  test('passes filtered content on only when the policy allows it', () => {
    expect(judge(failure('content_filter'), { ...others, mayAnswerFiltered: true })).toMatchObject({
      next: 'next',
      skip: 'provider',
    })
  })

  test('retries a conflict once, and no other bad request', () => {
    expect(judge(failure('bad_request', { status: 409 }), others).next).toBe('retry-once')
    expect(judge(failure('bad_request', { status: 409 }), { ...others, retried: true }).next).toBe('give-up')
    expect(judge(failure('bad_request', { status: 400 }), others).next).toBe('give-up')
  })

  test('raises an alert when a key is refused or leaked, credit is used up, or a model is gone', () => {
    expect(judge(failure('auth_invalid'), others).alert).toBe('key-refused')
    expect(judge(failure('auth_invalid', { leaked: true }), others).alert).toBe('key-leaked')
    expect(judge(failure('billing'), others).alert).toBe('no-credit')
    expect(judge(failure('model_not_found'), others).alert).toBe('model-gone')
    expect(judge(failure('model_not_found', { unexplained: true }), others).alert).toBeUndefined()
    expect(judge(failure('server'), others).alert).toBeUndefined()
  })
})
