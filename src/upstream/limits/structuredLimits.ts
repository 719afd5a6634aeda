/**
 * The IETF's own limit headers: `RateLimit: "default";r=50;t=30` with `RateLimit-Policy: "default";q=100;w=60`, and
 * the earlier `RateLimit: limit=100, remaining=50, reset=30`.
 * https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/
 */

import type { LimitFact, LimitWindow } from '../../domain/failure.ts'
import { parseWait } from '../../quota/reset.ts'

const MOST_POLICIES = 8
const LARGEST = 1e15

const WINDOW_SECONDS: readonly (readonly [number, LimitWindow])[] = [
  [1, 'second'],
  [60, 'minute'],
  [3_600, 'hour'],
  [86_400, 'day'],
  [604_800, 'week'],
  [2_678_400, 'month'],
]

type LimitParameters = ReadonlyMap<string, string>

export function readStructuredLimits(
  headers: Readonly<Record<string, string>>,
  scope: LimitFact['scope'],
  now: number,
): readonly LimitFact[] {
  const policies = readList(headers['ratelimit-policy'])
  const facts: LimitFact[] = []
  for (const [name, state] of readList(headers['ratelimit'])) {
    const policy = policies.get(name) ?? (policies.size === 1 ? policies.values().next().value : undefined)
    const fact = toFact(state, policy, scope, now)
    if (fact !== undefined) facts.push(fact)
  }
  return facts
}

function toFact(
  state: LimitParameters,
  policy: LimitParameters | undefined,
  scope: LimitFact['scope'],
  now: number,
): LimitFact | undefined {
  const limit = count(policy?.get('q') ?? state.get('limit'))
  const remaining = count(state.get('r') ?? state.get('remaining'))
  const resetMs = parseWait(state.get('t') ?? state.get('reset') ?? '', now)
  if (remaining === null || limit === 0 || (limit !== null && remaining > limit)) return undefined
  return {
    unit: 'requests',
    window: windowOf(count(policy?.get('w'))),
    scope,
    limit,
    remaining,
    resetsAt: resetMs === undefined ? null : now + resetMs,
    source: 'header',
  }
}

/** Members by their name. The earlier form has no names: its parameters are one member. */
function readList(value: string | undefined): ReadonlyMap<string, LimitParameters> {
  const members = new Map<string, Map<string, string>>()
  for (const member of (value ?? '').slice(0, 1024).split(',').slice(0, MOST_POLICIES)) {
    const [first = '', ...rest] = member.split(';').map((part) => part.trim())
    const named = !first.includes('=')
    const parameters = members.get(named ? first : '') ?? new Map<string, string>()
    members.set(named ? first : '', parameters)
    for (const part of named ? rest : [first, ...rest]) {
      const [key = '', content = ''] = part.split('=')
      parameters.set(key.toLowerCase(), content)
    }
  }
  return members
}

function windowOf(seconds: number | null): LimitWindow {
  return WINDOW_SECONDS.find(([length]) => (seconds ?? 60) <= length)?.[1] ?? 'month'
}

function count(value: string | undefined): number | null {
  const number = /^\d{1,16}$/.test(value ?? '') ? Number(value) : Number.NaN
  return Number.isFinite(number) && number <= LARGEST ? number : null
}
