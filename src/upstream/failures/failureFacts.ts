/** The particulars of a failure beyond its kind: which limit, how much was asked, which ability is missing. */

import type { FailureKind, LimitFact, RequestSubject } from '../../domain/failure.ts'
import { contextNumbers } from './contextNumbers.ts'
import type { ErrorEnvelope } from './envelope.ts'
import { refusedFields } from './refusedFields.ts'
import type { FailedResponse } from './rules.ts'
import type { StatedQuota } from './statedQuota.ts'

interface FailureEvidence {
  readonly sight: FailedResponse
  readonly envelope: ErrorEnvelope
  /** The limit the headers show as used up, where the body names none. */
  readonly full: LimitFact | undefined
  /** The scope of that limit is a guess, because what the provider counts by is not published. */
  readonly isScopeGuessed: boolean
}

type Particulars = Readonly<Record<string, unknown>>

const READERS: { readonly [K in FailureKind]?: (evidence: FailureEvidence) => Particulars } = {
  quota_day: (evidence) => ({ ...limitMet(evidence), window: dayOrMonth(evidence) }),
  rate_minute: limitMet,
  too_large_for_limit: ({ sight: { quota, text } }) => affordable(text) ?? sizeMet(quota),
  context_too_long: ({ sight, envelope }) => ({ ...contextNumbers(sight.text, envelope.bodies) }),
  unsupported: refused,
  bad_request: asRequested,
  model_not_found: ({ envelope }) => ({ successor: successorIn(envelope.message) }),
}

function asRequested(evidence: FailureEvidence): Particulars {
  const { part, html, status } = evidence.sight
  const { isPlainText } = evidence.envelope
  const about = AS_REQUESTED.has(part?.about) ? part?.about : undefined
  // An API says in its own envelope which model's limit it was; a proxy knows no models.
  return {
    about,
    byEdge: (about === 'size' && status === 413 && (html || isPlainText)) || undefined,
    ...fieldsIn(evidence),
  }
}

function fieldsIn({ sight, envelope }: FailureEvidence): Particulars {
  const { message, bodies } = envelope
  const fields = refusedFields({ ...sight, message, words: sight.message, bodies })
  return { fields: fields.length === 0 ? undefined : fields }
}

/** What a request can be refused for at a target that lacks nothing. */
const AS_REQUESTED: ReadonlySet<RequestSubject | undefined> = new Set(['value', 'object', 'size', 'media'])

/** Only what is known: nothing is undefined. */
export function factsOf(kind: FailureKind, evidence: FailureEvidence): Particulars {
  const facts = READERS[kind]?.(evidence) ?? {}
  return Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined))
}

function limitMet({ sight: { quota }, full, isScopeGuessed }: FailureEvidence): Particulars {
  return {
    unit: quota.window === undefined ? (full?.unit ?? quota.unit) : quota.unit,
    window: quota.window ?? full?.window,
    limit: quota.limit ?? full?.limit ?? undefined,
    scope: quota.scope ?? (isScopeGuessed ? undefined : full?.scope),
  }
}

function dayOrMonth({ sight: { quota, text }, full }: FailureEvidence): 'day' | 'month' {
  if (quota.window === 'month' || quota.window === 'day') return quota.window
  return full?.window === 'month' || /\bmonth/.test(text) ? 'month' : 'day'
}

function sizeMet({ unit, window, limit, requested }: StatedQuota): Particulars {
  return { unit, window, limit, requested }
}

const AFFORDABLE = [
  /requested up to (?<requested>[\d,]{1,15}) tokens, but can only afford (?<affordable>[\d,]{1,15})/,
  /(?<requested>[\d,]{1,15}) token capacity required, (?<affordable>[\d,]{1,15}) available/,
  /can only afford (?<affordable>[\d,]{1,15})/,
]

/** What credit can pay for is no limit to remember; undefined when the text does not speak of it. */
function affordable(text: string): Particulars | undefined {
  const said = AFFORDABLE.find((form) => form.test(text))
  const { affordable, requested } = said?.exec(text)?.groups ?? {}
  if (affordable === undefined) return text.includes('prompt tokens limit exceeded') ? {} : undefined
  return { affordableTokens: countOf(affordable), requested: requested === undefined ? undefined : countOf(requested) }
}

const countOf = (digits: string) => Number(digits.replaceAll(',', ''))

function refused(evidence: FailureEvidence): Particulars {
  const { part } = evidence.sight
  return {
    ...fieldsIn(evidence),
    about: part?.about,
    parameter: part?.parameter?.slice(0, 64),
    ability: part?.ability,
    mostOutputTokens: part?.mostOutputTokens,
  }
}

const SUCCESSOR =
  /\b(?:use|switch to|migrate to|replaced by|succeeded by|in favou?r of|replacement(?: is|:)) (?:the )?(?:model )?["'`]?(?!https?:)([a-z0-9][\w./:@-]{2,100})/gi

/** The model named in the old one's place; a word that cannot be a model's id (no digit, no dash) is none. */
function successorIn(message: string): string | undefined {
  for (const match of message.matchAll(SUCCESSOR)) {
    const name = match[1]?.replace(/[.:]+$/, '') ?? ''
    if (/[\d/-]/.test(name)) return name
  }
  return undefined
}
