import { describe, expect, test } from 'vitest'
import { bareFailure } from '../../../test/support/bareFailure.ts'
import { makeSuccess, makeTarget } from '../../../test/support/makeEvents.ts'
import { FAILURE_KINDS, type Failure, type FailureKind } from '../../domain/failure.ts'
import type { Target, TargetProfile } from '../../domain/target.ts'
import type { BudgetRefusal } from '../../money/budget.ts'
import type { Decision } from '../../routing/decision.ts'
import { judge, type Verdict } from '../../routing/judge.ts'
import { attemptReport } from '../record.ts'
import type { Hold } from './reservation.ts'
import { Trail } from './trail.ts'

const NOW = Date.UTC(2026, 10, 23, 12)
const FACTS = {
  alone: false,
  retried: false,
  spare: false,
  patienceMs: 10_000,
  confirmed: false,
  mayAnswerFiltered: true,
  random: 0,
}

/** alpha: two keys of account a and one of account b, each with models m and n; then beta. */
const alpha = (model: string, keyIndex: number, account: string) => ({
  ...makeTarget({ provider: 'alpha', model, keyIndex }),
  account: `alpha:${account}`,
})
const first = alpha('m', 1, 'a')
const beta = makeTarget({ provider: 'beta' })
const ALL = [first, alpha('n', 1, 'a'), alpha('m', 2, 'a'), alpha('n', 2, 'a'), alpha('m', 3, 'b'), alpha('n', 3, 'b')]
const TARGETS: readonly Target[] = [...ALL, beta]

const trailOf = (maxAttempts = 5, hardCap = false) =>
  new Trail({ maxAttempts, hardCap, prefers: null, needs: { abilities: [] } })

/** Adds a failed attempt as the cascade does, with its verdict changed by `changes`. */
function fail(trail: Trail, target: Target, failure: Failure, changes: Partial<Verdict> = {}): void {
  const event = { ...makeSuccess(target, NOW), ok: false, failure }
  const verdict = { ...judge(failure, FACTS), ...changes }
  trail.add(target, attemptReport(event, target.keyIndex, null), failure, verdict)
}

const answer = (trail: Trail, target: Target) =>
  trail.answered(attemptReport(makeSuccess(target, NOW), target.keyIndex, null))

const leftOut = (trail: Trail, targets = TARGETS) =>
  targets.filter((target) => trail.excludes(target) !== null).map(({ id }) => id)

describe('whom a failure keeps out of the rest of a request', () => {
  test.each<{ skip: Verdict['skip']; out: readonly string[] }>([
    { skip: 'none', out: ['alpha/m#1'] },
    { skip: 'target', out: ['alpha/m#1'] },
    { skip: 'key', out: ['alpha/m#1', 'alpha/n#1'] },
    { skip: 'account', out: ['alpha/m#1', 'alpha/n#1', 'alpha/m#2', 'alpha/n#2'] },
    { skip: 'account+model', out: ['alpha/m#1', 'alpha/m#2'] },
    { skip: 'provider+model', out: ['alpha/m#1', 'alpha/m#2', 'alpha/m#3'] },
    { skip: 'provider', out: ALL.map(({ id }) => id) },
  ])('a verdict that skips "$skip" leaves out $out', ({ skip, out }) => {
    const trail = trailOf()
    fail(trail, first, bareFailure('server'), { skip })
    expect(leftOut(trail)).toEqual(out)
    expect(trail.excludes(first)).toBe('already tried by this request')
  })

  test('a target that is to be tried once more stays in', () => {
    const trail = trailOf()
    fail(trail, first, bareFailure('server'), { next: 'retry-once' })
    expect(leftOut(trail)).toEqual([])
    expect(trail.wasTried(first)).toBe(true)
    expect(trail.wasTried(beta)).toBe(false)
  })

  test('a request that has tried nothing leaves nobody out', () => {
    expect(leftOut(trailOf())).toEqual([])
  })

  test('what several failures leave out adds up', () => {
    const trail = trailOf()
    fail(trail, first, bareFailure('server'), { skip: 'key' })
    fail(trail, beta, bareFailure('server'), { skip: 'target' })
    expect(leftOut(trail)).toEqual(['alpha/m#1', 'alpha/n#1', 'beta/m#1'])
  })
})

describe('after a wait', () => {
  const atLimit: readonly FailureKind[] = ['rate_minute', 'in_flight_budget', 'quota_day']

  test.each(FAILURE_KINDS)('%s keeps its target out unless it was only a limit', (kind) => {
    const trail = trailOf()
    fail(trail, first, bareFailure(kind), { next: 'next' })
    expect(leftOut(trail)).toContain(first.id)
    trail.lookAgain()
    const isLimit = atLimit.includes(kind)
    expect(trail.excludes(first) === null).toBe(isLimit)
    // It may be asked when there is room, but not on a guess.
    expect(trail.metLimitOf(first)).toBe(isLimit)
  })

  test('a limit that was met is known of all who share it, and of nobody else', () => {
    const trail = trailOf()
    fail(trail, first, bareFailure('rate_minute'), { skip: 'account+model' })
    const met = TARGETS.filter((target) => trail.metLimitOf(target)).map(({ id }) => id)
    expect(met).toEqual(['alpha/m#1', 'alpha/m#2'])
  })

  test('a busy target is free again', () => {
    const trail = trailOf()
    trail.pass(first, refusal('quota'), false)
    expect(trail.isBusy(first)).toBe(true)
    trail.lookAgain()
    expect(trail.isBusy(first)).toBe(false)
  })
})

describe('what the next target must have', () => {
  const windows = [null, 8_000, 32_000, 128_000]
  const withProfile = (index: number, profile: Partial<TargetProfile>) =>
    makeTarget({ provider: 'beta', model: `m${index}`, profile })
  const withWindow = windows.map((contextTokens, index) => withProfile(index, { contextTokens }))
  const out = (trail: Trail) =>
    withWindow.flatMap((target) => (trail.excludes(target) === null ? [] : target.profile.contextTokens))

  test.each<{ name: string; own: number | null; stated: number | undefined; out: readonly number[] }>([
    { name: 'the window that the error states', own: null, stated: 32_000, out: [8_000, 32_000] },
    { name: 'its own window, where the error states none', own: 8_000, stated: undefined, out: [8_000] },
    { name: 'the stated window before its own', own: 128_000, stated: 8_000, out: [8_000] },
    { name: 'nothing, when neither is known', own: null, stated: undefined, out: [] },
  ])('after a prompt that was too long: more than $name', ({ own, stated, out: expected }) => {
    const trail = trailOf()
    const target = makeTarget({ provider: 'alpha', profile: { contextTokens: own } })
    const failure: Failure = { kind: 'context_too_long', status: 400, message: 'too long' }
    fail(trail, target, stated === undefined ? failure : { ...failure, limitTokens: stated })
    expect(out(trail)).toEqual(expected)
  })

  test('of several windows that were too small the largest counts', () => {
    const trail = trailOf()
    for (const limitTokens of [32_000, 8_000])
      fail(trail, first, { kind: 'context_too_long', status: 400, message: 'too long', limitTokens })
    expect(out(trail)).toEqual([8_000, 32_000])
    expect(trail.excludes(withWindow[2]!)).toBe('context too small: 32000 tokens')
  })

  test('an ability that was missing rules out who is known to lack it, not who may have it', () => {
    const trail = trailOf()
    fail(trail, first, { kind: 'unsupported', status: 400, message: 'no tools', ability: 'tools' })
    const [no, yes, silent] = [{ tools: false }, { tools: true }, {}].map((abilities, index) =>
      withProfile(index, { abilities }),
    )
    expect(trail.excludes(no!)).toBe('cannot do tools')
    expect(trail.excludes(yes!)).toBeNull()
    expect(trail.excludes(silent!)).toBeNull()
  })
})

describe('a provider', () => {
  test('that calls a request unsupported is confirmed only by one of another dialect', () => {
    const trail = trailOf()
    const claude = makeTarget({ provider: 'gamma', profile: { dialect: 'anthropic' } })
    expect(trail.isRefusedBesides('openai')).toBe(false)
    fail(trail, first, bareFailure('unsupported'))
    fail(trail, beta, bareFailure('unsupported'))
    expect(trail.isRefusedBesides('openai')).toBe(false)
    expect(trail.isRefusedBesides('anthropic')).toBe(true)
    fail(trail, claude, bareFailure('unsupported'))
    expect(trail.isRefusedBesides('openai')).toBe(true)
  })
})

describe('after a refusal', () => {
  const claude = makeTarget({ provider: 'gamma', profile: { dialect: 'anthropic', maxOutputTokens: 8192 } })
  const all = [...TARGETS, claude]

  test('of our translation, nobody of its dialect is asked again', () => {
    const trail = trailOf()
    fail(trail, first, bareFailure('bad_request'), { skip: 'none', needs: { otherDialect: true } })
    expect(leftOut(trail, all)).toEqual(TARGETS.map(({ id }) => id))
  })

  test('of an object, only other accounts of its provider may have it', () => {
    const trail = trailOf()
    fail(trail, first, { ...bareFailure('bad_request'), about: 'object' } as Failure)
    expect(all.filter((target) => trail.excludes(target) === null).map(({ id }) => id)).toEqual([
      'alpha/m#3',
      'alpha/n#3',
    ])
  })

  test.each([
    { most: 4096, out: 0 },
    { most: 8192, out: 1 },
  ])('of more output than $most tokens, who writes no more is left out', ({ most, out }) => {
    const trail = trailOf()
    fail(trail, first, { ...bareFailure('unsupported'), about: 'size', mostOutputTokens: most } as Failure)
    expect(leftOut(trail, [claude])).toHaveLength(out)
    expect(leftOut(trail, [beta])).toEqual([])
  })

  test('of a key, what came before still decides', () => {
    const trail = trailOf()
    fail(trail, first, bareFailure('bad_request'), { next: 'next' })
    fail(trail, beta, bareFailure('auth_invalid'))
    expect(trail.lastFailure?.kind).toBe('bad_request')
    fail(trail, beta, bareFailure('server'))
    expect(trail.lastFailure?.kind).toBe('server')
  })
})

describe('a request is over', () => {
  /** How many of the same failures it takes. */
  function callsUntilOver(trail: Trail, failure: Failure, changes: Partial<Verdict> = {}): number {
    for (let calls = 0; calls < 100; calls++) {
      if (trail.over) return calls
      fail(trail, makeTarget({ provider: `p${calls}` }), failure, changes)
    }
    throw new Error('never over')
  }

  test.each<{ name: string; maxAttempts: number; hardCap: boolean; kind: FailureKind; calls: number }>([
    { name: 'as many attempts as allowed', maxAttempts: 3, hardCap: false, kind: 'server', calls: 3 },
    { name: 'twenty calls that were refused at once', maxAttempts: 3, hardCap: false, kind: 'auth_invalid', calls: 20 },
    { name: 'twenty calls, however many are allowed', maxAttempts: 50, hardCap: false, kind: 'server', calls: 20 },
    { name: 'a cap, refused calls included', maxAttempts: 3, hardCap: true, kind: 'auth_invalid', calls: 3 },
    { name: 'a cap above twenty', maxAttempts: 30, hardCap: true, kind: 'auth_invalid', calls: 30 },
    { name: 'the first failure of its own', maxAttempts: 3, hardCap: false, kind: 'bad_request', calls: 1 },
  ])('after $name', ({ maxAttempts, hardCap, kind, calls }) => {
    expect(callsUntilOver(trailOf(maxAttempts, hardCap), bareFailure(kind))).toBe(calls)
  })

  test('after a second try of one target as after any other attempt', () => {
    expect(callsUntilOver(trailOf(2), bareFailure('server'), { next: 'retry-once' })).toBe(2)
  })

  test.each(FAILURE_KINDS)('%s is its own fault only when another request would not have met it', (kind) => {
    const trail = trailOf()
    fail(trail, first, bareFailure('server'))
    expect(trail.isOwnFault).toBe(false)
    fail(trail, beta, bareFailure(kind))
    answer(trail, beta)
    const own = ['too_large_for_limit', 'context_too_long', 'content_filter', 'unsupported', 'bad_request']
    expect(trail.isOwnFault).toBe(own.includes(kind))
    const isOfKey = ['auth_invalid', 'auth_forbidden', 'billing'].includes(kind)
    expect(trail.lastFailure?.kind).toBe(isOfKey ? 'server' : kind)
  })

  test('the attempts are kept in order, the one that answered last', () => {
    const trail = trailOf()
    fail(trail, first, bareFailure('server'))
    answer(trail, beta)
    expect(trail.attempts.map(({ target, failureKind }) => [target, failureKind])).toEqual([
      ['alpha/m#1', 'server'],
      ['beta/m#1', null],
    ])
    expect(trail.calls).toBe(2)
  })
})

const BUDGET: BudgetRefusal = {
  granted: false,
  scope: 'alpha',
  reason: 'budget alpha is used up',
  resetsAt: null,
  onExceeded: 'reject',
}

function refusal(code: 'quota' | 'budget', rejectedBy: BudgetRefusal | null = null): Extract<Hold, { granted: false }> {
  return { granted: false, why: { code, reason: `no room in the ${code}`, until: null }, rejectedBy }
}

describe('a target without room', () => {
  test('in a limit is worth waiting for, in a budget it is not', () => {
    const trail = trailOf()
    trail.pass(first, refusal('quota'), false)
    expect([trail.isBusy(first), trail.excludes(first)]).toEqual([true, null])
    trail.pass(beta, refusal('budget'), false)
    trail.lookAgain()
    expect([trail.isBusy(beta), trail.excludes(beta)]).toEqual([false, 'already tried by this request'])
    expect(trail.calls).toBe(0)
    expect(trail.over).toBe(false)
  })

  test('ends the request when its budget says so, unless it was tried out of curiosity', () => {
    const trail = trailOf()
    trail.pass(first, refusal('budget', BUDGET), true)
    expect(trail.rejectedBy).toBeNull()
    trail.pass(beta, refusal('budget', BUDGET), false)
    expect(trail.rejectedBy).toBe(BUDGET)
  })

  test('is told of once, with the attempt it came before, and of five at most', () => {
    const trail = trailOf()
    trail.pass(first, refusal('quota'), false)
    fail(trail, beta, bareFailure('server'))
    trail.pass(first, refusal('quota'), false)
    for (const text of ['2', '3', '4', '5', '6']) trail.recordPassed(text)
    expect(trail.passed).toEqual([
      { before: 1, text: 'alpha - m: no room in the quota' },
      ...['2', '3', '4', '5'].map((text) => ({ before: 2, text })),
    ])
  })
})

describe('targets that run beside each other', () => {
  test('count as calls and are not asked again until they have ended', () => {
    const trail = trailOf(2)
    trail.runBeside(first)
    trail.runBeside({ ...first })
    expect([trail.calls, trail.over, leftOut(trail)]).toEqual([1, false, [first.id]])
    trail.runBeside(beta)
    expect([trail.calls, trail.over, leftOut(trail)]).toEqual([2, true, [first.id, beta.id]])
    fail(trail, first, bareFailure('slower'))
    expect([trail.calls, trail.over, trail.runsBeside(first), trail.runsBeside(beta)]).toEqual([2, true, false, true])
    answer(trail, beta)
    expect([trail.calls, trail.runsBeside(beta)]).toEqual([2, false])
  })

  test('make their provider, account and key the last choice while they run', () => {
    const trail = trailOf()
    trail.runBeside(first)
    const decision = decisionOver([ALL[1]!, ALL[4]!, beta])
    trail.offer(decision.first)
    expect([1, 2, 3].map(() => trail.nextOf(decision)?.id)).toEqual(['beta/m#1', 'alpha/m#3', undefined])
  })

  test('count like one refusal once they have lost', () => {
    const trail = trailOf()
    trail.runBeside(first)
    fail(trail, first, bareFailure('slower'))
    const decision = decisionOver([ALL[1]!, beta])
    trail.offer(decision.first)
    expect(trail.nextOf(decision)?.id).toBe(ALL[1]!.id)
  })
})

/** A decision over these targets in this order, as `Router.decide` makes it. */
function decisionOver(targets: readonly Target[]): Pick<Decision, 'first' | 'next'> {
  const rest = [...targets]
  const first = rest.shift() ?? null
  const next = (exclude: (target: Target) => boolean) => {
    const index = rest.findIndex((target) => !exclude(target))
    return index < 0 ? null : (rest.splice(index, 1)[0] ?? null)
  }
  return { first, next }
}

describe('the next target', () => {
  const gamma = makeTarget({ provider: 'gamma' })
  /** Asks until the request is over or nothing is left; every target fails the same way. */
  function walk(targets: readonly Target[], kind: FailureKind, trail = trailOf(), skip: Verdict['skip'] = 'target') {
    const decision = decisionOver(targets)
    trail.offer(decision.first)
    const asked: string[] = []
    for (let next = trail.nextOf(decision); next !== null && !trail.over; next = trail.nextOf(decision)) {
      asked.push(next.id)
      fail(trail, next, bareFailure(kind), { skip, next: 'next' })
    }
    return asked
  }

  test("is the decision's first, once, and then the best of the rest", () => {
    const trail = trailOf()
    const decision = decisionOver([first, beta, gamma])
    trail.offer(decision.first)
    expect([1, 2, 3, 4].map(() => trail.nextOf(decision)?.id)).toEqual([first.id, beta.id, gamma.id, undefined])
  })

  test.each(FAILURE_KINDS)('after two refusals (%s) of one provider is of another one while there is one', (kind) => {
    expect(walk([...ALL, beta, gamma], kind, trailOf(20)).slice(0, 4)).toEqual([
      ALL[0]!.id,
      ALL[1]!.id,
      'beta/m#1',
      'gamma/m#1',
    ])
  })

  test('is of a provider that was not asked yet when it is the last one', () => {
    expect(walk([...ALL, beta], 'rate_minute', trailOf(2))).toEqual([first.id, 'beta/m#1'])
    expect(walk([ALL[0]!, beta, ALL[1]!, gamma], 'server', trailOf(3))).toEqual([first.id, 'beta/m#1', 'gamma/m#1'])
    expect(walk([...ALL, beta], 'auth_invalid', trailOf(2, true))).toEqual([first.id, 'beta/m#1'])
  })

  test('of the same provider has another key and account, where there is one', () => {
    expect(walk(ALL, 'rate_minute')).toEqual(['alpha/m#1', 'alpha/n#1', 'alpha/m#3', 'alpha/n#3', 'alpha/m#2'])
  })

  test('is the first of a new decision only if nothing speaks against it or nothing else is left', () => {
    const trail = trailOf()
    for (const target of ALL.slice(0, 2)) fail(trail, target, bareFailure('rate_minute'), { skip: 'target' })
    const crowded = decisionOver([ALL[2]!, beta])
    trail.offer(crowded.first)
    expect(trail.nextOf(crowded)?.id).toBe('beta/m#1')
    const alone = decisionOver([ALL[2]!])
    trail.offer(alone.first)
    expect(trail.nextOf(alone)?.id).toBe('alpha/m#2')
  })
})
