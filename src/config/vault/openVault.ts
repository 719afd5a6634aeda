/** An opened vault: its keys, and the changes that can be made to it. */

import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { VaultError } from '../../domain/errors.ts'
import { Secret } from '../../domain/redact.ts'
import { passphraseKey, type Stretching } from './passphraseKey.ts'
import { KEY_BYTES, keyFor, type Purpose, seal, unseal } from './seal.ts'
import {
  canonicalText,
  damaged,
  type SealedEntry,
  type VaultContent,
  type VaultFile,
  type VaultFormat,
  vaultText,
  type Way,
} from './vaultFile.ts'

/** A key of the vault, with what it is for. */
export interface VaultEntry extends Pick<SealedEntry, 'name' | 'provider' | 'address' | 'createdAt' | 'note'> {
  readonly secret: Secret
}

/** What is given to open a vault with. */
export interface VaultMeans {
  readonly passphrase: Secret | null
  /** Keys of 32 bytes in base64. */
  readonly keys: readonly Secret[]
}

/** A way in which a vault is to open. */
export type NewWay =
  | { readonly kind: 'passphrase'; readonly passphrase: Secret; readonly stretching: Stretching }
  /** 32 bytes in base64. */
  | { readonly kind: 'file' | 'keyring'; readonly key: Secret }

interface VaultStart {
  readonly format?: VaultFormat
  readonly ways: readonly NewWay[]
  /** Epoch milliseconds. */
  readonly now: number
}

/** 32 random bytes in base64, for a key file or a keyring. */
export function freshKey(): Secret {
  return new Secret(randomBytes(KEY_BYTES).toString('base64'))
}

export class OpenVault {
  #key: Buffer
  #content: VaultContent
  readonly #secrets: Map<string, Secret>

  private constructor(content: VaultContent, key: Buffer, secrets: Map<string, Secret>) {
    this.#content = content
    this.#key = key
    this.#secrets = secrets
  }

  /** A new one without keys. */
  static create({ format = 'keywise-vault', ways, now }: VaultStart): OpenVault {
    const id = randomBytes(16).toString('base64')
    const content = { format, id, createdAt: isoOf(now), ways: [], entries: [] }
    const vault = new OpenVault(content, randomBytes(KEY_BYTES), new Map())
    for (const way of ways) vault.setWay(way, now)
    return vault
  }

  /** Opens every key of the vault, or throws VaultError and gives none. `label`: the file's name in messages. */
  static open(file: VaultFile, means: VaultMeans, label: string): OpenVault {
    const key = unwrapped(file, means)
    if (key === null) throw whyClosed(file, means, label)
    if (!isAuthentic(file, key)) throw damaged(label, 'was changed by something else than keywise')
    const secrets = new Map<string, Secret>()
    const sealing = keyFor('seal entry', key, file.id)
    for (const entry of file.entries) {
      const plain = unseal(entry, sealing, identityOf(file, entry))
      if (plain === null) throw damaged(label, `is damaged at the key "${entry.name}"`)
      secrets.set(entry.name, new Secret(plain.toString()))
      plain.fill(0)
    }
    sealing.fill(0)
    const { mac: _mac, ...content } = file
    return new OpenVault(content, key, secrets)
  }

  get ways(): readonly Way[] {
    return this.#content.ways
  }

  get entries(): readonly VaultEntry[] {
    return this.#content.entries.map(({ nonce: _nonce, data: _data, ...entry }) => ({
      ...entry,
      secret: this.#secrets.get(entry.name) ?? new Secret(''),
    }))
  }

  find(name: string): VaultEntry | undefined {
    return this.entries.find((entry) => entry.name === name)
  }

  /** Adds a key, or replaces that of the same name in its place. */
  put(entry: VaultEntry): void {
    const { entries } = this.#content
    const sealed = this.#sealed(entry)
    this.#secrets.set(entry.name, entry.secret)
    const isThere = entries.some(({ name }) => name === entry.name)
    const changed = isThere ? entries.map((one) => (one.name === entry.name ? sealed : one)) : [...entries, sealed]
    this.#content = { ...this.#content, entries: changed }
  }

  remove(name: string): void {
    this.#secrets.delete(name)
    this.#content = { ...this.#content, entries: this.#content.entries.filter((entry) => entry.name !== name) }
  }

  /** Adds a way in, or replaces that of the same kind. */
  setWay(way: NewWay, now: number): void {
    const others = this.#content.ways.filter(({ kind }) => kind !== way.kind)
    this.#content = { ...this.#content, ways: [...others, this.#wrapped(way, now)] }
  }

  dropWay(kind: Way['kind']): void {
    this.#content = { ...this.#content, ways: this.#content.ways.filter((way) => way.kind !== kind) }
  }

  /** Seals everything again with a new data key; it opens in these ways and in no other. */
  rekey(ways: readonly NewWay[], now: number): void {
    const entries = this.entries
    this.#key.fill(0)
    this.#key = randomBytes(KEY_BYTES)
    this.#content = { ...this.#content, ways: [], entries: [] }
    for (const way of ways) this.setWay(way, now)
    for (const entry of entries) this.put(entry)
  }

  /** What to write into the file. */
  text(): string {
    const mac = macOf(this.#content, this.#key)
    return vaultText({ ...this.#content, mac: mac.toString('base64') })
  }

  /** Forgets the data key; what was opened stays readable. To be called when no more changes will be made. */
  close(): void {
    this.#key.fill(0)
  }

  #sealed({ secret, ...entry }: VaultEntry): SealedEntry {
    const sealing = keyFor('seal entry', this.#key, this.#content.id)
    const plain = Buffer.from(secret.reveal())
    const { name, provider, address, createdAt, note } = entry
    const sealed = seal(plain, sealing, identityOf(this.#content, entry))
    plain.fill(0)
    sealing.fill(0)
    return { name, provider, address, createdAt, note, ...sealed }
  }

  #wrapped(way: NewWay, now: number): Way {
    const createdAt = isoOf(now)
    const facts =
      way.kind === 'passphrase'
        ? { kind: way.kind, createdAt, stretching: way.stretching }
        : { kind: way.kind, createdAt }
    const wrapping = wrappingKey(this.#content, way)
    const sealed = seal(this.#key, wrapping, wayIdentity(this.#content, facts))
    wrapping.fill(0)
    return { ...facts, ...sealed }
  }
}

/** Whether the vault opens in this way. */
export function opensIn(file: VaultFile, given: NewWay): boolean {
  const way = file.ways.find(({ kind }) => kind === given.kind)
  const key = way === undefined ? null : unwrappedBy(file, way, given)
  key?.fill(0)
  return key !== null
}

/** The data key, by the first of the means that opens one of the ways. */
function unwrapped(file: VaultFile, { keys, passphrase }: VaultMeans): Buffer | null {
  for (const way of file.ways) {
    const given: readonly NewWay[] = way.kind !== 'passphrase' ? keys.map((key) => ({ kind: way.kind, key })) : []
    for (const one of given) {
      const key = unwrappedBy(file, way, one)
      if (key !== null) return key
    }
  }
  // Last, because it takes long.
  const way = file.ways.find(({ kind }) => kind === 'passphrase')
  if (way?.kind !== 'passphrase' || passphrase === null) return null
  return unwrappedBy(file, way, { kind: 'passphrase', passphrase, stretching: way.stretching })
}

function unwrappedBy(file: VaultFile, way: Way, given: NewWay): Buffer | null {
  const wrapping = wrappingKey(file, given)
  const key = unseal(way, wrapping, wayIdentity(file, way))
  wrapping.fill(0)
  return key?.length === KEY_BYTES ? key : null
}

function wrappingKey({ id }: Pick<VaultContent, 'id'>, way: NewWay): Buffer {
  if (way.kind === 'passphrase')
    return keyFor('wrap data key with passphrase', passphraseKey(way.passphrase.reveal(), way.stretching), id)
  const secret = Buffer.from(way.key.reveal(), 'base64')
  const key = keyFor('wrap data key with key', secret, id)
  secret.fill(0)
  return key
}

/** The same words whatever is wrong with what was given, so that they help nobody to guess. */
function whyClosed({ ways }: VaultFile, { keys, passphrase }: VaultMeans, label: string): VaultError {
  const open = ways.map(({ kind }) => WAYS[kind]).join(' or by ')
  const hasMeans = keys.length > 0 || passphrase !== null
  return hasMeans
    ? new VaultError(
        `${label}: what was given does not open it; it opens by ${open}. Correct that, or restore the file`,
        {
          reason: 'refused',
        },
      )
    : new VaultError(`${label}: is locked; it opens by ${open}`, { reason: 'locked' })
}

const WAYS: { readonly [K in Way['kind']]: string } = {
  passphrase: 'its passphrase (set KEYWISE_VAULT_PASSPHRASE, or run keywise on a terminal, which asks)',
  file: 'its key (set KEYWISE_VAULT_KEY_FILE, or KEYWISE_VAULT_KEY)',
  keyring: "the system's keyring (asked by the command line)",
}

/** What a key is sealed for: it opens for no other name, provider, address or vault. */
function identityOf(
  { format, id }: Pick<VaultContent, 'format' | 'id'>,
  { name, provider, address }: Pick<SealedEntry, 'name' | 'provider' | 'address'>,
): string {
  return JSON.stringify([format, 1, id, 'entry', name, provider, address])
}

function wayIdentity(
  { format, id }: Pick<VaultContent, 'format' | 'id'>,
  way: { readonly kind: Way['kind']; readonly createdAt: string; readonly stretching?: Stretching },
): string {
  return JSON.stringify([format, 1, id, 'way', way.kind, way.createdAt, way.stretching ?? null])
}

function macOf(content: VaultContent, key: Buffer): Buffer {
  const authenticating = keyFor(AUTHENTICATE, key, content.id)
  const mac = createHmac('sha256', authenticating).update(canonicalText(content)).digest()
  authenticating.fill(0)
  return mac
}

const AUTHENTICATE: Purpose = 'authenticate file'

function isAuthentic({ mac, ...content }: VaultFile, key: Buffer): boolean {
  return timingSafeEqual(macOf(content, key), Buffer.from(mac, 'base64'))
}

const isoOf = (now: number) => new Date(now).toISOString()
