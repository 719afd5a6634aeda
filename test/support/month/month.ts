/**
 * A month in simulated time: twenty healthy targets behind aliases, and refusals that strike each of them once. Traffic
 * goes on all the while; what is measured is how long a target that is well stays unused.
 */

import type { ServerResponse } from 'node:http'
import type { DialectId } from '../../../src/domain/chat.ts'
import { Dice } from '../../../src/domain/random.ts'
import { type FakeWorld, type InterceptedCall, startFakeProviders } from '../../../src/lab/fake/fakeProviders.ts'
import type { FakeScenario } from '../../../src/lab/fake/scenario.ts'
import { APIManager } from '../../../src/manager/apiManager.ts'
import { SimulatedTime } from '../simulatedTime.ts'
import { ONE_OFFS, type OneOff } from './refusals.ts'

export interface MonthOptions {
  /** Names of refusals; default all. */
  readonly only?: readonly string[]
  /** How many of the twenty targets are struck; default all. */
  readonly targets?: number
  /** Milliseconds between two refusals of one target; default a day. */
  readonly everyMs?: number
  /** Default 1. */
  readonly seed?: number
}

/** What one refusal did to one target. */
export interface Absence {
  readonly refusal: OneOff
  readonly target: string
  /** Milliseconds from being well to the next answer to a user's request; null when there was none until the end. */
  readonly unusedMs: number | null
  readonly allowedMs: number
}

interface MonthTarget {
  readonly provider: string
  readonly model: string
  readonly dialect: DialectId
}

/** One target at one time; `hitAt` is null until the refusal was said. */
interface Incident {
  readonly refusal: OneOff
  hitAt: number | null
  usedAt: number | null
}

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
/** A Monday in winter. */
const START = Date.UTC(2026, 10, 2)
const PROMPT = 'How is the weather on the mountain?'
/** How many other targets an alias falls back on. */
const FALLBACKS = 3
const QUIET_MS = 30 * MINUTE
/** Less than the ten seconds by which a host counts as having been asleep. */
const HOUSEKEEPING_MS = 5 * SECOND
const LONGEST_ABSENCE = 3 * DAY

const provider = (id: string, dialect: DialectId, models: number) =>
  Array.from({ length: models }, (_, index): MonthTarget => ({ provider: id, model: `${id}-m${index + 1}`, dialect }))

/** Known providers, whose keys can be checked for free, and some of the user's own. */
const TARGETS: readonly MonthTarget[] = [
  ...provider('openai', 'openai', 2),
  ...provider('anthropic', 'anthropic', 2),
  ...provider('google', 'google', 2),
  ...provider('together', 'openai', 2),
  ...provider('own-claude', 'anthropic', 2),
  ...provider('own-gemini', 'google', 2),
  ...['alpha', 'beta', 'gamma', 'delta'].flatMap((id) => provider(id, 'openai', 2)),
]

export async function liveMonth(options: MonthOptions = {}): Promise<readonly Absence[]> {
  const month = new Month(options)
  try {
    return await month.live()
  } finally {
    await month.close()
  }
}

class Month {
  readonly #time: SimulatedTime
  readonly #release: () => void
  readonly #dice: Dice
  readonly #plans: readonly (readonly OneOff[])[]
  readonly #everyMs: number
  readonly #incidents = new Map<string, Incident>()
  readonly #absences: Absence[] = []
  /** Targets that answered the last request of their alias: only a target in use is struck. */
  readonly #isServing = new Set<string>()
  #world: FakeWorld | undefined
  #manager: APIManager | undefined
  /** Calls that wait for time to pass. */
  #resting = 0

  constructor({ only, targets = TARGETS.length, everyMs = DAY, seed = 1 }: MonthOptions) {
    this.#time = new SimulatedTime({ startsAt: START, isBusy: () => (this.#world?.inFlight() ?? 0) > this.#resting })
    this.#release = this.#time.holdIntervals(HOUSEKEEPING_MS)
    this.#dice = new Dice(seed)
    this.#everyMs = everyMs
    const refusals = ONE_OFFS.filter(({ name }) => only === undefined || only.includes(name))
    this.#plans = TARGETS.slice(0, targets).map(({ dialect }) => this.#planFor(dialect, refusals))
  }

  async live(): Promise<readonly Absence[]> {
    const { now, monotonic, sleep } = this.#time
    this.#world = await startFakeProviders(scenario(), {
      now,
      sleep: (ms) => this.#rest(ms),
      instead: (call, response) => this.#intercept(call, response),
    })
    this.#manager = new APIManager({
      config: configOf(this.#world),
      env: {},
      logger: false,
      random: () => this.#dice.uniform(),
      ...{ now, monotonic, sleep },
    })
    await this.#time.during(this.#manager.ready())
    for (const place of TARGETS.keys()) await this.#call(place)
    await this.#follow(this.#plans.map((plan, place) => new Follower(plan, place, this.#everyMs)))
    return this.#absences
  }

  async close(): Promise<void> {
    if (this.#manager !== undefined) await this.#time.during(this.#manager.close())
    this.#release()
    await this.#world?.close()
  }

  /** Refusals in random order, those that rest a target for long at the end. */
  #planFor(dialect: DialectId, refusals: readonly OneOff[]): readonly OneOff[] {
    const order = refusals
      .filter(({ dialects }) => dialects === undefined || dialects.includes(dialect))
      .map((refusal) => ({ refusal, luck: this.#dice.uniform() + (refusal.restMs(START, '') > HOUR ? 1 : 0) }))
    return order.sort((one, other) => one.luck - other.luck).map(({ refusal }) => refusal)
  }

  /** Sends the requests of all targets in the order of time, until every plan is through. */
  async #follow(followers: readonly Follower[]): Promise<void> {
    for (;;) {
      const waiting = followers.filter(({ isDone }) => !isDone)
      const next = waiting.reduce<Follower | null>(
        (first, one) => (first === null || one.nextAt < first.nextAt ? one : first),
        null,
      )
      if (next === null) return
      await this.#time.until(next.nextAt)
      const name = nameOf(TARGETS[next.place]!)
      const incident = this.#isServing.has(name) ? next.incidentAt(this.#time.now()) : null
      if (incident !== null) this.#incidents.set(name, incident)
      this.#isServing.delete(name)
      await this.#call(next.place)
      const absence = next.look(this.#time.now())
      if (absence !== null) this.#absences.push({ ...absence, target: name })
    }
  }

  async #call(place: number): Promise<void> {
    const call = this.#manager!.callWithFallback({ prompt: PROMPT, model: aliasOf(place) })
    // What is the request's own fault ends with an error, and so does what nobody can answer.
    await this.#time.during(call.catch(() => undefined))
  }

  async #rest(ms: number): Promise<void> {
    this.#resting++
    await this.#time.sleep(ms)
    this.#resting--
  }

  #intercept({ provider, model, body }: InterceptedCall, response: ServerResponse): boolean {
    const name = `${provider}/${model}`
    const incident = this.#incidents.get(name)
    const now = this.#time.now()
    if (incident === undefined || incident.hitAt !== null) {
      // Probes of the product are no use by a user.
      if (!JSON.stringify(body).includes(PROMPT)) return false
      this.#isServing.add(name)
      if (incident !== undefined) incident.usedAt ??= now
      return false
    }
    incident.hitAt = now
    incident.refusal.strike(response, now)
    if (!response.writableEnded && !response.destroyed) {
      this.#resting++
      response.on('close', () => {
        this.#resting--
        // Until the product gave the call up there was nothing to come back from.
        incident.hitAt = this.#time.now()
      })
    }
    return true
  }
}

/** The plan of one target: when its next request is sent, and which refusal it meets. */
class Follower {
  readonly place: number
  readonly #plan: OneOff[]
  readonly #everyMs: number
  nextAt: number
  isDone: boolean
  #strikesAt: number
  #incident: Incident | null = null

  constructor(plan: readonly OneOff[], place: number, everyMs: number) {
    this.place = place
    this.#plan = [...plan]
    this.#everyMs = everyMs
    this.isDone = plan.length === 0
    // Not all at once, not in step with minutes, and two models of one key half the time apart.
    const share = (place % 2) / 2 + (place + 0.37) / TARGETS.length / 2
    this.#strikesAt = START + MINUTE + Math.round(share * everyMs)
    this.nextAt = START + MINUTE + place * SECOND
  }

  /** The refusal that this request is to meet, if one is due. */
  incidentAt(now: number): Incident | null {
    if (this.#incident !== null || now < this.#strikesAt) return null
    const refusal = this.#plan.shift()!
    this.#incident = { refusal, hitAt: null, usedAt: null }
    return this.#incident
  }

  /** After a request: plans the next one, and tells of an absence that is over. */
  look(now: number): Omit<Absence, 'target'> | null {
    const incident = this.#incident
    if (incident === null || incident.hitAt === null) {
      this.#planNext(now, incident === null && now < this.#strikesAt ? QUIET_MS : 20 * SECOND)
      return null
    }
    const { refusal, hitAt, usedAt } = incident
    const wellAt = hitAt + refusal.wellAfterMs
    const allowedMs = allowedFor(refusal, hitAt, TARGETS[this.place]!.provider)
    if (usedAt === null && now - hitAt < LONGEST_ABSENCE) {
      this.nextAt = now + stepMs(now - hitAt, now - (wellAt + allowedMs))
      return null
    }
    this.#incident = null
    this.#strikesAt = Math.max(this.#strikesAt + this.#everyMs, now + MINUTE)
    this.isDone = this.#plan.length === 0
    this.#planNext(now, QUIET_MS)
    return { refusal, allowedMs, unusedMs: usedAt === null ? null : Math.max(0, usedAt - wellAt) }
  }

  #planNext(now: number, afterMs: number): void {
    this.nextAt = Math.min(now + afterMs, Math.max(now + SECOND, this.#strikesAt))
  }
}

/** A minute in any case; a class that rests adds its rest, and a stated wait up to a tenth of itself. */
function allowedFor({ restMs, wellAfterMs }: OneOff, hitAt: number, provider: string): number {
  const rest = restMs(hitAt, provider)
  return MINUTE + rest + Math.min(MINUTE, 0.1 * (rest + wellAfterMs))
}

/** Dense traffic while the answer is near, sparse where a rest of hours is allowed. */
function stepMs(ageMs: number, overdueMs: number): number {
  if (ageMs < 2 * MINUTE) return 5 * SECOND
  if (ageMs < HOUR || Math.abs(overdueMs) < 10 * MINUTE) return 20 * SECOND
  return 5 * MINUTE
}

const nameOf = ({ provider, model }: MonthTarget) => `${provider}/${model}`
const aliasOf = (place: number) => `use-${place + 1}`

function scenario(): FakeScenario {
  const ids = [...new Set(TARGETS.map(({ provider }) => provider))]
  const block = (id: string) => {
    const own = TARGETS.filter((target) => target.provider === id)
    const models = Object.fromEntries(own.map(({ model }) => [model, { latency_ms: 20 }]))
    return { dialect: own[0]!.dialect, keys: { [`fake-${id}-${'0'.repeat(12)}`]: {} }, models }
  }
  return { providers: Object.fromEntries(ids.map((id) => [id, block(id)])) }
}

/** Every target first of its own alias, with the next ones behind it, in a fixed order. */
function configOf(world: FakeWorld): object {
  const blocks = Object.entries(world.config()).map(([id, block]) => {
    const models = TARGETS.filter((target) => target.provider === id).map(({ model }) => model)
    return [id, { ...block, models }]
  })
  const ring = (place: number) =>
    Array.from({ length: 1 + FALLBACKS }, (_, step) =>
      // Five on, so that it is another provider.
      nameOf(TARGETS[(place + 5 * step) % TARGETS.length]!),
    )
  const models = Object.fromEntries(TARGETS.map((_, place) => [aliasOf(place), ring(place)]))
  return { ...Object.fromEntries(blocks), settings: { models, routing: { strategy: 'priority' } } }
}

/** The absences that took longer than allowed, or never ended. */
export function tooLong(absences: readonly Absence[]): readonly Absence[] {
  return absences.filter(({ unusedMs, allowedMs }) => unusedMs === null || unusedMs > allowedMs)
}

/** `edge: 403 without a body struck google/google-m1: unused for 61 s, allowed are 60 s` */
export function absenceText({ refusal, target, unusedMs, allowedMs }: Absence): string {
  const unused = unusedMs === null ? 'never used again' : `unused for ${Math.ceil(unusedMs / SECOND)} s`
  return `${refusal.name} struck ${target}: ${unused}, allowed are ${Math.floor(allowedMs / SECOND)} s`
}
