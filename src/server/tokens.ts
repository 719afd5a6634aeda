/** Tokens that authorize callers of the gateway: each has a scope, is stored as a hash, and is checked first. */

import { hash, randomBytes } from 'node:crypto'
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ConfigError, InvalidRequestError } from '../domain/errors.ts'
import { asNumber, asRecord, asString } from '../domain/json.ts'
import type { Store } from '../domain/store.ts'

/**
 * `inference` calls models, `read` reads the management routes, `admin` also changes things. No other scope includes
 * `inference`, not even `admin`.
 */
export const SCOPES = ['inference', 'read', 'admin'] as const
export type TokenScope = (typeof SCOPES)[number]

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
  /** Called with the gateway's own two tokens, so that no text repeats them. */
  readonly onOwn?: (token: string) => void
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
/** Shorter secrets can be guessed; docs/gateway.md states this minimum. */
const LEAST_LENGTH = 20
/** Tokens made by other processes are picked up after this long. */
const LOOK_AGAIN_MS = 1000

export class Tokens {
  readonly fresh: readonly FreshToken[]
  readonly #options: TokensOptions
  readonly #own = new Map<string, Token>()
  /** The token last presented on each connection. */
  readonly #said = new WeakMap<object, { readonly presented: string; readonly digest: string }>()
  #made = new Map<string, Token>()
  /** Ids of the tokens of gateways of this store, this one's own among them. */
  #elsewhere: readonly string[] = []
  #lookedAt = 0
  #notedAt = Number.NEGATIVE_INFINITY

  /** Throws ConfigError for a token that is too short. */
  constructor(options: TokensOptions) {
    this.#options = options
    this.fresh = [
      this.#establish('inference', options.inference, 'KEYWISE_TOKEN', 'token'),
      this.#establish('admin', options.admin, 'KEYWISE_ADMIN_TOKEN', 'admin-token'),
    ].flatMap((one) => one ?? [])
  }

  /**
   * The matching token; null when there is none. Compared by hash, so that timing reveals nothing about it.
   * `connection`: where it came from; a token repeated on the same connection is not hashed again.
   */
  find(presented: string, connection?: object): Token | null {
    if (presented.length < LEAST_LENGTH || presented.length > 512) return null
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

  #keepOwn(token: string, scope: TokenScope): void {
    this.#options.onOwn?.(token)
    const digest = hash('sha256', token)
    this.#own.set(digest, { id: idOf(digest), name: scope, scope, createdAt: null })
  }

  #establish(scope: TokenScope, given: string | null, variable: string, fileName: string): FreshToken | null {
    if (given !== null) {
      if (given.length < LEAST_LENGTH)
        throw new ConfigError(
          `${variable} has ${given.length} characters; give it at least ${LEAST_LENGTH} (for example: openssl rand -hex 24)`,
        )
      this.#keepOwn(given, scope)
      return null
    }
    const file = this.#options.folder === null ? null : join(this.#options.folder, fileName)
    const known = file === null ? null : readTokenFile(file)
    const token = known ?? freshToken(scope)
    this.#keepOwn(token, scope)
    if (known !== null) return null
    return { scope, token, file: file !== null && writeTokenFile(file, token) ? file : null }
  }
}

/** From the stored hash by hashing again, so that an id in a log or a list does not help to find the token. */
const idOf = (digest: string) => hash('sha256', `token\n${digest}`, 'base64url').slice(0, 16)

/** `kwi_`, `kwa_` or `kwr_` and 43 characters: 256 random bits. */
function freshToken(scope: TokenScope): string {
  return `kw${scope[0]}_${randomBytes(32).toString('base64url')}`
}

function readTokenFile(file: string): string | null {
  try {
    const token = readFileSync(file, 'utf8').trim()
    return token.length >= LEAST_LENGTH ? token : null
  } catch {
    return null
  }
}

function writeTokenFile(file: string, token: string): boolean {
  try {
    mkdirSync(join(file, '..'), { recursive: true, mode: 0o700 })
    writeFileSync(file, `${token}\n`, { mode: 0o600 })
    chmodSync(file, 0o600)
    return true
  } catch {
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
