/** Draws a world from its seed: small enough to be seen through, different enough to find what nobody thought of. */

import type { DayBoundary } from '../../domain/failure.ts'
import type { Dice } from '../../domain/random.ts'
import { findProvider } from '../../providers/catalog.ts'
import type { FakeLimit } from '../fake/scenario.ts'
import type { Episode, Noise, ProviderFacts, TrafficPhase, TroubleKind, WorldFacts } from './facts.ts'

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE

/** Seconds before midnight in Greenwich, before midnight in Los Angeles, in the middle of a day, at the end of a month. */
const STARTS = [
  Date.UTC(2026, 10, 23, 23, 40),
  Date.UTC(2026, 10, 24, 7, 30),
  Date.UTC(2026, 10, 24, 14, 10),
  Date.UTC(2026, 10, 30, 23, 20),
]
const OWN = ['alpha', 'beta', 'gamma', 'delta']
/** Their limits, their words and their days are known to the product. */
const KNOWN = ['groq', 'openai', 'anthropic', 'google', 'mistral', 'cerebras', 'together']
const DIALECTS = ['openai', 'openai', 'anthropic', 'google', 'openai-responses'] as const

/** What may go on for a while. */
const LASTING: readonly TroubleKind[] = [
  'server',
  'overloaded',
  'refused',
  'unknown_host',
  'reset',
  'silence',
  'stall',
  'html',
  'empty',
  'error_in_200',
  'garbage',
  'cut_clean',
  'cut_reset',
  'cut_stall',
  'cut_error',
  'auth_invalid',
  'billing',
]
/** What may strike a single call. */
const PASSING: readonly TroubleKind[] = [
  'server',
  'overloaded',
  'rate_minute',
  'reset',
  'stale_socket',
  'empty',
  'error_in_200',
  'garbage',
  'cut_clean',
  'cut_reset',
  'cut_stall',
  'cut_error',
]

export function drawWorld(seed: number, requests: number, draw: Draw): WorldFacts {
  const phases = drawPhases(draw, requests)
  const lengthMs = phases.reduce((sum, { requests, gapMs }) => sum + requests * gapMs, 0)
  const providers = drawProviders(draw, lengthMs)
  const isOrdered = draw.chance(0.5)
  const targets = providers.flatMap(({ id, models }) => models.map((model) => `${id}/${model.id}`))
  const aliases = { first: draw.shuffled(targets), second: draw.shuffled(targets).slice(0, 3) }
  const perHour = (requests * HOUR) / lengthMs
  const eventsOver = (most: number) => Array.from({ length: draw.int(0, most) }, () => draw.uniform() * lengthMs)
  return {
    seed,
    startsAt: draw.one(STARTS),
    // Less than the ten seconds by which a host counts as having been asleep.
    secondMs: draw.one([1_000, 5_000, 5_000]),
    providers,
    settings: {
      models: aliases,
      routing: { strategy: isOrdered ? 'priority' : draw.one(['learned', 'learned', 'score', 'round-robin']) },
      timeouts: { first_token_ms: draw.one([5_000, 15_000]), idle_ms: draw.one([5_000, 20_000]) },
      ...(draw.chance(0.3) && { max_attempts: draw.int(1, 6) }),
      ...(draw.chance(0.2) && { hedge: { after: draw.one([800, 3_000]), max_extra_usd: 0.01 } }),
      budgets: drawBudgets(draw, providers, perHour),
    },
    aliases: ['auto', 'auto', ...Object.keys(aliases), ...Object.keys(aliases), draw.one(targets)],
    isOrdered,
    processes: draw.one([1, 1, 2, 3]),
    phases,
    kills: draw.chance(0.5) ? eventsOver(4) : [],
    restarts: draw.chance(0.3) ? eventsOver(2) : [],
    clockSteps: draw.chance(0.15)
      ? eventsOver(2).map((at) => ({ at, byMs: draw.one([-HOUR, -90 * SECOND, 5 * SECOND, 20 * MINUTE]) }))
      : [],
    diskFaults: draw.chance(0.3)
      ? eventsOver(3).map((from) => ({
          from,
          until: from + draw.uniform() * 5 * MINUTE,
          chance: draw.one([0.02, 0.3, 1]),
        }))
      : [],
    leaving: draw.one([0, 0.02, 0.1]),
    hurried: draw.one([0, 0.2, 0.6]),
  }
}

/** Bursts, a working day's traffic and quiet hours, one after another. */
function drawPhases(draw: Draw, requests: number): readonly TrafficPhase[] {
  const phases: TrafficPhase[] = []
  for (let left = requests; left > 0; ) {
    const some = Math.min(left, draw.int(20, Math.max(21, Math.ceil(requests / 4))))
    phases.push({ requests: some, gapMs: draw.one([40, 200, 600, 1_500, 4_000]) })
    left -= some
  }
  return phases
}

function drawProviders(draw: Draw, lengthMs: number): readonly ProviderFacts[] {
  const ids = [...draw.shuffled(KNOWN).slice(0, draw.int(0, 3)), ...draw.shuffled(OWN).slice(0, draw.int(1, 3))]
  return ids.map((id) => drawProvider(draw, id, lengthMs))
}

function drawProvider(draw: Draw, id: string, lengthMs: number): ProviderFacts {
  const known = findProvider(id)
  const base = new URL(known?.baseUrl ?? `https://${id}.example/v1`)
  const isFree = draw.chance(0.3)
  const models = Array.from({ length: draw.int(1, 3) }, (_, index) => ({
    id: index === 0 && draw.chance(0.5) ? 'shared' : `${id}-m${index + 1}`,
    input: isFree ? 0 : draw.one([0.1, 0.5, 3]),
    output: isFree ? 0 : draw.one([0.4, 2, 15]),
  }))
  const accounts = draw.chance(0.4)
  const keys = Array.from({ length: draw.int(1, 3) }, (_, index) => ({
    text: `simulated-${id}-${'0'.repeat(12)}${index + 1}`,
    account: accounts ? `account-${index % 2}` : null,
  }))
  return {
    id,
    dialect: known?.dialect ?? draw.one(DIALECTS),
    origin: base.origin,
    basePath: base.pathname.replace(/\/$/, ''),
    isOwn: known === undefined,
    keys,
    models,
    limits: draw.chance(0.6) ? drawLimits(draw, known?.dayBoundary) : [],
    episodes: Array.from({ length: draw.int(0, 5) }, () => drawEpisode(draw, models, keys.length, lengthMs)),
    noise: draw.chance(0.7) ? Array.from({ length: draw.int(1, 4) }, () => drawNoise(draw)) : [],
    latencyMs: draw.one([150, 400, 1_200, 3_000]),
    spread: draw.one([0.2, 0.6]),
  }
}

function drawLimits(draw: Draw, day: DayBoundary | undefined): readonly FakeLimit[] {
  const stated = draw.chance(0.6)
  // No header says whom a limit counts together; where it is said by nobody, anything may be true.
  const scope = stated ? 'account+model' : draw.one(['key', 'account', 'account+model'] as const)
  const zone = day === 'UTC' || day === 'America/Los_Angeles' ? day : draw.one(['UTC', 'America/Los_Angeles'] as const)
  const perMinute = { unit: 'requests', window: 'minute', limit: draw.int(3, 60), scope, stated } as const
  const perDay = { unit: 'requests', window: 'day', limit: draw.int(50, 800), scope, stated, zone } as const
  return draw.one([[perMinute], [perDay], [perMinute, perDay]])
}

function drawEpisode(draw: Draw, models: ProviderFacts['models'], keys: number, lengthMs: number): Episode {
  const trouble = draw.one(LASTING)
  const from = draw.uniform() * lengthMs
  const isOfKey = trouble === 'auth_invalid' || trouble === 'billing'
  return {
    from,
    until: from + draw.one([20 * SECOND, 2 * MINUTE, 10 * MINUTE, 30 * MINUTE]) * (0.5 + draw.uniform()),
    trouble,
    model: !isOfKey && draw.chance(0.4) ? draw.one(models).id : null,
    key: isOfKey || draw.chance(0.2) ? draw.int(1, keys) : null,
    retryAfter: trouble === 'overloaded' && draw.chance(0.3) ? draw.int(1, 30) : null,
  }
}

function drawNoise(draw: Draw): Noise {
  const trouble = draw.one(PASSING)
  return {
    trouble,
    chance: draw.one([0.005, 0.02, 0.05]),
    retryAfter: trouble === 'rate_minute' || (trouble === 'overloaded' && draw.chance(0.5)) ? draw.int(1, 20) : null,
  }
}

/** Some bind, some do not. */
function drawBudgets(draw: Draw, providers: readonly ProviderFacts[], perHour: number): readonly object[] {
  if (draw.chance(0.4)) return []
  const dearest = Math.max(...providers.flatMap(({ models }) => models.map(({ output }) => output)))
  const usdPerHour = (perHour * (dearest * 300)) / 1e6
  const paid = draw.one(providers).id
  const all = [
    { scope: 'all', usd: rounded(usdPerHour * draw.one([0.2, 1, 10])), per: draw.one(['hour', 'day']), hard: true },
    { scope: paid, usd: rounded(usdPerHour * draw.one([0.1, 1])), per: 'hour', hard: draw.chance(0.7) },
    { scope: paid, requests: draw.int(20, 400), per: draw.one(['hour', 'day']), hard: true },
    { scope: 'label:team=a', usd: rounded(usdPerHour * 0.3), per: 'hour', hard: true },
  ]
  return draw.shuffled(all).slice(0, draw.int(1, 3)).filter(isAlone)
}

/** Two budgets of one scope, unit and period are refused. */
function isAlone(budget: object, place: number, all: readonly object[]): boolean {
  const nameOf = (one: object) => JSON.stringify(['scope' in one && one.scope, 'usd' in one, 'per' in one && one.per])
  return all.findIndex((one) => nameOf(one) === nameOf(budget)) === place
}

const rounded = (usd: number) => Math.max(0.001, Number(usd.toPrecision(2)))

export class Draw {
  readonly #dice: Dice

  constructor(dice: Dice) {
    this.#dice = dice
  }

  uniform(): number {
    return this.#dice.uniform()
  }

  chance(chance: number): boolean {
    return this.#dice.uniform() < chance
  }

  /** From `from` to `to`, both included. */
  int(from: number, to: number): number {
    return from + Math.floor(this.#dice.uniform() * (to - from + 1))
  }

  one<T>(many: readonly [T, ...T[]] | readonly T[]): T {
    return many[Math.floor(this.#dice.uniform() * many.length)] as T // the index is within the list
  }

  shuffled<T>(many: readonly T[]): T[] {
    return many
      .map((value) => [this.#dice.uniform(), value] as const)
      .sort(([one], [other]) => one - other)
      .map(([, value]) => value)
  }

  /** The time until the next of events that come by chance. */
  gap(meanMs: number): number {
    return Math.round(-Math.log(1 - this.#dice.uniform()) * meanMs)
  }

  logNormal(median: number, spread: number): number {
    return median * Math.exp(spread * this.#dice.normal())
  }
}
