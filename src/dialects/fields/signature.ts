/**
 * A signature proves something only to the dialect that made it, and every other upstream answers it with 400. So
 * inside keywise, and on its way through clients of another dialect, it carries the name of its origin: `google:EqUC…`.
 */

import type { DialectId, Extra } from '../../domain/chat.ts'

// The signatures themselves are base64, which has no colon.
const TAG = /^(?:openai|openai-responses|anthropic|google):/

/** The signature with the name of its origin; one that came back from a client may carry another's name already. */
export function tagSignature(dialect: DialectId, signature: string): string {
  return TAG.test(signature) ? signature : `${dialect}:${signature}`
}

/** A part or a chunk that may be signed; without a name on the signature, `extra` says which dialect it is from. */
interface Signed {
  readonly signature?: string
  readonly extra?: Extra
}

/** The signature with its name as far as anybody said one. */
function namedSignature({ signature, extra }: Signed): string | undefined {
  return signature === undefined || extra === undefined ? signature : tagSignature(extra.dialect, signature)
}

/** The signature as this dialect's upstream wrote it; undefined when it is another's. */
export function ownSignature(dialect: DialectId, signed: Signed): string | undefined {
  const signature = namedSignature(signed)
  if (signature === undefined || !TAG.test(signature)) return signature
  return signature.startsWith(`${dialect}:`) ? signature.slice(dialect.length + 1) : undefined
}

/** What a client of this dialect is given: its own bare, a foreign one with its name, so that it can come back. */
export function signatureForClient(dialect: DialectId, signed: Signed): string | undefined {
  return ownSignature(dialect, signed) ?? namedSignature(signed)
}

/**
 * The same for wires whose signatures are bytes (Gemini): its clients decode base64, so a foreign signature is packed
 * into base64 with its name.
 */
export function packSignature(dialect: DialectId, signed: Signed): string | undefined {
  const own = ownSignature(dialect, signed)
  const named = namedSignature(signed)
  return own ?? (named && Buffer.from(named, 'utf8').toString('base64'))
}

/** The signature of `packSignature` with its name, from any dialect. */
export function unpackSignature(dialect: DialectId, packed: string): string {
  // 32 characters hold the longest name and its colon; most signatures are long, and are decoded only when foreign.
  if (TAG.test(Buffer.from(packed.slice(0, 32), 'base64').toString('latin1'))) {
    return Buffer.from(packed, 'base64').toString('utf8')
  }
  return tagSignature(dialect, packed)
}
