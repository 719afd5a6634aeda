/**
 * The rules of a simulated world, checked against what only the world knows. Each rule says what is promised and where;
 * its numbers are those of docs/simulation.md.
 */

import type { AttemptEvent } from '../../domain/store.ts'
import type { APIManager } from '../../manager/apiManager.ts'
import type { ClientOutcome, ClientRequest } from './clients.ts'
import type { MachineProcess } from './eventHeap.ts'
import type { ProviderFacts, TroubleKind, WorldFacts } from './facts.ts'
import type { History } from './history.ts'
import type { SimulatedCall } from './simulatedNetwork.ts'
import type { SimulatedProvider, Statement } from './simulatedProvider.ts'

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
/** The share of a limit beyond which nothing is a reason to hold a request back. */
const AMPLE = 0.7

interface ChecksOptions {
  readonly facts: WorldFacts
  readonly providers: readonly SimulatedProvider[]
  readonly history: History
  readonly monotonic: () => number
  /** What the product itself says of a target for such a request. */
  readonly said: (request: ClientRequest, target: string) => string
}

/** One target of the world: `provider/model#key`. */
interface WorldTarget {
  readonly name: string
  readonly provider: SimulatedProvider
  readonly model: string
  readonly key: number
}

/** A statement of a limit that a process was told, and what it has sent since it was issued. */
interface KnownLimit {
  readonly statement: Statement
  /** Milliseconds since the start. */
  readonly issuedAt: number
  readonly toldAt: number
}

/** Whom a kind of trouble rests: `PARK_RULES` of domain/park.ts. */
type Scope = 'model' | 'provider' | 'key' | 'account'
const SCOPES: { readonly [K in TroubleKind | 'limit']?: Scope } = {
  refused: 'provider',
  unknown_host: 'provider',
  reset: 'provider',
  stale_socket: 'provider',
  cut_reset: 'provider',
  auth_invalid: 'key',
  billing: 'account',
  rate_minute: 'account',
  quota_day: 'account',
  limit: 'account',
}

/**
 * How long after a target is well again it may stay out at most, while requests come: a minute for what passes by
 * itself (docs/decisions/coming-back.md), a tenth more of what was stated, and what `PARK_RULES` gives the rest.
 */
function returnMs(kind: TroubleKind | 'limit', statedMs: number | null): number {
  if (kind === 'auth_invalid' || kind === 'billing') return DAY
  if (kind === 'limit' || kind === 'rate_minute' || kind === 'quota_day')
    // A wait that nobody stated is guessed: 30 seconds, doubled to four hours.
    return statedMs === null ? 4 * HOUR : MINUTE + 0.1 * statedMs
  return 2 * MINUTE + (statedMs ?? 0)
}

export class Checks {
  readonly #facts: WorldFacts
  readonly #history: History
  readonly #monotonic: () => number
  readonly #said: ChecksOptions['said']
  readonly #targets: readonly WorldTarget[]
  readonly #groups = new Map<string, readonly string[]>()
  /** By scope: from when on, in milliseconds since the start, whatever struck it is no reason any more. */
  readonly #dueAt = new Map<string, number>()
  /** By process and scope. */
  readonly #limits = new Map<string, KnownLimit>()
  readonly #refusedKeys = new Map<string, number>()
  readonly #waits = new Map<string, { readonly from: number; readonly until: number }>()
  readonly #passedOver = new Map<string, { count: number; since: number }>()
  /** Milliseconds since the start at which the clock on the wall was set last. */
  clockSetAt = Number.NEGATIVE_INFINITY

  constructor({ facts, providers, history, monotonic, said }: ChecksOptions) {
    this.#said = said
    this.#facts = facts
    this.#history = history
    this.#monotonic = monotonic
    this.#targets = providers.flatMap((provider) =>
      provider.facts.models.flatMap(({ id: model }) =>
        provider.facts.keys.map((_, index) => ({
          name: `${provider.facts.id}/${model}#${index + 1}`,
          provider,
          model,
          key: index + 1,
        })),
      ),
    )
    for (const [alias, order] of Object.entries(facts.settings['models'] as Record<string, readonly string[]>))
      this.#groups.set(alias, order)
  }

  /** The process sends a call. */
  sent(call: SimulatedCall, request: ClientRequest | null): void {
    if (request === null) return
    request.calls.push(call)
    this.#demandFewAttempts(call, request)
    // What is sent again on another socket is the same attempt.
    if (this.#isClockSteady && call.repeats === null) this.#demandRespect(call)
  }

  /** A call is over: what its answer stated is known to the process. */
  #told(call: SimulatedCall): void {
    const answer = call.answer
    // What never began to arrive told nothing.
    if (answer === null || !call.hasBegun || call.state === 'lost') return
    const now = this.#monotonic()
    const { startsAt } = this.#facts
    for (const statement of answer.statements) {
      const id = `${call.process.name} ${statement.scope}`
      const issuedAt = statement.issuedAt - startsAt
      if (issuedAt >= (this.#limits.get(id)?.issuedAt ?? Number.NEGATIVE_INFINITY))
        this.#limits.set(id, { statement, issuedAt, toldAt: now })
    }
    const status = answer.steps[0]?.status ?? 0
    if (answer.trouble === 'auth_invalid' && status >= 400)
      this.#refusedKeys.set(`${call.process.name} ${call.provider}#${call.key}`, now)
    if (answer.waitUntil !== null && status === 429)
      this.#waits.set(`${call.process.name} ${nameOf(call)}`, { from: now, until: answer.waitUntil - startsAt })
  }

  /** A call is over; what was wrong with its target is remembered. */
  ended(call: SimulatedCall): void {
    this.#told(call)
    const trouble = call.answer?.trouble ?? null
    // An answer that does not come in time is none, however well its target is.
    if (call.state === 'left' && this.#monotonic() - call.at >= this.#patienceMs) {
      this.#strike(call, 'model', this.#monotonic() + returnMs('silence', null))
    }
    if (call.answer === null || trouble === null) return
    const { wellAt, waitUntil } = call.answer
    const now = this.#monotonic()
    const well = Math.max(now, wellAt - this.#facts.startsAt)
    const statedMs = waitUntil === null ? null : waitUntil - this.#facts.startsAt - now
    this.#strike(call, SCOPES[trouble] ?? 'model', well + returnMs(trouble, statedMs))
  }

  /** A key was checked without a call; a good one may be used again. */
  checked(process: MachineProcess, provider: string, key: number, status: number): void {
    if (status < 300) this.#refusedKeys.delete(`${process.name} ${provider}#${key}`)
  }

  /** A caller has got something. */
  gave(request: ClientRequest, outcome: ClientOutcome): void {
    if (outcome.kind === 'answer') {
      this.#demandWhole(request, outcome.text)
      this.#demandUse(request)
    } else if (outcome.kind === 'error') this.#demandReason(request, outcome)
  }

  /**
   * Rule 8. No request makes more upstream calls than its `max_attempts` where that is set explicitly, 20 where it is not.
   */
  #demandFewAttempts(call: SimulatedCall, request: ClientRequest): void {
    const setting = this.#facts.settings['max_attempts'] as number | undefined
    const most = request.maxAttempts ?? setting ?? 20
    const made = request.calls.filter(({ repeats }) => repeats === null).length
    if (made > most)
      this.#violated('attempts', `request ${request.number} made ${made} calls, allowed are ${most}`, call, request)
  }

  /**
   * Rule 2. What a process was told of a limit holds for it: once an answer said that so many requests are left until
   * a time, it sends no more than that before the time, but for what was under way. And rule 8: no request of a client
   * is sent with a key that the process knows to be refused, or into a wait that its target stated.
   */
  #demandRespect(call: SimulatedCall): void {
    const { process } = call
    const refusedAt = this.#refusedKeys.get(`${process.name} ${call.provider}#${call.key}`)
    if (refusedAt !== undefined && call.at > refusedAt && call.at < refusedAt + 15 * MINUTE)
      this.#violated('refused-key', `${nameOf(call)} is asked although its key was refused`, call)
    const wait = this.#waits.get(`${process.name} ${nameOf(call)}`)
    if (wait !== undefined && call.at > wait.from && call.at < wait.until)
      this.#violated(
        'stated-wait',
        `${nameOf(call)} is asked ${seconds(wait.until - call.at)} before the end of a wait that it stated`,
        call,
      )
    this.#demandRoom(call)
  }

  readonly #since = new Map<string, SimulatedCall[]>()

  #demandRoom(call: SimulatedCall): void {
    const provider = this.#targets.find(({ provider }) => provider.facts.id === call.provider)?.provider
    for (const scope of provider?.scopesOf(call.model, call.key) ?? []) {
      const id = `${call.process.name} ${scope}`
      const known = this.#limits.get(id)
      const sent = (this.#since.get(id) ?? []).filter(
        (other) =>
          mayCount(other) &&
          (other.arrivedAt === null || other.arrivedAt > (known?.issuedAt ?? Number.NEGATIVE_INFINITY)),
      )
      this.#since.set(id, [...sent, call])
      if (known === undefined) continue
      const { statement, toldAt } = known
      const isOver = call.at + this.#facts.startsAt >= statement.resetsAt
      if (!isOver && call.at > toldAt && sent.length >= statement.remaining)
        this.#violated(
          'stated-limit',
          `${nameOf(call)} is asked although ${scope} had ${statement.remaining} left until ${new Date(statement.resetsAt).toISOString()} and ${sent.length} were sent since`,
          call,
        )
    }
  }

  /**
   * Rule 5. A caller's whole answer is the whole answer of one call that was made for that request: nothing cut,
   * nothing mixed.
   */
  #demandWhole(request: ClientRequest, text: string): void {
    const number = Number(/^Answer (\d+):/.exec(text)?.[1] ?? Number.NaN)
    const call = request.calls.find((one) => one.number === number)
    if (call === undefined)
      this.#violated(
        'whole-answer',
        `request ${request.number} got ${JSON.stringify(text)}, which no call of it said`,
        undefined,
        request,
      )
    else if (call.answer?.text !== text || (call.answer.trouble ?? '').startsWith('cut_'))
      this.#violated(
        'whole-answer',
        `request ${request.number} got ${JSON.stringify(text)} as a whole answer of ${JSON.stringify(call.answer?.text)} (${call.answer?.trouble ?? 'well'})`,
        call,
        request,
      )
  }

  /**
   * Rule 3. Where the user's order decides, a target that is well, has room and comes before the one that answered is
   * asked again within its bound: it is not passed over by more than 20 requests in a row for longer than a minute. Not
   * where a budget may be what keeps it out.
   */
  #demandUse(request: ClientRequest): void {
    const isOrdered = this.#facts.isOrdered && request.session === null && !this.#hasBudgets
    const order = isOrdered ? this.#groups.get(request.model) : undefined
    const [first] = order ?? []
    if (first === undefined) return
    const now = this.#monotonic()
    const isAsked = request.calls.some((call) => `${call.provider}/${call.model}` === first)
    const targets = this.#targets.filter(({ provider, model }) => `${provider.facts.id}/${model}` === first)
    const isWell = targets.some((target) => this.#wasWell(target, request.at, now))
    if (isAsked || !isWell) return void this.#passedOver.delete(request.model)
    const passed = this.#passedOver.get(request.model) ?? { count: 0, since: request.at }
    this.#passedOver.set(request.model, passed)
    passed.count++
    if (passed.count > 20 && now - passed.since > MINUTE)
      this.#violated(
        'used-again',
        `${first} is well and first of ${request.model}, and was passed over by ${passed.count} requests in ${seconds(now - passed.since)} (${this.#said(request, `${first}#1`)})`,
        undefined,
        request,
        `${first}#1`,
      )
  }

  /**
   * Rule 6. A request fails only when every target that could answer it has failed for it, its attempts or its time
   * are used up, its caller left, or a budget leaves no room.
   */
  #demandReason(request: ClientRequest, outcome: Extract<ClientOutcome, { kind: 'error' }>): void {
    const { code, message } = outcome
    const now = this.#monotonic()
    if (code === 'ABORTED' && request.leavesAfterMs !== null) return
    if (code === 'CLOSED') return
    if (code === 'BUDGET_EXCEEDED' && this.#facts.settings['budgets'] !== undefined) return
    if (code !== 'ALL_TARGETS_FAILED')
      return this.#violated('reason', `request ${request.number} failed with ${code}: ${message}`, undefined, request)
    // A stream that broke off after its first content cannot be given again.
    if (outcome.text !== '' || /broke off/.test(message)) return
    const most = request.maxAttempts ?? (this.#facts.settings['max_attempts'] as number | undefined) ?? 5
    const isLate = request.timeoutMs !== null && now - request.at >= request.timeoutMs - 100
    if (isLate || request.calls.length >= most || now - request.at > 9 * MINUTE) return
    if (this.#hasBudgets) return
    const unasked = this.#targets.find(
      (target) =>
        this.#mayAnswer(request, target) &&
        !request.calls.some((call) => speaksFor(call, target)) &&
        this.#wasWell(target, request.at, now),
    )
    if (unasked !== undefined)
      this.#violated(
        'reason',
        `request ${request.number} failed although ${unasked.name} was well and not asked (${this.#said(request, unasked.name)}): ${message}`,
        undefined,
        request,
        unasked.name,
      )
  }

  /** The shortest time after which the product gives an answer up that does not begin or go on. */
  get #patienceMs(): number {
    const { first_token_ms, idle_ms } = this.#facts.settings['timeouts'] as Record<string, number>
    return Math.min(first_token_ms ?? 0, idle_ms ?? 0) - 100
  }

  get #hasBudgets(): boolean {
    return (this.#facts.settings['budgets'] as readonly unknown[]).length > 0
  }

  #mayAnswer({ model }: ClientRequest, target: WorldTarget): boolean {
    const name = `${target.provider.facts.id}/${target.model}`
    if (model === 'auto') return true
    return this.#groups.get(model)?.includes(name) ?? model === name
  }

  /** Whether the target was well and had room from before `from` until `until`, for at least as long as it may stay out. */
  #wasWell({ provider, model, key }: WorldTarget, from: number, until: number): boolean {
    const { id } = provider.facts
    const scopes = [`${id}`, `${id}/${model}`, `${id}#${key}`, `${id}@${accountOf(provider.facts, key)}`]
    if (scopes.some((scope) => from < (this.#dueAt.get(scope) ?? Number.NEGATIVE_INFINITY))) return false
    const isInTrouble = provider.facts.episodes.some(
      (one) =>
        one.from < until &&
        one.until > from &&
        (one.model === null || one.model === model) &&
        (one.key === null || one.key === key),
    )
    if (isInTrouble || !this.#isClockSteady) return false
    // What is under way is counted by the product at once, so that near a limit it is careful.
    return provider.shareLeft(model, key, this.#facts.startsAt + until) > AMPLE
  }

  get #isClockSteady(): boolean {
    return this.#monotonic() - this.clockSetAt > 2 * HOUR
  }

  #strike(call: SimulatedCall, scope: Scope, dueAt: number): void {
    const provider = this.#targets.find(({ provider }) => provider.facts.id === call.provider)?.provider
    if (provider === undefined) return
    const id =
      scope === 'provider'
        ? call.provider
        : scope === 'model'
          ? `${call.provider}/${call.model}`
          : scope === 'key'
            ? `${call.provider}#${call.key}`
            : `${call.provider}@${accountOf(provider.facts, call.key)}`
    this.#dueAt.set(id, Math.max(dueAt, this.#dueAt.get(id) ?? Number.NEGATIVE_INFINITY))
  }

  /**
   * Rule 9. When nobody asks any more, nothing is under way, held, waiting or put aside.
   */
  demandQuiet(process: MachineProcess, manager: APIManager, probes: number, mayBeHeld: boolean): void {
    const { engine } = manager
    const at = { process: process.name }
    const demand = (what: string, count: number) => {
      if (count !== 0)
        this.#history.violated('quiet', `${process.name} still has ${count} ${what} when nobody asks any more`, at)
    }
    demand('calls under way', engine.tools.deadlines.size - probes)
    demand('requests waiting', engine.waiting.size)
    demand('quota holds', engine.learned.quota.underWay - probes)
    if (mayBeHeld) return
    for (const { scope, per, unit, reserved } of engine.learned.budgets.view(engine.now))
      demand(`${unit} reserved of the budget ${scope} per ${per}`, reserved)
  }

  #violated(
    rule: string,
    message: string,
    call?: SimulatedCall,
    request?: ClientRequest,
    target = call === undefined ? undefined : nameOf(call),
  ): void {
    const number = request?.number ?? call?.request ?? null
    this.#history.violated(rule, message, { request: number, ...(target !== undefined && { target }) })
  }
}

/**
 * Whether what became of the call says enough of the target that its request need not ask it: the same target; the same
 * model behind another key, when it was the service that failed; all of a provider that cannot be reached.
 */
function speaksFor(call: SimulatedCall, { name, provider, model }: WorldTarget): boolean {
  if (nameOf(call) === name) return true
  if (call.provider !== provider.facts.id) return false
  const scope = SCOPES[call.answer?.trouble ?? 'server'] ?? 'model'
  return scope === 'provider' || (scope === 'model' && call.model === model)
}

/** Whether a limit counts the call, as far as its process can know: what failed before any work was done is not counted. */
const mayCount = ({ state, answer }: SimulatedCall) => state === 'open' || (answer !== null && answer.text !== null)

export const nameOf = ({ provider, model, key }: SimulatedCall) => `${provider}/${model}#${key}`
export const rowName = ({ target }: AttemptEvent) => `${target.provider}/${target.model}#${target.keyIndex}`

function accountOf({ keys }: ProviderFacts, key: number): string {
  return keys[key - 1]?.account ?? `key ${key}`
}

const seconds = (ms: number) => `${Math.round(ms / 100) / 10} s`
