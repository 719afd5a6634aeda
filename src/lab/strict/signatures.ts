/** The signatures of simulated models: of the form of their service, and known to every service as whose they are. */

import type { DialectId } from '../../domain/chat.ts'

const BY = 'signed by '
/** https://github.com/fernet/spec/blob/master/Spec.md: what Responses encrypts begins with a version and a time. */
const FERNET = 'gAAAAABp'
/** The name that keywise itself gives a signature of another language, and no service can read. */
const NAMED = /^(?:openai|openai-responses|anthropic|google):/

/** What proves a thought of this language; undefined where thoughts are not signed. */
export function signatureOf(dialect: DialectId): string | undefined {
  if (dialect === 'openai') return undefined
  const signed = Buffer.from(`${BY}${dialect}, for this thought alone`)
  return dialect === 'openai-responses' ? FERNET + signed.toString('base64url') : signed.toString('base64')
}

/** Whether a signature is known to be another's; of one that nobody here made nothing is known. */
export function isForeignSignature(signature: string, dialect: DialectId): boolean {
  const read = Buffer.from(signature, 'base64').toString('latin1')
  const by = new RegExp(`${BY}([a-z-]+)`).exec(read)?.[1]
  return NAMED.test(signature) || NAMED.test(read) || (by !== undefined && by !== dialect)
}
