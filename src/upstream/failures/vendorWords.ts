/**
 * The codes of a refusal, as clients of the upstream's own protocol read them. Only plain words: prose may repeat what
 * was asked, and the message is shown already.
 */

import type { VendorWords } from '../../domain/failure.ts'
import { asArray, asRecord } from '../../domain/json.ts'

type Fields = Readonly<Record<string, unknown>>
type Redact = (text: string) => string

const CODE = /^[A-Za-z][\w.-]{0,63}$/
/** `messages[0].content[1].image_url.detail` */
const PARAMETER = /^[\w.$[\]-]{1,128}$/
/** Also `type.googleapis.com/google.rpc.BadRequest`. */
const DETAIL = /^[\w.:/@$[\]-]{1,128}$/

const MOST_DETAILS = 16
const DEEPEST_DETAIL = 4

/** Undefined for a body that has none: a text, a page, or an error without codes. */
export function vendorWords(body: unknown, redact: Redact): VendorWords | undefined {
  const said = errorIn(body)
  if (said === undefined) return undefined
  const word = (value: unknown, form: RegExp) => plain(value, form, redact)
  const words = {
    code: word(said['code'], CODE),
    parameter: word(said['param'], PARAMETER),
    // Gemini has its word in `status`.
    type: word(said['type'] ?? said['status'], CODE),
    details: detailsIn(said['details'], redact),
  }
  return Object.values(words).every((value) => value === undefined) ? undefined : words
}

/** Mistral and vLLM have no envelope; Responses streams have two, and Gemini may have a list around its own. */
function errorIn(body: unknown): Fields | undefined {
  const whole = asRecord(body) ?? asRecord(asArray(body)?.[0])
  return asRecord(whole?.['error']) ?? asRecord(asRecord(whole?.['response'])?.['error']) ?? whole
}

function plain(value: unknown, form: RegExp, redact: Redact): string | undefined {
  return typeof value === 'string' && form.test(value) && redact(value) === value ? value : undefined
}

function detailsIn(value: unknown, redact: Redact): readonly Fields[] | undefined {
  const details = (asArray(value) ?? [])
    .slice(0, MOST_DETAILS)
    .map((detail) => asRecord(plainPart(asRecord(detail), redact, 0)))
    .filter((detail) => detail !== undefined)
  return details.length === 0 ? undefined : details
}

/** What is plain of it; undefined for nothing. */
function plainPart(value: unknown, redact: Redact, depth: number): unknown {
  if (typeof value === 'number' || typeof value === 'boolean') return value
  if (depth > DEEPEST_DETAIL) return undefined
  const list = asArray(value)
  if (list !== undefined) return list.slice(0, MOST_DETAILS).flatMap((part) => plainPart(part, redact, depth + 1) ?? [])
  const record = asRecord(value)
  if (record === undefined) return plain(value, DETAIL, redact)
  const fields = Object.entries(record)
    .slice(0, MOST_DETAILS)
    .map(([name, part]) => [name, plainPart(part, redact, depth + 1)] as const)
    .filter(([name, part]) => plain(name, DETAIL, redact) !== undefined && part !== undefined)
  return fields.length === 0 ? undefined : Object.fromEntries(fields)
}
