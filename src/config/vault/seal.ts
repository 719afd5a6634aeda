/**
 * AES-256-GCM with a key for each purpose: what is sealed for one purpose, or for one identity, does not open for
 * another.
 */

import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'

/** Base64 both; `data` ends with the tag. */
export interface Sealed {
  readonly nonce: string
  readonly data: string
}

/** What a key is for. The words are part of the format: they never change. */
export type Purpose = 'wrap data key with passphrase' | 'wrap data key with key' | 'seal entry' | 'authenticate file'

export const KEY_BYTES = 32
// 96 random bits: NIST SP 800-38D 8.2.2 allows 2^32 seals with one key, and a vault is written a few thousand times.
const NONCE_BYTES = 12
const TAG_BYTES = 16

/** HKDF-SHA-256 (RFC 5869), labelled with the purpose. To be zeroed after use. */
export function keyFor(purpose: Purpose, secret: Buffer, salt: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, Buffer.from(salt, 'base64'), `keywise vault 1: ${purpose}`, KEY_BYTES))
}

/** `identity` is authenticated and not kept: only who says the same again can unseal. */
export function seal(plain: Buffer, key: Buffer, identity: string): Sealed {
  const nonce = randomBytes(NONCE_BYTES)
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES })
  cipher.setAAD(Buffer.from(identity))
  const data = Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()])
  return { nonce: nonce.toString('base64'), data: data.toString('base64') }
}

/** What was sealed; null when key, identity or content differ. To be zeroed after use. */
export function unseal({ nonce, data }: Sealed, key: Buffer, identity: string): Buffer | null {
  const [iv, bytes] = [Buffer.from(nonce, 'base64'), Buffer.from(data, 'base64')]
  if (iv.length !== NONCE_BYTES || bytes.length < TAG_BYTES) return null
  const decipher = createDecipheriv('aes-256-gcm', key, iv, { authTagLength: TAG_BYTES })
  decipher.setAAD(Buffer.from(identity))
  decipher.setAuthTag(bytes.subarray(-TAG_BYTES))
  const plain = decipher.update(bytes.subarray(0, -TAG_BYTES))
  try {
    decipher.final()
    return plain
  } catch {
    plain.fill(0) // not authentic: nothing of it may be used
    return null
  }
}
