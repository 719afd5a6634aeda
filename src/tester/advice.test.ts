import { expect, test } from 'vitest'
import { FAILURE_KINDS, type Failure } from '../domain/failure.ts'
import { Secret } from '../domain/redact.ts'
import type { Credential } from '../engine/targets/targetRegistry.ts'
import { groq } from '../providers/groq.ts'
import { adviceFor } from './advice.ts'

const KEY = `gsk_${'x'.repeat(20)}`
const PROVIDER = { id: 'groq', spec: groq, keys: [], models: 'default' } as const
const SEAT = {
  provider: PROVIDER,
  key: { index: 2, secret: new Secret(KEY), weight: 1, source: 'config/api-keys.json groq.api_keys[1]' },
  connection: { origin: 'https://api.groq.com' },
} as unknown as Credential // the only fields advice reads

const FACTS = {
  credential: SEAT,
  hasSiblings: true,
  model: 'llama-x',
  successor: 'llama-y',
  retryAt: '2026-11-24T08:00:05.000Z',
}

for (const kind of FAILURE_KINDS) {
  test(`adviceFor() says what to do about ${kind}, and shows no key`, () => {
    const failure = { kind, status: null, message: KEY, phase: 'total', afterMs: 1, code: 'X' } as Failure // covers the fields of several kinds
    const text = adviceFor(failure, FACTS)
    expect(text).toMatch(/: \w+/)
    expect(text).not.toContain(KEY)
  })
}

const SAID: readonly (readonly [Failure, string])[] = [
  [{ kind: 'auth_invalid', status: 401, message: '' }, 'create a new one at https://console.groq.com/keys'],
  [{ kind: 'auth_invalid', status: 401, message: '', leaked: true }, 'was found in public'],
  [{ kind: 'auth_forbidden', status: 403, message: '', hostBlocked: true }, 'use another network'],
  [{ kind: 'quota_day', status: 429, message: '' }, 'wait until 2026-11-24 08:00 UTC'],
  [{ kind: 'model_not_found', status: 404, message: '' }, 'put llama-y in its place'],
  [{ kind: 'network', status: null, message: '', code: 'ECONNREFUSED' }, 'api.groq.com cannot be reached from here'],
  [{ kind: 'billing', status: 402, message: '' }, 'add some'],
]

for (const [failure, expected] of SAID) {
  test(`adviceFor() a ${failure.kind} says "${expected}"`, () => expect(adviceFor(failure, FACTS)).toContain(expected))
}
