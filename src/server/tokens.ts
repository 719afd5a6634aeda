/** Tokens that authorize callers of the gateway: each has a scope, is stored as a hash, and is checked first. */

import { hash, randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ConfigError, InvalidRequestError } from '../domain/errors.ts'
import { asNumber, asRecord, asString } from '../domain/json.ts'
import type { Store } from '../domain/store.ts'
import { FilePlaceError, replaceFileNow } from '../store/replaceFile.ts'
import { LEAST_LENGTH, MOST_LENGTH, tokenFault, tokenWeakness } from './tokenRules.ts'

/**
 * `inference` calls models, `read` reads the management routes, `admin` also changes things. No other scope includes
 * `inference`, not even `admin`.
 */
export const SCOPES = ['inference', 'read', 'admin'] as const
export type TokenScope = (typeof SCOPES)[number]

export const ANY_SCOPE: readonly TokenScope[] = SCOPES
/** Of every route that says nothing else. */
export const INFERENCE_ONLY: readonly TokenScope[] = ['inference']

export interface Token {
  /** Of this token alone: another one of the same name has another. It says nothing of the token. */
  readonly id: string
  readonly name: string
  readonly scope: TokenScope
  /** Epoch milliseconds; null for tokens from the environment or the token files. */
  readonly createdAt: number | null
}

interface TokensOptions {
  readonly store: Store
  /** The state folder, where the first start stores its two tokens; null keeps them in memory only. */
  readonly folder: string | null
  /** From KEYWISE_TOKEN and KEYWISE_ADMIN_TOKEN; they replace the files. */
  readonly inference: string | null
  readonly admin: string | null
  readonly now: () => number
}

/** A token the first start must show: once, because keywise cannot show it again. */
interface FreshToken {
  readonly scope: TokenScope
  readonly token: string
  readonly file: string | null
}

const COLLECTION = 'tokens'
/** The tokens that gateways have of their own, by id. */
const IN_USE = 'tokens-in-use'
const IN_USE_MS = 7 * 86_400_000
const NOTE_AGAIN_MS = 3_600_000
/** Tokens made by other processes are picked up after this long. */
const LOOK_AGAIN_MS = 1000

export class Tokens {
  readonly fresh: readonly FreshToken[]
  readonly #options: TokensOptions
  readonly #own = new Map<string, Token>()
  /** Where the gateway's own come from, by digest. */
  readonly #origins = new Map<string, string>()
  /** The token last presented on each connection. */
  readonly #said = new WeakMap<object, { readonly presented: string; readonly digest: string }>()
  readonly #weaknesses: readonly string[]
  #made = new Map<string, Token>()
  /** Ids of the tokens of gateways of this store, this one's own among them. */
  #elsewhere: readonly string[] = []
  #lookedAt = 0
  #notedAt = Number.NEGATIVE_INFINITY

  /** Throws ConfigError for a token that can be guessed, and for two that are the same. */
  constructor(options: TokensOptions) {
    this.#options = options
    const { folder } = options
    const found = [
      findToken('inference', options.inference, 'KEYWISE_TOKEN', placeOf(folder, 'token')),
      findToken('admin', options.admin, 'KEYWISE_ADMIN_TOKEN', placeOf(folder, 'admin-token')),
    ]
    this.#weaknesses = found.flatMap(({ origin, token }) => {
      const weakness = tokenWeakness(token)
      return weakness === null ? [] : `${origin} ${weakness}; set it to a random value (${EXAMPLE})`
    })
    // Before a file is written.
    for (const one of found) this.#keepOwn(one)
    this.fresh = found.flatMap((one) => (one.isFresh ? freshOf(one) : []))
  }

  /**
   * Throws ConfigError where one of the gateway's two tokens is a secret of something else too: a token that was made
   * for a name, or one of `others`. Who is given it would have both.
   */
  refuseShared(others: Iterable<SharedSecret>): void {
    this.#look(this.#options.now())
    for (const [digest, { name }] of this.#made) {
      const origin = this.#origins.get(digest)
      if (origin !== undefined) throw new ConfigError(sameText(origin, `the token "${name}" of keywise token list`))
    }
    for (const text of this.sharedWith(others)) throw new ConfigError(text)
  }

  /** What makes the gateway's own easier to guess than they look, a sentence each. */
  get weaknesses(): readonly string[] {
    return this.#weaknesses
  }

  /** What `refuseShared` would say of others, for where it is no error. */
  sharedWith(others: Iterable<SharedSecret>): readonly string[] {
    return [...others].flatMap(({ secret, what }) => {
      const origin = this.#origins.get(hash('sha256', secret))
      return origin === undefined ? [] : sameText(origin, what)
    })
  }

  /**
   * The matching token; null when there is none. Compared by hash, so that timing reveals nothing about it.
   * `connection`: where it came from; a token repeated on the same connection is not hashed again.
   */
  find(presented: string, connection?: object): Token | null {
    if (presented.length < LEAST_LENGTH || presented.length > MOST_LENGTH) return null
    const digest = this.#digestOf(presented, connection)
    const own = this.#own.get(digest)
    if (own !== undefined) {
      this.#noteUse(own)
      return own
    }
    const now = this.#options.now()
    if (now - this.#lookedAt > LOOK_AGAIN_MS || now < this.#lookedAt) this.#look(now)
    return this.#made.get(digest) ?? null
  }

  /** Timing reveals only that a connection repeated its own token, which the client knows. */
  #digestOf(presented: string, connection: object | undefined): string {
    if (connection === undefined) return hash('sha256', presented)
    const said = this.#said.get(connection)
    if (said?.presented === presented) return said.digest
    const digest = hash('sha256', presented)
    this.#said.set(connection, { presented, digest })
    return digest
  }

  /** Makes a token and returns it; only its hash is stored, so it cannot be shown again. */
  add(name: string, scope: TokenScope): string {
    if (!/^[A-Za-z0-9][\w.-]{0,59}$/.test(name))
      throw new InvalidRequestError('a token name is 1 to 60 letters, digits, ".", "-" or "_"', { parameter: 'name' })
    if (this.list().some((token) => token.name === name))
      throw new InvalidRequestError(`there is a token "${name}" already; revoke it first or take another name`, {
        parameter: 'name',
      })
    const token = freshToken(scope)
    this.#options.store.setDoc(COLLECTION, hash('sha256', token), { name, scope, createdAt: this.#options.now() })
    this.#look(this.#options.now())
    return token
  }

  list(): readonly Token[] {
    this.#look(this.#options.now())
    return [...this.#own.values(), ...this.#made.values()]
  }

  /** True if the token existed. The two of the first start are revoked by deleting their files. */
  revoke(name: string): boolean {
    this.#look(this.#options.now())
    const found = [...this.#made].find(([, token]) => token.name === name)
    if (found === undefined) return false
    this.#options.store.deleteDoc(COLLECTION, found[0])
    this.#look(this.#options.now())
    return true
  }

  /**
   * Whether requests may be made with another token than this one: at this gateway, or at another one of the store that
   * was used within the last week.
   */
  hasOthers({ id }: Token): boolean {
    const now = this.#options.now()
    if (now - this.#lookedAt > LOOK_AGAIN_MS || now < this.#lookedAt) this.#look(now)
    const here = [...this.#own.values(), ...this.#made.values()]
    if (here.some((token) => token.scope === 'inference' && token.id !== id)) return true
    return this.#elsewhere.some((other) => other !== id)
  }

  /** Tells the other gateways of the store that requests are made with this gateway's own token. */
  #noteUse({ id, scope }: Token): void {
    const { store, now } = this.#options
    if (scope !== 'inference' || Math.abs(now() - this.#notedAt) < NOTE_AGAIN_MS) return
    this.#notedAt = now()
    store.setDoc(IN_USE, id, { at: this.#notedAt })
  }

  #look(now: number): void {
    this.#lookedAt = now
    this.#made = new Map(
      this.#options.store.listDocs(COLLECTION).flatMap(([digest, value]) => readToken(digest, value)),
    )
    this.#elsewhere = this.#options.store
      .listDocs(IN_USE)
      .flatMap(([id, value]) => (now - (asNumber(asRecord(value)?.['at']) ?? 0) < IN_USE_MS ? [id] : []))
  }

  #keepOwn({ token, scope, origin }: FoundToken): void {
    const digest = hash('sha256', token)
    const other = this.#origins.get(digest)
    if (other !== undefined)
      throw new ConfigError(
        `${origin} is the same as ${other}: whoever may call models would be the administrator; give each a value of its own (${EXAMPLE})`,
      )
    this.#origins.set(digest, origin)
    this.#own.set(digest, { id: idOf(digest), name: scope, scope, createdAt: null })
  }
}

/** A secret that must not be a token as well, and what it is. */
export interface SharedSecret {
  readonly secret: string
  /** As the end of "is the same as …". */
  readonly what: string
}

interface FoundToken {
  readonly scope: TokenScope
  readonly token: string
  /** The variable or the file it comes from. */
  readonly origin: string
  /** Made now. */
  readonly isFresh: boolean
  /** Where it is kept; null for nowhere. */
  readonly file: string | null
}

const sameText = (origin: string, what: string) =>
  `${origin} is the same as ${what}; give the token a value of its own (${EXAMPLE})`

const EXAMPLE = 'for example: openssl rand -hex 24'

const placeOf = (folder: string | null, name: string) => (folder === null ? null : join(folder, name))

/** From the variable, else from the file, else a new one. */
function findToken(scope: TokenScope, given: string | null, variable: string, file: string | null): FoundToken {
  if (given !== null) {
    const fault = tokenFault(given)
    if (fault !== null) throw new ConfigError(`${variable} ${fault}; set it to a random value (${EXAMPLE})`)
    return { scope, token: given, origin: variable, isFresh: false, file: null }
  }
  const known = file === null ? null : readTokenFile(file)
  const token = known ?? freshToken(scope)
  return { scope, token, origin: file ?? `the new ${scope} token`, isFresh: known === null, file }
}

function freshOf({ scope, token, file }: FoundToken): FreshToken {
  return { scope, token, file: file !== null && writeTokenFile(file, token) ? file : null }
}

/** From the stored hash by hashing again, so that an id in a log or a list does not help to find the token. */
const idOf = (digest: string) => hash('sha256', `token\n${digest}`, 'base64url').slice(0, 16)

/** `kwi_`, `kwa_` or `kwr_` and 43 characters: 256 random bits. */
function freshToken(scope: TokenScope): string {
  return `kw${scope[0]}_${randomBytes(32).toString('base64url')}`
}

/** Null where there is none yet. Throws ConfigError for one that holds no token: it is somebody's, and not ours to replace. */
function readTokenFile(file: string): string | null {
  let token: string
  try {
    token = readFileSync(file, 'utf8').trim()
  } catch {
    return null
  }
  if (token === '') return null
  const fault = tokenFault(token)
  if (fault === null) return token
  throw new ConfigError(`${file}: what it holds is no token: it ${fault}; remove the file, and a new token is made`)
}

/** False where it cannot be kept. Throws ConfigError where something is in its place that is no file. */
function writeTokenFile(file: string, token: string): boolean {
  try {
    mkdirSync(join(file, '..'), { recursive: true, mode: 0o700 })
    replaceFileNow(file, `${token}\n`)
    return true
  } catch (error) {
    if (error instanceof FilePlaceError) throw new ConfigError(error.message, { file, cause: error })
    return false // it is still shown, and is valid until this process ends
  }
}

function readToken(digest: string, value: unknown): (readonly [string, Token])[] {
  const record = asRecord(value)
  const name = asString(record?.['name'])
  const scope = SCOPES.find((one) => one === record?.['scope'])
  return name === undefined || scope === undefined
    ? []
    : [[digest, { id: idOf(digest), name, scope, createdAt: asNumber(record?.['createdAt']) ?? null }]]
}
