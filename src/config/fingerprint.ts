/**
 * The id under which a key's learned state is stored: it distinguishes keys without revealing them. Salted per user, so
 * that guesses at a key cannot be tested against a leaked store.
 */

import { createHmac, randomBytes } from 'node:crypto'

/** 16 hex digits of HMAC-SHA-256: 64 bits, plenty to distinguish one person's keys. */
export function fingerprint(secret: string, salt: string): string {
  return createHmac('sha256', salt).update(secret).digest('hex').slice(0, 16)
}

/** A new salt; the store keeps the one its state was created with. */
export function freshSalt(): string {
  return randomBytes(32).toString('hex')
}
