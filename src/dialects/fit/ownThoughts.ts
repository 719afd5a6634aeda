/**
 * Thoughts that come back to a service in its own dialect, after another service had answered in between. Clients keep
 * what they were given, signed by whoever thought it, and every service refuses what it cannot check: "Invalid
 * `signature` in `thinking` block", "Corrupted thought signature.", "The encrypted content could not be verified."
 */

import type { DialectId, Message, Part, ToolCallPart } from '../../domain/chat.ts'
import { ownSignature, packSignature } from '../fields/signature.ts'
import { keepsThoughts } from './content.ts'
import type { Recipient } from './recipient.ts'

interface Body {
  mentions(text: string): boolean
}

const DIALECTS: readonly DialectId[] = ['openai', 'openai-responses', 'anthropic', 'google']

/** How the signatures of others begin in a body. Chat has no signatures of its own, and services ignore those. */
const MARKS: { readonly [D in DialectId]: readonly string[] } = {
  openai: [],
  'openai-responses': [...named('openai-responses'), '"redacted:', '"rs_kw_'],
  // Without a signature are the thoughts of services that do not sign.
  anthropic: [...named('anthropic'), '"signature":""', '"signature": ""'],
  google: DIALECTS.filter((one) => one !== 'google').map(packed),
}

function named(own: DialectId): readonly string[] {
  return DIALECTS.filter((one) => one !== own).map((one) => `"${one}:`)
}

/** The characters of a packed name that do not depend on what follows it. */
function packed(dialect: DialectId): string {
  const name = packSignature('google', { signature: `${dialect}:` }) ?? ''
  return `"${name.slice(0, Math.floor((dialect.length + 1) / 3) * 4)}`
}

export function mayHoldForeignThoughts(body: Body, dialect: DialectId): boolean {
  return MARKS[dialect].some((mark) => body.mentions(mark))
}

/** Without the thoughts that the service would refuse; the messages themselves where there are none. */
export function withOwnThoughts(messages: readonly Message[], recipient: Recipient): readonly Message[] {
  const isTaken = (part: Part) => part.type !== 'reasoning' || keepsThoughts(part, recipient)
  if (messages.every(({ content }) => content.every((part) => isTaken(part) && !isForeignCall(part, recipient))))
    return messages
  return messages.map((message) => ({
    ...message,
    content: message.content.filter(isTaken).map((part) => unsigned(part, recipient)),
  }))
}

function isForeignCall(part: Part, { dialect }: Recipient): part is ToolCallPart {
  return part.type === 'tool-call' && part.signature !== undefined && ownSignature(dialect, part) === undefined
}

function unsigned(part: Part, recipient: Recipient): Part {
  return isForeignCall(part, recipient) ? { ...part, signature: undefined } : part
}

/**
 * The first call of each step must be signed, and a call made by another model cannot be; this word is documented for
 * exactly that: https://ai.google.dev/gemini-api/docs/thought-signatures (FAQ)
 */
export const UNSIGNED = 'skip_thought_signature_validator'

/** With that word where the turn that is under way has an unsigned step: earlier turns are not checked. */
export function withSignedCalls(messages: readonly Message[]): readonly Message[] {
  const begin = messages.findLastIndex(({ role }) => role === 'user')
  let isSame = true
  const signed = messages.map((message, index) => {
    const first = message.content.find((part) => part.type === 'tool-call')
    const isNext = messages[index - 1]?.role === 'assistant'
    if (index < begin || message.role !== 'assistant' || isNext || first === undefined || first.signature !== undefined)
      return message
    isSame = false
    const content = message.content.map((part) =>
      part === first ? { ...first, signature: `google:${UNSIGNED}` } : part,
    )
    return { ...message, content }
  })
  return isSame ? messages : signed
}
