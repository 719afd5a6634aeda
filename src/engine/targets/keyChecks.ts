/**
 * Verifies keys with free calls where the provider has one: on request, and to bring refused keys and empty
 * accounts back without risking a user's request.
 */

import type { Failure, FailureKind } from '../../domain/failure.ts'
import { asNumber, asRecord, asString } from '../../domain/json.ts'
import type { Park } from '../../domain/park.ts'
import type { AttemptEvent, Store, TargetRef } from '../../domain/store.ts'
import { checkKey, type KeyCheckResult } from '../../upstream/discovery/discover.ts'
import type { JsonTools } from '../../upstream/requestJson.ts'
import type { LearnedState } from '../memory/learnedState.ts'
import type { Credits } from './credits.ts'
import type { Credential } from './targetRegistry.ts'

interface KeyChecksOptions {
  readonly learned: LearnedState
  readonly store: Store
  readonly tools: JsonTools
  readonly credits: Credits
}

/** The result of the last check of a key. */
export interface CheckedKey {
  readonly state: KeyCheckResult['state']
  /** Epoch milliseconds. */
  readonly at: number
  /** The provider's message for a refused key. */
  readonly message: string | null
  readonly creditLeftUsd: number | null
  readonly freeRequestsLeftToday: number | null
  /** False: the account has been charged before, so calls can be billed. Null: unknown. */
  readonly freeTier: boolean | null
}

const COLLECTION = 'key-checks'
const DAY_MS = 86_400_000
const STATES = ['valid', 'unproven', 'refused'] as const

const ABOUT_THE_KEY: ReadonlySet<FailureKind> = new Set(['auth_invalid', 'auth_forbidden', 'billing'])

/** A check that met an outage, a limit or a firewall says nothing about the key. */
function stateOf(checked: KeyCheckResult): CheckedKey['state'] {
  return checked.state === 'refused' && !ABOUT_THE_KEY.has(checked.failure.kind) ? 'unproven' : checked.state
}

const mayBeBilled = ({ provider, key }: Credential) => key.free === true && provider.spec.tellsFreeTier === true
const idOf = (credential: Credential) => `${credential.provider.id}@${credential.fingerprint}`

export class KeyChecks {
  readonly #options: KeyChecksOptions

  constructor(options: KeyChecksOptions) {
    this.#options = options
  }

  /** Checks one key now and stores the result. */
  async checkNow(credential: Credential): Promise<KeyCheckResult> {
    const { store, tools } = this.#options
    const checked = await checkKey(credential.connection, tools)
    store.setDoc(COLLECTION, idOf(credential), {
      state: stateOf(checked),
      at: tools.now(),
      message: checked.state === 'refused' ? checked.failure.message : null,
      creditLeftUsd: checked.state === 'valid' ? checked.facts.creditLeftUsd : null,
      freeRequestsLeftToday: checked.state === 'valid' ? checked.facts.freeRequestsLeftToday : null,
      freeTier: checked.state === 'valid' ? checked.facts.freeTier : null,
    })
    return checked
  }

  /** The last check of the key by any process; null when there was none. */
  last(credential: Credential): CheckedKey | null {
    const record = asRecord(this.#options.store.getDoc(COLLECTION, idOf(credential)))
    const state = STATES.find((one) => one === record?.['state'])
    if (record === undefined || state === undefined) return null
    return {
      state,
      at: asNumber(record['at']) ?? 0,
      message: asString(record['message']) ?? null,
      creditLeftUsd: asNumber(record['creditLeftUsd']) ?? null,
      freeRequestsLeftToday: asNumber(record['freeRequestsLeftToday']) ?? null,
      freeTier: typeof record['freeTier'] === 'boolean' ? record['freeTier'] : null,
    }
  }

  /** Whether a key marked free belongs to an account that has been charged before. */
  isBilled(credential: Credential): boolean {
    return mayBeBilled(credential) && this.last(credential)?.freeTier === false
  }

  /** Checks keys marked free, once a day, where the provider can tell. Returns those whose account has been charged. */
  async billedAmong(credentials: readonly Credential[]): Promise<readonly Credential[]> {
    const now = this.#options.tools.now()
    const doubtful = credentials.filter(mayBeBilled)
    await Promise.all(
      doubtful
        .filter((credential) => now - (this.last(credential)?.at ?? 0) > DAY_MS)
        .map((credential) => this.checkNow(credential)),
    )
    return doubtful.filter((credential) => this.isBilled(credential))
  }

  /** A refused key whose park is over: valid, it is lifted; refused again, it is parked for twice as long. */
  async prove({ target, reason }: Park, credential: Credential): Promise<void> {
    const checked = await this.checkNow(credential)
    if (checked.state === 'refused') this.#refused(target, checked.failure)
    // Without a free check the elapsed time must do: the next request finds out.
    else this.#lift(target, reason)
  }

  /**
   * A key that several models refused for want of permission: refused by the check as well, it rests for longer; valid
   * after the check had refused it, it is lifted. Otherwise the check cannot see the cause, and the next call decides.
   * False then.
   */
  async permission({ target, reason }: Park, credential: Credential): Promise<boolean> {
    const before = this.last(credential)?.state
    const checked = await this.checkNow(credential)
    if (checked.state === 'refused') this.#refused(target, checked.failure)
    else if (checked.state === 'valid' && before === 'refused') this.#lift(target, reason)
    else return false
    return true
  }

  /** Checks whether an account without credit has some again, where the provider tells for free. */
  async balance({ target, reason, scope }: Park, credential: Credential): Promise<void> {
    const checked = await this.checkNow(credential)
    if (checked.state === 'refused') return this.#refused(target, checked.failure)
    const said = checked.state === 'valid' ? checked.facts.hasCredit : null
    const hasCredit = said ?? (await this.#options.credits.hasCredit(credential))
    if (hasCredit === true) this.#lift(target, reason)
    if (hasCredit === false)
      this.record(target, {
        kind: 'billing',
        status: null,
        message: `the ${scope === 'key' ? 'key' : 'account'} still has no credit`,
        ...(scope === 'key' && { keyLimit: true }),
      })
  }

  /** Only findings about the key count: a check that met an outage or a limit proves nothing. */
  #refused(target: TargetRef, failure: Failure): void {
    if (ABOUT_THE_KEY.has(failure.kind)) this.record(target, failure)
  }

  #lift(target: TargetRef, reason: FailureKind): void {
    const { learned, store, tools } = this.#options
    learned.record({
      kind: 'lift',
      at: tools.now(),
      origin: store.origin,
      id: learned.eventId(),
      target,
      only: [reason],
    })
  }

  /** A check failed as a call would have: prolongs the park without a user's request. */
  record(target: TargetRef, failure: Failure): void {
    this.#options.learned.record(this.#refusal(target, failure, this.#options.tools.now()))
  }

  #refusal(target: TargetRef, failure: Failure, at: number): AttemptEvent {
    return {
      kind: 'attempt',
      at,
      origin: this.#options.store.origin,
      id: this.#options.learned.eventId(),
      requestId: 'check',
      number: 1,
      source: 'probe',
      target,
      startedAt: at,
      latencyMs: 0,
      firstTokenMs: null,
      streamed: false,
      ok: false,
      failure,
      usage: null,
      costNanoUsd: 0,
      priceSource: null,
      limits: [],
      task: null,
      session: null,
      token: null,
      labels: {},
    }
  }
}
