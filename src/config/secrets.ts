/** Resolves the value of a key: literal, `env:NAME`, `file:PATH` or `vault:NAME`. */

import { readFileSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { VaultError } from '../domain/errors.ts'
import { asArray, asRecord } from '../domain/json.ts'
import type { ConfigDocument } from './document.ts'
import { isHeaderSafe } from './headerSafe.ts'
import { complain } from './remarks.ts'
import type { Path } from './showPath.ts'
import { showName } from './showPath.ts'
import type { VaultEntry } from './vault/openVault.ts'
import { type VaultLookup, type VaultUse, vaultName, whyWithheld, withheld } from './vault/vaultLookup.ts'

export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly home: string
  readonly vault: VaultLookup
  /** Whether a text is what opens the vault; absent where no value is looked up elsewhere. */
  readonly opensVault?: (text: string) => boolean
}

/** A value with where it stands, and who is to have it. */
interface SecretValue {
  readonly value: string
  readonly path: Path
  readonly use: VaultUse
}

/** Maximum bytes of a file that holds one secret. */
const MOST_BYTES = 64 * 1024

/**
 * The secret behind a value, trimmed. Throws ConfigError if it is empty, missing, or cannot be sent in a header, and
 * VaultError if the vault does not give it.
 */
export function readSecret(given: SecretValue, document: ConfigDocument, around: Surroundings): string {
  const { path } = given
  const secret = withoutScheme(lookUp(given, document, around).trim())
  // Who may edit the configuration could have it sent to an address of theirs, and with it every key of the vault.
  if (/^\s*(?:env|file):/.test(given.value) && around.opensVault?.(secret))
    throw complain(document, path, 'names what opens the vault, which is never sent to anybody; name a key')
  if (secret === '') throw complain(document, path, 'is empty; remove it or paste a key')
  if (!isHeaderSafe(secret))
    throw complain(document, path, 'holds a space, a line break or a character no key has; paste the key again')
  return secret
}

/** People paste the whole header value. */
function withoutScheme(value: string): string {
  return value.replace(/^Bearer\s+/i, '')
}

function lookUp({ value, path, use }: SecretValue, document: ConfigDocument, around: Surroundings): string {
  const name = vaultName(value)
  if (name !== null) return fromVault(name, path, use, document, around)
  const [, kind, rest = ''] = /^(env|file):(.*)$/s.exec(value.trim()) ?? []
  if (kind === 'env') return fromEnvironment(rest.trim(), path, document, around)
  if (kind === 'file') return fromFile(rest.trim(), path, document, around)
  return value
}

function fromVault(name: string, path: Path, use: VaultUse, document: ConfigDocument, { vault }: Surroundings): string {
  const entry = found(vault, name, path, document)
  const why = whyWithheld(entry, showName(name), use)
  if (entry !== undefined && why === null) return entry.secret.reveal()
  throw withheld(complain(document, path, why ?? '').message)
}

/** What is wrong with the vault itself is said with the place that asked for it. */
function found(vault: VaultLookup, name: string, path: Path, document: ConfigDocument): VaultEntry | undefined {
  try {
    return vault.find(name)
  } catch (error) {
    if (!(error instanceof VaultError)) throw error
    const { message } = complain(document, path, `asks the vault for "${showName(name)}"; ${error.message}`)
    throw new VaultError(message, { reason: error.reason })
  }
}

function fromEnvironment(name: string, path: Path, document: ConfigDocument, around: Surroundings): string {
  const value = Object.hasOwn(around.env, name) ? around.env[name] : undefined
  if (value?.trim()) return value
  throw complain(
    document,
    path,
    `asks for the environment variable ${showName(name)}, which is not set; set it or remove the entry`,
  )
}

function fromFile(name: string, path: Path, document: ConfigDocument, around: Surroundings): string {
  const file = name.startsWith('~/') ? join(around.home, name.slice(2)) : resolve(document.folder, name)
  const text = readSmallFile(file)
  if (text?.trim()) return text
  const why = text === undefined ? 'cannot be read as a small text file' : 'is empty'
  throw complain(document, path, `asks for the file ${showName(name)}, which ${why}; correct the path or the file`)
}

function readSmallFile(file: string): string | undefined {
  try {
    const about = statSync(file)
    return about.isFile() && about.size <= MOST_BYTES ? readFileSync(file, 'utf8') : undefined
  } catch {
    return undefined // missing or not permitted: the caller reports it, with the location
  }
}

/** Shorter values are not keys, and masking them would only garble messages. */
const LEAST_LENGTH = 8

/** Every literal secret in a part of the configuration: the strings below a field whose name marks it as secret. */
export function secretsIn(value: unknown, below = false): string[] {
  if (typeof value === 'string') {
    const writtenOut = below && value.length >= LEAST_LENGTH && !/^\s*(?:env|file|vault):/.test(value)
    return writtenOut ? [value.trim()] : []
  }
  const list = asArray(value)
  if (list) return list.flatMap((item) => secretsIn(item, below))
  const fields = Object.entries(asRecord(value) ?? {})
  return fields.flatMap(([name, field]) => secretsIn(field, below || /key|token|secret|password|auth/i.test(name)))
}

/** The text with each of these secrets masked. */
export function scrubbed(text: string, secrets: readonly string[]): string {
  return secrets.reduce((clean, secret) => clean.replaceAll(secret, '…'), text)
}
