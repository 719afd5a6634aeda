/**
 * Keeps secrets out of everything people read: a wrapper that does not print its value, and a scrubber for other text.
 */

import { publicPrefix } from './keyParts.ts'
import type { SecretIndex } from './secretIndex.ts'

/** Stands for what was removed. */
export const MASK = '…'

/** A secret value. Printing, logging or serialising it shows only the mask; only `reveal()` returns the value. */
export class Secret {
  readonly #value: string

  constructor(value: string) {
    this.#value = value
  }

  /** The secret itself; call it only where it is written into an upstream's header. */
  reveal(): string {
    return this.#value
  }

  toString(): string {
    return maskKey(this.#value)
  }

  toJSON(): string {
    return maskKey(this.#value)
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return maskKey(this.#value)
  }
}

/** `gsk_…a1b2`: enough to recognise a key, too little to use it. Values under 16 characters are masked completely. */
export function maskKey(key: string): string {
  if (key.length < 16) return MASK
  const prefix = publicPrefix(key) || key.slice(0, 3)
  return `${prefix}${MASK}${key.slice(-4)}`
}

// Key formats of known providers (`sk-` of OpenAI, `gsk_` of Groq, `AIza` of Google, …), bearer values and ids that
// name an account. Linear patterns only: upstream texts are hostile input.
const SHAPES: readonly RegExp[] = [
  /\b(?:sk|gsk|csk|rk|pk)[-_][A-Za-z0-9_*-]{6,}/g,
  /\b(?:nvapi|xai|tgp|hf|ghp|github_pat|tvly|r8)[-_][A-Za-z0-9_-]{8,}/g,
  /\bAIza[0-9A-Za-z_-]{10,}/g,
  /\bAQ\.[0-9A-Za-z_-]{10,}/g,
  /\b(?:Bearer|Basic)\s+[A-Za-z0-9._~+/=-]{8,}/gi,
  /([?&](?:key|api_key|apikey|access_token|token)=)[^&\s"']+/gi,
  /\/bot\d+:[A-Za-z0-9_-]{8,}/g,
  /\b(?:org|req|proj|user|team)[-_][A-Za-z0-9]{8,}/g,
]

/** Maximum characters examined of an upstream's text; longer texts are cut first. */
const LOOK = 16_384

/** Removes every secret of the index, whole or in part, and everything shaped like one, from a text. */
export function redactor(secrets: SecretIndex): (text: string) => string {
  return (text) => redactShapes(secrets.hide(text.slice(0, LOOK), MASK))
}

/** Removes everything shaped like a key, a bearer value or an account id. */
export function redactShapes(text: string): string {
  let clean = text.slice(0, LOOK)
  for (const shape of SHAPES)
    clean = clean.replace(shape, (_all, prefix: unknown) => (typeof prefix === 'string' ? prefix : '') + MASK)
  return clean
}
