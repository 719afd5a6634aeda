/**
 * The file of a vault: what stands in it and how it is read. Everything in it is authenticated by `mac`, the names and
 * parameters too; only keys are encrypted.
 */

import { z } from 'zod'
import { VaultError } from '../../domain/errors.ts'
import { asRecord } from '../../domain/json.ts'
import { hasArgon2, type Stretching, whyRefused } from './passphraseKey.ts'
import type { Sealed } from './seal.ts'

/** An export is a vault that travels: the one cannot take the place of the other. */
const FORMATS = ['keywise-vault', 'keywise-vault-export'] as const
export type VaultFormat = (typeof FORMATS)[number]

/** The data key, wrapped in one of the ways in which the vault opens. */
export type Way = Sealed & { readonly createdAt: string } & (
    | { readonly kind: 'passphrase'; readonly stretching: Stretching }
    /** `file`: by a key from the environment or a file; `keyring`: by one that the system's keyring keeps. */
    | { readonly kind: 'file' | 'keyring' }
  )

/** One key with what it is for. */
export interface SealedEntry extends Sealed {
  /** By which `vault:NAME` refers to it. */
  readonly name: string
  /** The provider's id, or `alerts:telegram` or `alerts:webhook`: nothing else gets it. */
  readonly provider: string
  /** The origin it may be sent to; null: the provider's own address. */
  readonly address: string | null
  /** ISO 8601: since when the vault has this key. */
  readonly createdAt: string
  readonly note: string | null
}

export interface VaultContent {
  readonly format: VaultFormat
  /** 16 random bytes in base64: salt of all keys derived inside. */
  readonly id: string
  readonly createdAt: string
  readonly ways: readonly Way[]
  readonly entries: readonly SealedEntry[]
}

export interface VaultFile extends VaultContent {
  /** HMAC-SHA-256 over the canonical text of everything else, in base64. */
  readonly mac: string
}

const VERSION = 1
export const MOST_VAULT_BYTES = 4 * 1024 * 1024
const MOST_ENTRIES = 10_000
/** Characters: no server takes a header of more than 16 KiB. */
export const MOST_KEY_LENGTH = 16_384

/** Letters, digits, `.`, `_` and `-`: at most 64. */
export const ENTRY_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/

// A second spelling of the same bytes would be a change that nobody notices.
const base64 = z.string().refine((text) => Buffer.from(text, 'base64').toString('base64') === text, 'not base64')
const bytes = (count: number) =>
  base64.refine((text) => Buffer.from(text, 'base64').length === count, 'of other length')
const time = z.string().regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
const line = z
  .string()
  .max(200)
  .regex(/^\P{C}*$/u)
const count = z.int().positive()
const sealed = { nonce: bytes(12), data: base64 }
const stretching = z.discriminatedUnion('name', [
  z.strictObject({ name: z.literal('scrypt'), cost: count, blockSize: count, parallelism: count, salt: bytes(16) }),
  z.strictObject({ name: z.literal('argon2id'), memoryKib: count, passes: count, parallelism: count, salt: bytes(16) }),
])
const way = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('passphrase'), createdAt: time, stretching, ...sealed }),
  z.strictObject({ kind: z.enum(['file', 'keyring']), createdAt: time, ...sealed }),
])
const entry = z.strictObject({
  name: z.string().regex(ENTRY_NAME),
  provider: line.min(1),
  address: line.min(1).nullable(),
  createdAt: time,
  note: line.nullable(),
  ...sealed,
})
const vault = z.strictObject({
  format: z.enum(FORMATS),
  version: z.literal(VERSION),
  id: bytes(16),
  createdAt: time,
  ways: z.array(way).min(1).max(3),
  entries: z.array(entry).max(MOST_ENTRIES),
  mac: bytes(32),
})

/** `label`: the file's name in messages; `format`: what it has to be. Throws VaultError. */
export function parseVault(bytes: Uint8Array, label: string, format: VaultFormat): VaultFile {
  const value = parsed(bytes, label)
  const found = FORMATS.find((one) => one === asRecord(value)?.['format'])
  if (found === undefined) throw damaged(label, 'is no vault of keywise')
  refuseNewer(asRecord(value)?.['version'], label)
  const checked = tried(value)
  if (checked === null) throw damaged(label, 'is damaged: an object stands in the place of a text')
  if (!checked.success) throw damaged(label, `is damaged at "${checked.error.issues[0]?.path.join('.') ?? ''}"`)
  if (found !== format) throw otherFormat(label, found)
  const file = checked.data
  if (!isUnique(file.entries.map(({ name }) => name)) || !isUnique(file.ways.map(({ kind }) => kind)))
    throw damaged(label, 'is damaged: something stands in it twice')
  for (const one of file.ways) if (one.kind === 'passphrase') refuseStretching(one.stretching, label)
  return file
}

/** zod compares the `length` of whatever has one, and throws where that cannot be a number. */
function tried(value: unknown) {
  try {
    return vault.safeParse(value)
  } catch {
    return null
  }
}

/** The text of the file: one line without spaces or a line break, so that no byte of it is without meaning. */
export function vaultText({ mac, ...content }: VaultFile): string {
  return `${canonicalText(content).slice(0, -1)},"mac":${JSON.stringify(mac)}}`
}

/** What `mac` authenticates: every field in a fixed order. */
export function canonicalText({ format, id, createdAt, ways, entries }: VaultContent): string {
  return JSON.stringify({
    format,
    version: VERSION,
    id,
    createdAt,
    ways: ways.map((one) => ({
      kind: one.kind,
      createdAt: one.createdAt,
      ...(one.kind === 'passphrase' && { stretching: ordered(one.stretching) }),
      nonce: one.nonce,
      data: one.data,
    })),
    entries: entries.map(({ name, provider, address, createdAt: since, note, nonce, data }) => ({
      name,
      provider,
      address,
      createdAt: since,
      note,
      nonce,
      data,
    })),
  })
}

function ordered(one: Stretching): Stretching {
  if (one.name === 'scrypt') {
    const { name, cost, blockSize, parallelism, salt } = one
    return { name, cost, blockSize, parallelism, salt }
  }
  const { name, memoryKib, passes, parallelism, salt } = one
  return { name, memoryKib, passes, parallelism, salt }
}

/** The one sentence about a file that cannot be trusted, with what to do. */
export function damaged(label: string, what: string): VaultError {
  return new VaultError(`${label}: ${what}; nothing was read from it. Restore it from a backup or an export`, {
    reason: 'damaged',
  })
}

function parsed(content: Uint8Array, label: string): unknown {
  if (content.length > MOST_VAULT_BYTES) throw damaged(label, 'is larger than 4 MiB')
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(content))
  } catch (error) {
    const [, row, column] = /line (\d+) column (\d+)/.exec(error instanceof Error ? error.message : '') ?? []
    throw damaged(row === undefined ? label : `${label}:${row}:${column}`, 'is damaged: it is not whole JSON')
  }
}

function refuseNewer(version: unknown, label: string): void {
  if (typeof version === 'number' && version > VERSION)
    throw new VaultError(
      `${label}: was written by a newer keywise (format ${version}, this one knows ${VERSION}) and is left untouched; update keywise`,
      { reason: 'newer' },
    )
}

function otherFormat(label: string, found: VaultFormat): VaultError {
  const advice =
    found === 'keywise-vault'
      ? 'is a vault and not an export; make one with: keywise vault export FILE'
      : 'is an export and not the vault itself; read it with: keywise vault import FILE'
  return new VaultError(`${label}: ${advice}`, { reason: 'damaged' })
}

function refuseStretching(one: Stretching, label: string): void {
  const why = whyRefused(one)
  if (why !== null) throw damaged(label, `asks for ${one.name} with parameters that are refused (${why})`)
  if (one.name === 'argon2id' && !hasArgon2())
    throw new VaultError(
      `${label}: its passphrase needs argon2id, which node has from 24.7 on (this is ${process.versions.node}); use that node, or open it with a key file`,
      { reason: 'refused' },
    )
}

const isUnique = (names: readonly string[]) => new Set(names).size === names.length
