import { expect, test } from 'vitest'
import type { AttemptReport } from '../../domain/attempt.ts'
import type { FailureKind } from '../../domain/failure.ts'
import { failedByTargets } from './failedByTargets.ts'

const attempts = (...kinds: (FailureKind | null)[]) =>
  kinds.map((failureKind) => ({ ok: failureKind === null, failureKind }) as AttemptReport)

for (const { kinds, isTargets } of [
  { kinds: [], isTargets: true },
  { kinds: ['server'], isTargets: true },
  {
    kinds: ['overloaded', 'timeout', 'network', 'rate_minute', 'quota_day', 'billing', 'auth_invalid'],
    isTargets: true,
  },
  { kinds: ['server', 'bad_request'], isTargets: false },
  { kinds: ['model_not_found'], isTargets: false },
  { kinds: ['empty'], isTargets: false },
  { kinds: ['unsupported', 'server'], isTargets: false },
  { kinds: ['server', null], isTargets: true },
] satisfies { kinds: (FailureKind | null)[]; isTargets: boolean }[])
  test(`attempts that ended in ${kinds.join(', ') || 'none'} failed ${isTargets ? 'only' : 'not only'} because of their targets`, () =>
    expect(failedByTargets(attempts(...kinds))).toBe(isTargets))
