/**
 * Abilities (tools, images, JSON …) that refusals have shown a provider's model to lack, overriding its list and our
 * catalogue; shared by all processes on one store. One refusal may be one request's fault, so two different requests
 * must agree, with no success of the ability between them. A finding holds for a day; the next request then finds out
 * whether it still does. A success, or a person's retest, ends it.
 */

import { asArray, asNumber, asRecord, asString, type Json } from '../../domain/json.ts'
import type { Store } from '../../domain/store.ts'
import { ABILITIES, type Ability, type Target } from '../../domain/target.ts'

const COLLECTION = 'shortcomings'
const LIFE_MS = 86_400_000
/** How long a refusal counts; longer than a finding holds, so that the request that tries again decides alone. */
const KEPT_MS = 2 * LIFE_MS
/** How often findings of other processes are read. */
const LOOK_EVERY_MS = 60_000
const AGREEING = 2

type Model = Pick<Target, 'provider' | 'model'>

interface Finding {
  /** Fingerprints of the requests that were refused, the last ones. */
  readonly requests: readonly string[]
  /** Epoch milliseconds of the last refusal. */
  readonly at: number
  /** Epoch milliseconds until which the ability counts as missing; 0 while only one request was refused. */
  readonly until: number
}

export class MissingAbilities {
  readonly #store: Store
  readonly #now: () => number
  #findings = new Map<string, Finding>()
  #lookedAt = Number.NEGATIVE_INFINITY
  /** What was missing when the findings were read last, to see a change: by time, or by another process. */
  #missed = ''
  #version = 0
  /** When requests with an ability last succeeded: a refusal from before proves nothing. */
  readonly #workedAt = new Map<string, number>()

  constructor(store: Store, now: () => number) {
    this.#store = store
    this.#now = now
  }

  /** Changes whenever what is missing changes, at the latest within a minute. */
  get version(): number {
    this.#lookIfDue(this.#now())
    return this.#version
  }

  /** A refusal named the ability as such. `request` identifies what was asked: the same one counts once. */
  refused({ provider, model }: Model, ability: Ability, request: string): void {
    const name = `${provider}/${model} ${ability}`
    const now = this.#now()
    const workedAt = this.#workedAt.get(name) ?? Number.NEGATIVE_INFINITY
    const doc = this.#store.updateDoc(COLLECTION, `${provider}/${model}`, (known) => {
      const finding = refusedAgain(findingIn(known, ability), { request, now, workedAt })
      return { ...asRecord(known), [ability]: finding } as unknown as Json // what JSON held, and plain data
    })
    const finding = findingIn(doc, ability)
    if (finding !== null) this.#findings.set(name, finding)
    this.#compare(now)
  }

  /** A request with these abilities succeeded. */
  worked(model: Model, abilities: readonly Ability[]): void {
    for (const ability of abilities) {
      // Nearly every request has these two, and hardly any refusal is about them.
      const isCommon = ability === 'chat' || ability === 'streaming'
      if (isCommon && this.#findings.size === 0) continue
      const name = `${model.provider}/${model.model} ${ability}`
      if (!isCommon) this.#workedAt.set(name, this.#now())
      if (this.#findings.has(name)) this.#forget(model, ability)
    }
  }

  /** A person wants these models tried again; null for all. */
  retest(models: readonly Model[] | null): void {
    const names = models?.map(({ provider, model }) => `${provider}/${model}`)
    for (const name of new Set(names ?? this.#store.listDocs(COLLECTION).map(([name]) => name)))
      this.#store.deleteDoc(COLLECTION, name)
    this.#look(this.#now())
  }

  /** The first of the abilities that the model lacks; undefined when none is known to be missing. */
  missing({ provider, model }: Model, abilities: readonly Ability[]): Ability | undefined {
    const now = this.#now()
    this.#lookIfDue(now)
    if (this.#findings.size === 0) return undefined
    return abilities.find((ability) => (this.#findings.get(`${provider}/${model} ${ability}`)?.until ?? 0) > now)
  }

  #forget({ provider, model }: Model, ability: Ability): void {
    this.#findings.delete(`${provider}/${model} ${ability}`)
    this.#compare(this.#now())
    this.#store.updateDoc(COLLECTION, `${provider}/${model}`, (known) => {
      const { [ability]: _gone, ...rest } = asRecord(known) ?? {}
      return Object.keys(rest).length === 0 ? undefined : (rest as Record<string, Json>) // what JSON held
    })
  }

  #lookIfDue(now: number): void {
    if (now - this.#lookedAt > LOOK_EVERY_MS || now < this.#lookedAt) this.#look(now)
  }

  #look(now: number): void {
    this.#lookedAt = now
    const read = new Map<string, Finding>()
    for (const [name, doc] of this.#store.listDocs(COLLECTION)) {
      for (const ability of ABILITIES) {
        const finding = findingIn(doc, ability)
        if (finding === null || now - finding.at > KEPT_MS) continue
        // Another process did not see what succeeded here.
        if ((this.#workedAt.get(`${name} ${ability}`) ?? 0) < finding.at) read.set(`${name} ${ability}`, finding)
      }
    }
    this.#findings = read
    this.#compare(now)
  }

  #compare(now: number): void {
    const missed = [...this.#findings].flatMap(([name, { until }]) => (until > now ? name : [])).sort()
    const text = missed.join('\n')
    if (text !== this.#missed) this.#version++
    this.#missed = text
  }
}

interface RefusedRequest {
  readonly request: string
  readonly now: number
  readonly workedAt: number
}

function refusedAgain(known: Finding | null, { request, now, workedAt }: RefusedRequest): Finding {
  const counts = known !== null && known.at > workedAt && now - known.at <= KEPT_MS
  const before = counts ? known.requests : []
  const requests = before.includes(request) ? before : [...before, request].slice(-AGREEING)
  return { requests, at: now, until: requests.length < AGREEING ? 0 : now + LIFE_MS }
}

/** Null for a number, too: earlier versions kept one after a single refusal, also after one of a value. */
function findingIn(doc: Json | undefined, ability: Ability): Finding | null {
  const stored = asRecord(asRecord(doc)?.[ability])
  const at = asNumber(stored?.['at'])
  if (stored === undefined || at === undefined) return null
  const requests = (asArray(stored['requests']) ?? []).flatMap((request) => asString(request) ?? [])
  return { requests, at, until: asNumber(stored['until']) ?? 0 }
}
