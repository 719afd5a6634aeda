/**
 * What providers tell of the credit of accounts and of the limits of keys: asked for with free calls outside of
 * requests, and kept in the store with its time, so that every process can show it.
 */

import { asArray, asNumber, asRecord, asString, type Json } from '../../domain/json.ts'
import type { Store } from '../../domain/store.ts'
import { type CreditLeft, type Sighting, withSighting } from '../../money/credit.ts'
import type { BalanceSource } from '../../providers/provider.ts'
import { readBalance, type ToldBalance } from '../../upstream/discovery/balance.ts'
import { type JsonTools, requestJson } from '../../upstream/requestJson.ts'
import type { Credential } from './targetRegistry.ts'

/** One amount, with what was told of it before. */
export interface KnownCredit extends CreditLeft {
  /** Oldest first; the last one is this amount. */
  readonly seen: readonly Sighting[]
}

/** What is known of one source. */
export interface KnownBalance {
  /** Epoch milliseconds at which it told; null when it never did. */
  readonly at: number | null
  readonly credits: readonly KnownCredit[]
  /** Whether it said that calls can be paid; null when it does not say. */
  readonly available: boolean | null
  /** Epoch milliseconds. */
  readonly askedAt: number
  /** Why it told nothing when it was asked last; null when it did. Never a key. */
  readonly trouble: string | null
  /** It does not tell this key, which says nothing about the key. */
  readonly isWithheld: boolean
}

/** A source, and the key with which it is asked. What belongs to an account is asked once for all its keys. */
export interface BalanceQuestion {
  readonly credential: Credential
  readonly source: BalanceSource
  /** Of what is told, in every process. */
  readonly id: string
}

interface CreditsOptions {
  readonly store: Store
  readonly tools: JsonTools
}

const COLLECTION = 'credits'
const MOST_TROUBLE = 200

export class Credits {
  readonly #options: CreditsOptions
  readonly #running = new Map<string, Promise<void>>()

  constructor(options: CreditsOptions) {
    this.#options = options
  }

  /** Everything that can be asked with these keys, in their order. */
  questions(credentials: readonly Credential[]): readonly BalanceQuestion[] {
    const questions = new Map<string, BalanceQuestion>()
    for (const credential of credentials)
      for (const source of credential.connection.spec.balance ?? []) {
        const id = `${source.of} ${ownerOf(credential, source)} ${source.path}`
        if (!questions.has(id)) questions.set(id, { credential, source, id })
      }
    return [...questions.values()]
  }

  /** What any process was told last; null when nobody asked. */
  last({ id }: BalanceQuestion): KnownBalance | null {
    return readKnown(this.#options.store.getDoc(COLLECTION, id))
  }

  /** Asks now, and stores what is told. Concurrent callers share one call; rejects only without a store. */
  ask(question: BalanceQuestion): Promise<void> {
    const running = this.#running.get(question.id)
    if (running !== undefined) return running
    const asking = this.#ask(question).finally(() => this.#running.delete(question.id))
    this.#running.set(question.id, asking)
    return asking
  }

  /** Resolves when everything that is being asked was answered. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#running.values())
  }

  /** Asks whether the account of the key can pay; null where its provider does not tell. */
  async hasCredit(credential: Credential): Promise<boolean | null> {
    const questions = this.questions([credential]).filter(({ source }) => source.of === 'account')
    await Promise.all(questions.map((question) => this.ask(question)))
    const told = questions.flatMap((question) => this.last(question) ?? []).filter(({ trouble }) => trouble === null)
    if (told.some(hasNothing)) return false
    return told.some(({ available, credits }) => available ?? credits.some(({ left }) => left > 0)) ? true : null
  }

  async #ask(question: BalanceQuestion): Promise<void> {
    const { tools, store } = this.#options
    const { credential, source, id } = question
    const answer = await requestJson(credential.connection, 'GET', source.path, tools)
    // This process is ending, which says nothing about the provider.
    if (tools.signal?.aborted === true) return
    const now = tools.now()
    const known = this.last(question) ?? UNKNOWN
    if (answer.ok) {
      const told = readBalance(answer.body, source, now)
      const credits = withHistory(told, known, now)
      return store.setDoc(COLLECTION, id, written({ ...UNKNOWN, ...told, credits, at: now, askedAt: now }))
    }
    const { kind, message, status } = answer.failure
    const isWithheld = kind === 'auth_forbidden' || status === 404
    const trouble = message.slice(0, MOST_TROUBLE)
    store.setDoc(COLLECTION, id, written({ ...known, askedAt: now, trouble, isWithheld }))
  }
}

/** Whether it says that nothing can be paid. */
export function hasNothing({ available, credits }: Pick<KnownBalance, 'available' | 'credits'>): boolean {
  return available === false || (available === null && credits.length > 0 && credits.every(({ left }) => left <= 0))
}

const UNKNOWN: KnownBalance = {
  at: null,
  credits: [],
  available: null,
  askedAt: 0,
  trouble: null,
  isWithheld: false,
}

function ownerOf({ provider, fingerprint, account }: Credential, { of }: BalanceSource): string {
  return of === 'account' ? account : `${provider.id}@${fingerprint}`
}

function withHistory({ credits }: ToldBalance, before: KnownBalance, at: number): readonly KnownCredit[] {
  return credits.map((credit) => {
    const seen = before.credits.find(({ currency }) => currency === credit.currency)?.seen ?? []
    return { ...credit, seen: withSighting(seen, { at, left: credit.left }) }
  })
}

function written({ credits, ...known }: KnownBalance): Json {
  return {
    ...known,
    credits: credits.map(({ seen, ...credit }) => ({ ...credit, seen: seen.map(({ at, left }) => [at, left]) })),
  }
}

function readKnown(value: unknown): KnownBalance | null {
  const record = asRecord(value)
  const askedAt = asNumber(record?.['askedAt'])
  if (record === undefined || askedAt === undefined) return null
  const { available } = record
  return {
    at: asNumber(record['at']) ?? null,
    credits: (asArray(record['credits']) ?? []).flatMap((credit) => readCredit(credit) ?? []),
    available: typeof available === 'boolean' ? available : null,
    askedAt,
    trouble: asString(record['trouble']) ?? null,
    isWithheld: record['isWithheld'] === true,
  }
}

function readCredit(value: unknown): KnownCredit | null {
  const record = asRecord(value)
  const currency = asString(record?.['currency'])
  const left = asNumber(record?.['left'])
  if (record === undefined || currency === undefined || left === undefined) return null
  return {
    currency,
    left,
    limit: asNumber(record['limit']) ?? null,
    resetsAt: asNumber(record['resetsAt']) ?? null,
    seen: (asArray(record['seen']) ?? []).flatMap((sighting) => readSighting(sighting) ?? []),
  }
}

function readSighting(value: unknown): Sighting | null {
  const [at, seen] = asArray(value) ?? []
  const time = asNumber(at)
  const left = asNumber(seen)
  return time === undefined || left === undefined ? null : { at: time, left }
}
