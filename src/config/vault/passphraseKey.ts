/**
 * The key behind a passphrase: argon2id where node has it (24.7 and newer), scrypt elsewhere. What was derived is
 * remembered for the process, because it is meant to take a quarter to half a second.
 */

import crypto from 'node:crypto'
import { KEY_BYTES } from './seal.ts'

/** How a passphrase becomes a key; written into the vault. `salt`: 16 bytes in base64. */
export type Stretching =
  | {
      readonly name: 'scrypt'
      /** N, a power of two: memory is 128 bytes x cost x blockSize. */
      readonly cost: number
      readonly blockSize: number
      readonly parallelism: number
      readonly salt: string
    }
  | {
      readonly name: 'argon2id'
      readonly memoryKib: number
      readonly passes: number
      readonly parallelism: number
      readonly salt: string
    }

const SALT_BYTES = 16
/** Both take the time of a glance and 64 to 128 MiB of memory for each guess. */
const SCRYPT = { name: 'scrypt', cost: 2 ** 17, blockSize: 8, parallelism: 1 } as const
const ARGON2ID = { name: 'argon2id', memoryKib: 65_536, passes: 3, parallelism: 1 } as const

// The least are those of the OWASP Password Storage Cheat Sheet (2026-11-30); the most keep a foreign file from taking
// the memory or the time of the machine.
const LEAST_SCRYPT = { cost: 2 ** 15, blockSize: 8, work: 2 ** 15 * 8 * 3 }
const LEAST_ARGON2ID = { memoryKib: 19_456, passes: 2 }
const MOST_KIB = 1_048_576
const MOST_PASSES = 16
const MOST_PARALLELISM = 16

/** `node:crypto` has it from 24.7 on; a named import would not load before. */
export function hasArgon2(): boolean {
  return typeof crypto.argon2 === 'function'
}

/** With a new salt. `name`: default argon2id where this node has it. */
export function freshStretching(name: Stretching['name'] = hasArgon2() ? 'argon2id' : 'scrypt'): Stretching {
  const salt = crypto.randomBytes(SALT_BYTES).toString('base64')
  return name === 'argon2id' ? { ...ARGON2ID, salt } : { ...SCRYPT, salt }
}

/** Why these parameters are refused; null when they are neither too weak nor too expensive. */
export function whyRefused(stretching: Stretching): string | null {
  if (stretching.parallelism > MOST_PARALLELISM) return `more than ${MOST_PARALLELISM} lanes`
  if (stretching.name === 'argon2id') {
    const { memoryKib, passes } = stretching
    if (memoryKib < LEAST_ARGON2ID.memoryKib || passes < LEAST_ARGON2ID.passes) return 'weaker than keywise accepts'
    return memoryKib > MOST_KIB || passes > MOST_PASSES ? 'more expensive than keywise accepts' : null
  }
  const { cost, blockSize, parallelism } = stretching
  if (!Number.isInteger(Math.log2(cost))) return 'no power of two'
  const work = cost * blockSize * parallelism
  if (cost < LEAST_SCRYPT.cost || blockSize < LEAST_SCRYPT.blockSize || work < LEAST_SCRYPT.work)
    return 'weaker than keywise accepts'
  return (cost * blockSize) / 8 > MOST_KIB ? 'more expensive than keywise accepts' : null
}

/** Derived keys by their passphrase and parameters; the oldest goes first. */
const known = new Map<string, Buffer>()
const MOST_KNOWN = 4

/** Whether `passphraseKey` would answer at once. */
export function isKnownKey(passphrase: string, stretching: Stretching): boolean {
  return known.has(idOf(passphrase, stretching))
}

/** The key; stops the event loop for as long as it takes unless it is known already. A shared buffer: not to be zeroed. */
export function passphraseKey(passphrase: string, stretching: Stretching): Buffer {
  return known.get(idOf(passphrase, stretching)) ?? keep(passphrase, stretching, stretchSync(passphrase, stretching))
}

/** The same on another thread. */
export async function deriveKey(passphrase: string, stretching: Stretching): Promise<Buffer> {
  return known.get(idOf(passphrase, stretching)) ?? keep(passphrase, stretching, await stretch(passphrase, stretching))
}

function keep(passphrase: string, stretching: Stretching, key: Buffer): Buffer {
  const oldest = known.keys().next()
  if (known.size >= MOST_KNOWN && !oldest.done) {
    known.get(oldest.value)?.fill(0)
    known.delete(oldest.value)
  }
  known.set(idOf(passphrase, stretching), key)
  return key
}

function idOf(passphrase: string, stretching: Stretching): string {
  return crypto
    .createHash('sha256')
    .update(JSON.stringify([stretching, bytesOf(passphrase).toString('base64')]))
    .digest('base64')
}

/** Typed on another keyboard, an accent may be one character or two; both are the same passphrase. */
const bytesOf = (passphrase: string) => Buffer.from(passphrase.trim().normalize('NFKC'))

function stretchSync(passphrase: string, stretching: Stretching): Buffer {
  if (stretching.name === 'argon2id') return crypto.argon2Sync('argon2id', argon2Options(passphrase, stretching))
  const { salt, options } = scryptOptions(stretching)
  return crypto.scryptSync(bytesOf(passphrase), salt, KEY_BYTES, options)
}

function stretch(passphrase: string, stretching: Stretching): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const done = (error: Error | null, key: Buffer) => (error === null ? resolve(key) : reject(error))
    if (stretching.name === 'argon2id') crypto.argon2('argon2id', argon2Options(passphrase, stretching), done)
    else {
      const { salt, options } = scryptOptions(stretching)
      crypto.scrypt(bytesOf(passphrase), salt, KEY_BYTES, options, done)
    }
  })
}

function argon2Options(passphrase: string, stretching: Extract<Stretching, { name: 'argon2id' }>) {
  const { memoryKib, passes, parallelism, salt } = stretching
  return {
    message: bytesOf(passphrase),
    nonce: Buffer.from(salt, 'base64'),
    parallelism,
    tagLength: KEY_BYTES,
    memory: memoryKib,
    passes,
  }
}

function scryptOptions({ cost, blockSize, parallelism, salt }: Extract<Stretching, { name: 'scrypt' }>) {
  // Node refuses what needs more than 32 MiB unless told otherwise; a little above the formula.
  const maxmem = 128 * blockSize * (cost + parallelism) + 1_048_576
  return { salt: Buffer.from(salt, 'base64'), options: { N: cost, r: blockSize, p: parallelism, maxmem } }
}
