/**
 * The providers' models lists: cached in the store with their age, refreshed in the background; the last good one is
 * kept.
 */

import type { Failure } from '../../domain/failure.ts'
import type { Json } from '../../domain/json.ts'
import { asArray, asRecord } from '../../domain/json.ts'
import type { Logger } from '../../domain/logger.ts'
import { isModelName } from '../../domain/printable.ts'
import type { Store } from '../../domain/store.ts'
import { type ListResult, listModels } from '../../upstream/discovery/discover.ts'
import type { ListedModel } from '../../upstream/discovery/modelsList.ts'
import type { JsonTools } from '../../upstream/requestJson.ts'
import type { Credential } from './targetRegistry.ts'

/** Lists older than this are read again. */
const LIST_LIFE_MS = 6 * 3600_000
/** Delay after a failure, so that a blocked host is not called at every request. */
const RETRY_MS = 60_000

interface KnownList {
  readonly models: readonly ListedModel[]
  /** Epoch milliseconds at which the provider answered. */
  readonly readAt: number
}

interface ModelListsOptions {
  readonly store: Store
  readonly logger: Logger
  readonly tools: JsonTools
  /** Called after every new or changed list; `added`: models the previous list did not have. */
  readonly onChange: (credential: Credential, added: ReadonlySet<string>) => void
  readonly onFailure: (credential: Credential, failure: Failure) => void
}

const COLLECTION = 'model-lists'
/** When each list was read: small, so that a process can look often whether another one has read a list. */
const READ_AT = 'model-lists-read-at'

export class ModelLists {
  readonly #options: ModelListsOptions
  readonly #lists = new Map<string, KnownList>()
  readonly #running = new Map<string, Promise<ListResult>>()
  readonly #triedAt = new Map<string, number>()
  /** Lists of which it was said that some names were left out. */
  readonly #toldRefused = new Set<string>()
  /** Why a list that was read last gave nothing. */
  readonly #trouble = new Map<string, string>()
  readonly #awaitingNews: (() => void)[] = []

  constructor(options: ModelListsOptions) {
    this.#options = options
    for (const [key, value] of options.store.listDocs(COLLECTION)) {
      const list = readList(value)
      if (list !== null) this.#lists.set(key, list)
    }
  }

  of(credential: Credential): KnownList | null {
    return this.#lists.get(listKey(credential)) ?? null
  }

  /** Why the list could not be used when it was read last; null when it could, or was not read. */
  trouble(credential: Credential): string | null {
    return this.#trouble.get(listKey(credential)) ?? null
  }

  /** Takes over the lists that other processes on the same store have read since. */
  sync(credentials: readonly Credential[]): void {
    const { store } = this.#options
    for (const [key, readAt] of store.listDocs(READ_AT)) {
      const before = this.#lists.get(key)
      if (typeof readAt !== 'number' || readAt <= (before?.readAt ?? 0)) continue
      const credential = credentials.find((one) => listKey(one) === key)
      const list = credential === undefined ? null : readList(store.getDoc(COLLECTION, key) ?? null)
      if (credential !== undefined && list !== null) this.#use(credential, key, list)
    }
  }

  /**
   * Reads the lists of the credentials that are due; `force` reads all. Resolves when every one has answered or failed.
   */
  async refresh(credentials: readonly Credential[], force = false): Promise<void> {
    this.sync(credentials)
    const due = new Map<string, Credential>()
    for (const credential of credentials)
      if (credential.connection.spec.modelsList !== null && (force || this.#isDue(credential)))
        due.set(listKey(credential), credential)
    await Promise.all(
      [...due.values()].map(async (credential) => {
        const result = await this.#read(credential)
        if (!result.ok) this.#options.onFailure(credential, result.failure)
      }),
    )
  }

  /** Reads one list now and returns the outcome. Concurrent callers share one read. */
  readNow(credential: Credential, signal?: AbortSignal): Promise<ListResult> {
    return this.#read(credential, signal)
  }

  get isReading(): boolean {
    return this.#running.size > 0
  }

  /** A list is being read of which nothing is known from before. */
  get isReadingFirst(): boolean {
    return [...this.#running.keys()].some((key) => !this.#lists.has(key))
  }

  /** Resolves when no list is being read any more, at the latest after `ms`. */
  async settled(ms: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    const patience = new Promise<void>((resolve) => (timer = setTimeout(resolve, ms).unref()))
    await Promise.race([patience, Promise.all(this.#running.values())])
    clearTimeout(timer)
  }

  /** Resolves with the next list that adds models, at the latest after `ms`. */
  firstNews(ms: number): Promise<void> {
    return new Promise((resolve) => {
      // The list that is waited for keeps the process alive by itself.
      const timer = setTimeout(resolve, ms).unref()
      this.#awaitingNews.push(() => {
        clearTimeout(timer)
        resolve()
      })
    })
  }

  #isDue(credential: Credential): boolean {
    const key = listKey(credential)
    const now = this.#options.tools.now()
    const age = now - (this.#lists.get(key)?.readAt ?? 0)
    return (age > LIST_LIFE_MS || age < 0) && now - (this.#triedAt.get(key) ?? 0) > RETRY_MS
  }

  #read(credential: Credential, signal?: AbortSignal): Promise<ListResult> {
    const key = listKey(credential)
    const running = this.#running.get(key)
    if (running !== undefined) return running
    const reading = this.#readOnce(credential, key, signal).finally(() => this.#running.delete(key))
    this.#running.set(key, reading)
    return reading
  }

  async #readOnce(credential: Credential, key: string, signal?: AbortSignal): Promise<ListResult> {
    this.#triedAt.set(key, this.#options.tools.now())
    const { tools } = this.#options
    const result = await listModels(credential.connection, signal === undefined ? tools : { ...tools, signal })
    if (result.ok && result.refused !== undefined) this.#tellRefused(credential, key, result.refused)
    // An empty list is more often a hiccup than the truth: the last good one stays.
    if (!result.ok || result.models.length === 0) {
      this.#trouble.set(key, result.ok ? 'the models list is empty' : result.failure.message)
      return result
    }
    this.#trouble.delete(key)
    const list: KnownList = { models: result.models, readAt: this.#options.tools.now() }
    this.#options.store.setDoc(COLLECTION, key, list as unknown as Json) // plain data by construction
    this.#options.store.setDoc(READ_AT, key, list.readAt)
    this.#use(credential, key, list)
    return result
  }

  /** Once, because a list is read again and again. */
  #tellRefused({ provider, key: { index } }: Credential, key: string, count: number): void {
    if (this.#toldRefused.has(key)) return
    this.#toldRefused.add(key)
    this.#options.logger.warn(
      `models list of ${provider.spec.name} (key ${index}): ${count === 1 ? '1 model is' : `${count} models are`} left out, because of control characters or parts of a key in the name; tell the provider`,
    )
  }

  #use(credential: Credential, key: string, list: KnownList): void {
    const before = this.#lists.get(key)
    this.#lists.set(key, list)
    if (before !== undefined && sameModels(before.models, list.models)) return
    this.#options.onChange(credential, addedTo(before, list))
    for (const resolve of this.#awaitingNews.splice(0)) resolve()
  }
}

/** Public lists are the same for all keys of a provider, others belong to the key. */
function listKey(credential: Credential): string {
  const { spec, origin, basePath } = credential.connection
  return spec.modelsList?.public
    ? `${spec.id} ${origin}${basePath}`
    : `${spec.id}@${credential.fingerprint} ${origin}${basePath}`
}

/** A first list adds nothing: what was missing before is unknown. */
function addedTo(before: KnownList | undefined, after: KnownList): ReadonlySet<string> {
  const added = new Set(before === undefined ? [] : after.models.map(({ id }) => id))
  for (const { id } of before?.models ?? []) added.delete(id)
  return added
}

/** The order of a list means nothing. */
function sameModels(a: readonly ListedModel[], b: readonly ListedModel[]): boolean {
  const known = new Map(a.map((model) => [model.id, JSON.stringify(model)]))
  return a.length === b.length && b.every((model) => known.get(model.id) === JSON.stringify(model))
}

function readList(value: Json): KnownList | null {
  const record = asRecord(value)
  const models = asArray(record?.['models'])
  const readAt = record?.['readAt']
  if (models === undefined || typeof readAt !== 'number') return null
  return { models: models.filter(isListed), readAt }
}

function isListed(value: unknown): value is ListedModel {
  const record = asRecord(value)
  return (
    typeof record?.['id'] === 'string' &&
    // Lists of earlier versions were not looked through.
    isModelName(record['id']) &&
    typeof record['chats'] === 'boolean' &&
    asRecord(record['abilities']) !== undefined
  )
}
