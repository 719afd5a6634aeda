import { describe, expect, test } from 'vitest'
import { bareFailure } from '../../test/support/bareFailure.ts'
import { blameOf } from './blame.ts'
import { FAILURE_KINDS, type Failure, type RequestSubject } from './failure.ts'
import { PARK_RULES, parkRule } from './park.ts'
import { isAboutRequest, subjectOf } from './subject.ts'

const ABOUT: readonly RequestSubject[] = ['request', 'value', 'object', 'size', 'parameter', 'ability', 'content']

describe('whom a refusal is about', () => {
  test('is a part of the request where the refusal names one', () => {
    for (const kind of ['bad_request', 'unsupported'] as const)
      for (const about of ABOUT) expect(subjectOf({ ...bareFailure(kind), about } as Failure)).toBe(about)
    expect(subjectOf(bareFailure('bad_request'))).toBe('request')
    expect(subjectOf(bareFailure('unsupported'))).toBe('ability')
  })

  test('is the provider where the host is refused, and for a kind of a newer version', () => {
    expect(subjectOf(bareFailure('auth_forbidden'))).toBe('key')
    expect(subjectOf({ ...bareFailure('auth_forbidden'), hostBlocked: true } as Failure)).toBe('provider')
    expect(subjectOf({ ...bareFailure('server'), kind: 'of-next-year' } as unknown as Failure)).toBe('provider')
  })

  test.each(FAILURE_KINDS)('decides whether %s parks or costs anybody', (kind) => {
    const failure = { kind, status: 400, message: 'x', phase: 'idle', afterMs: 1, code: 'x' } as Failure
    if (isAboutRequest(failure)) {
      expect(parkRule(failure)).toBeNull()
      expect(blameOf(failure)).toEqual({ weight: 0, provider: false })
    } else expect(parkRule(failure)).toBe(PARK_RULES[kind])
  })
})
