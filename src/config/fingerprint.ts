/**
 * The name under which what is learned of a key is kept: it tells keys apart without telling them. Keyed with a salt
 * of the user's own, so that nobody who reads a store can test guesses of keys against it.
 */

import { createHmac, randomBytes } from 'node:crypto'

/** 16 hex digits of HMAC-SHA-256: 64 bits, plenty to keep a person's keys apart. */
export function fingerprint(secret: string, salt: string): string {
  return createHmac('sha256', salt).update(secret).digest('hex').slice(0, 16)
}

/** A new salt; the store keeps the one that a state begins with. */
export function freshSalt(): string {
  return randomBytes(32).toString('hex')
}
