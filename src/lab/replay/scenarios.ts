/** The scenarios that need no data: six targets like those of a hobbyist, and what goes wrong with the best of them. */

import { poisson, type Traffic } from './arrivals.ts'
import { makeLabTarget } from './labTarget.ts'
import type { Change, Conditions, Contender, ReplayScenario } from './world.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR
const START = Date.UTC(2026, 8, 7)
const DAYS = 8

const BASE: Conditions = {
  works: 0.988,
  firstTokenMs: 700,
  tokenMs: 0,
  quality: 0.9,
  failure: 'server',
  failureMs: 3000,
  costUsd: 0,
}

interface Kind {
  readonly provider: string
  readonly model: string
  readonly keyIndex?: number
  readonly conditions: Partial<Conditions>
}

/** The first is the best. */
const SIX: readonly Kind[] = [
  { provider: 'groq', model: 'fast-70b', conditions: {} },
  { provider: 'google', model: 'flash', conditions: { works: 0.992, firstTokenMs: 1500, quality: 0.86 } },
  { provider: 'google', model: 'flash', keyIndex: 2, conditions: { works: 0.99, firstTokenMs: 1600, quality: 0.86 } },
  { provider: 'openrouter', model: 'free', conditions: { works: 0.975, firstTokenMs: 2500 } },
  { provider: 'mistral', model: 'small', conditions: { firstTokenMs: 1800, quality: 0.82 } },
  { provider: 'cerebras', model: 'fast-32b', conditions: { works: 0.98, firstTokenMs: 600, quality: 0.62 } },
]

type Twist = (at: number) => Partial<Conditions> | null

/** A target of the laboratory that is always as it is, but for what `twist` changes. */
export function contender(
  kind: Kind,
  facts: { since?: number; twist?: Twist; dailyLimit?: Contender['dailyLimit'] } = {},
) {
  const usual = { ...BASE, ...kind.conditions }
  const always = [{ weight: 1, conditions: usual }]
  const { since = START, twist, dailyLimit } = facts
  const at = (now: number) => {
    const change = twist?.(now) ?? null
    return change === null ? always : [{ weight: 1, conditions: { ...usual, ...change } }]
  }
  return { target: makeLabTarget(kind), since, at, dailyLimit }
}

function withBest(name: string, best: Contender, facts: { perDay?: number; change?: Change } = {}): ReplayScenario {
  const traffic: Traffic = { from: START, until: START + DAYS * DAY, perDay: facts.perDay ?? 700 }
  return {
    name,
    from: traffic.from,
    until: traffic.until,
    contenders: [best, ...SIX.slice(1).map((kind) => contender(kind))],
    arrivals: (seed) => poisson(traffic, seed),
    change: facts.change,
  }
}

function twisted(name: string, twist: Twist, facts: { perDay?: number; change?: Change } = {}): ReplayScenario {
  return withBest(name, contender(SIX[0]!, { twist }), facts)
}

const after = (days: number): Change => ({ at: START + days * DAY, until: 'recover' })
const hourOf = (at: number) => Math.floor(at / HOUR) % 24

function rateLimit(): ReplayScenario {
  const limited = contender(SIX[0]!, { dailyLimit: (at) => (at < START + DAY ? null : 120) })
  return withBest('S1-rate-limit', limited, { change: after(1) })
}

function qualityDrop(): ReplayScenario {
  return twisted('S2-quality-drop', (at) => (at < START + 3 * DAY ? null : { quality: 0.4 }), { change: after(3) })
}

function peakHours(): ReplayScenario {
  const isPeak = (at: number) => hourOf(at) >= 13 && hourOf(at) < 20
  return twisted('S3-peak-hours', (at) => (isPeak(at) ? { firstTokenMs: 6 * BASE.firstTokenMs } : null))
}

function keyRevoked(): ReplayScenario {
  const revoked = { works: 0, failure: 'auth_invalid', failureMs: 120 } as const
  return twisted('S4-key-revoked', (at) => (at < START + 2 * DAY ? null : revoked), { change: after(2) })
}

/** The best of all is bought on the fourth day; until then the second best had to do. */
function newKey(): ReplayScenario {
  const at = START + 3 * DAY
  const scenario = withBest('S5-new-key', contender(SIX[0]!, { since: at }))
  return { ...scenario, change: { at, until: { adopt: 0 } } }
}

/** The incumbent is fast, so that what is assumed of an unknown key is worse; the one added on the fourth day is better. */
function untestedKey(): ReplayScenario {
  const at = START + 3 * DAY
  const better: Kind = { provider: 'swift', model: 'fast-70b', conditions: { firstTokenMs: 40, quality: 0.92 } }
  const scenario = withBest('S7-untested-key', contender(better, { since: at }))
  const incumbent = contender({ ...SIX[0]!, conditions: { firstTokenMs: 500 } })
  return { ...scenario, contenders: [...scenario.contenders, incumbent], change: { at, until: { adopt: 0 } } }
}

/** A new installation: every key is configured, and none was ever called. */
function allUntested(): ReplayScenario {
  return { ...withBest('S8-all-untested', contender(SIX[0]!)), untested: true }
}

function outages(): ReplayScenario {
  const down = { works: 0, failure: 'overloaded', failureMs: 800 } as const
  const isDown = (at: number) => [4, 11, 18].includes(hourOf(at)) && at % HOUR < 40 * 60_000
  return twisted('S6-outages', (at) => (isDown(at) ? down : null), { perDay: 3000 })
}

/**
 * One target begins at once and is slow after, another thinks first and then pours: which is faster depends on the
 * answer.
 */
export const SPRINTER_AND_HAULER: readonly Kind[] = [
  { provider: 'sprint', model: 'short', conditions: { firstTokenMs: 200, tokenMs: 20, quality: 0.85 } },
  { provider: 'haul', model: 'long', conditions: { firstTokenMs: 1500, tokenMs: 2, quality: 0.85 } },
  { provider: 'google', model: 'flash', conditions: { works: 0.99, firstTokenMs: 900, tokenMs: 8, quality: 0.8 } },
  { provider: 'openrouter', model: 'free', conditions: { works: 0.95, firstTokenMs: 1500, tokenMs: 15 } },
  { provider: 'mistral', model: 'small', conditions: { works: 0.98, firstTokenMs: 800, tokenMs: 10, quality: 0.8 } },
]

function mixedLength(): ReplayScenario {
  const traffic: Traffic = {
    from: START,
    until: START + DAYS * DAY,
    perDay: 700,
    ask: (dice) =>
      dice.uniform() < 0.7
        ? { tokens: Math.round(20 * 5 ** dice.uniform()), task: 'short' }
        : { tokens: Math.round(800 * 5 ** dice.uniform()), task: 'long' },
  }
  return {
    name: 'mixed-length',
    from: traffic.from,
    until: traffic.until,
    contenders: SPRINTER_AND_HAULER.map((kind) => contender(kind)),
    arrivals: (seed) => poisson(traffic, seed),
  }
}

/** The original's story: the best is limited on the second day, and is not the first choice of the third. */
function threeDays(): ReplayScenario {
  const day = Math.floor(START / DAY)
  const limit = (at: number) => (Math.floor(at / DAY) - day === 1 ? 10 : null)
  const kinds: readonly Kind[] = [
    { provider: 'groq', model: 'llama-3.3', conditions: { works: 0.97, firstTokenMs: 1200, quality: 0.92 } },
    { provider: 'google', model: 'gemini-2.0', conditions: { works: 0.998, firstTokenMs: 1500, quality: 0.88 } },
    { provider: 'openrouter', model: 'claude-3.5', conditions: { works: 0.9, firstTokenMs: 2100, quality: 0.95 } },
  ]
  const traffic: Traffic = { from: START, until: START + 3 * DAY, perDay: 700 }
  return {
    name: 'three-days',
    from: traffic.from,
    until: traffic.until,
    contenders: kinds.map((kind, index) => contender(kind, index === 0 ? { dailyLimit: limit } : {})),
    arrivals: (seed) => poisson(traffic, seed),
  }
}

export function syntheticScenarios(): readonly ReplayScenario[] {
  return [
    rateLimit(),
    qualityDrop(),
    peakHours(),
    keyRevoked(),
    newKey(),
    outages(),
    untestedKey(),
    allUntested(),
    mixedLength(),
    threeDays(),
  ]
}
