/**
 * The name under which what is learned of a key is kept: it tells keys apart without telling them. Keyed with a salt
 * of the user's own, so that nobody who reads a store can test guesses of keys against it.
 */

import { createHmac, randomBytes } from 'node:crypto'
import { linkSync, mkdirSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { StoreError } from '../domain/errors.ts'
import { asRecord } from '../domain/json.ts'

/** 16 hex digits of HMAC-SHA-256: 64 bits, plenty to keep a person's keys apart. */
export function fingerprint(secret: string, salt: string): string {
  return createHmac('sha256', salt).update(secret).digest('hex').slice(0, 16)
}

/** A salt for a state that ends with the process. */
export function freshSalt(): string {
  return randomBytes(32).toString('hex')
}

/**
 * The user's salt, kept in the file `salt` (mode 0600) of the state folder and made at the first call; of several
 * processes that start at once all get the same. Throws StoreError when the file is damaged or cannot be made.
 */
export function readSalt(folder: string): string {
  const file = join(folder, 'salt')
  const salt = read(file) ?? create(folder, file)
  if (/^[0-9a-f]{64}$/.test(salt)) return salt
  throw new StoreError(`${file} is damaged: it names the state of every key; restore it, or delete it to start anew`)
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').trim()
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw new StoreError(`${file} cannot be read (${codeOf(error)}); correct its permissions`, { cause: error })
  }
}

function create(folder: string, file: string): string {
  const salt = freshSalt()
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    putInPlace(file, salt)
    return salt
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return read(file) ?? ''
    throw new StoreError(`${file} cannot be made (${codeOf(error)}); correct the permissions of ${folder}`, {
      cause: error,
    })
  }
}

// Written beside and then linked into place: a link fails where the name is taken, and never shows half a file.
function putInPlace(file: string, salt: string): void {
  const draft = `${file}.${process.pid}.${salt.slice(0, 8)}`
  writeFileSync(draft, salt, { mode: 0o600, flag: 'wx' })
  try {
    linkSync(draft, file)
  } catch (error) {
    if (codeOf(error) === 'EEXIST') throw error
    writeFileSync(file, salt, { mode: 0o600, flag: 'wx' }) // a file system without links (exFAT)
  } finally {
    unlinkSync(draft)
  }
}

function codeOf(error: unknown): string {
  return String(asRecord(error)?.['code'] ?? 'unknown error')
}
