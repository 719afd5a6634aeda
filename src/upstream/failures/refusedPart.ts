/**
 * Which part of a request a refusal is about: an object it refers to, a size, a value or nested field, an option or
 * ability as such. Only the last says something about the model; the rest is about this one request.
 */

import type { RequestSubject } from '../../domain/failure.ts'
import type { Ability } from '../../domain/target.ts'
import { missingObject, type Refusal } from './missingObject.ts'
import { abilityInWords, abilityOfPath } from './namedAbility.ts'
import { OF_THE_MODEL } from './phrases.ts'

export interface RefusedPart {
  readonly about: RequestSubject
  /** As the upstream spells it, with the path to it. */
  readonly parameter?: string | undefined
  readonly ability?: Ability | undefined
  /** The most output tokens the model writes; only beside a wish for more. */
  readonly mostOutputTokens?: number | undefined
}

/** Inside HTTP 200, or where the body states no status, only the words decide. */
const LOOKED_AT: ReadonlySet<number> = new Set([0, 400, 403, 404, 405, 409, 410, 413, 415, 416, 422, 501])

/** Null when the refusal is about no part in particular. */
export function refusedPart(refusal: Refusal): RefusedPart | null {
  // llama.cpp answers 500 to an image that its model cannot see.
  if (refusal.status === 500) return lackedAbility(refusal) ?? unknownMedia(refusal)
  if (!LOOKED_AT.has(refusal.status)) return null
  if (missingObject(refusal)) return { about: 'object' }
  if (refusal.status === 403) return null
  const large = tooMuchOutput(refusal) ?? (/\bat most 0 /.test(refusal.text) ? null : tooLarge(refusal))
  return (
    large ??
    unknownMedia(refusal) ??
    unreadFormat(refusal) ??
    named(refusal) ??
    lackedAbility(refusal) ??
    wrongValue(refusal)
  )
}

/** What messages are made of in the dialects, but for text. */
const MEDIA = '(?:input_)?(?:audio|video|image|file|document)(?:_url)?'
/**
 * A kind of content part that the service does not know, in the words of parsers (serde, pydantic), of OpenAI, vLLM and
 * llama.cpp.
 */
const UNKNOWN_MEDIA: readonly RegExp[] = [
  `unknown variant ["'\`](${MEDIA})["'\`], expected (?:one of )?["'\`](?:text|input_text)["'\`]`,
  `input tag ["'\`](${MEDIA})["'\`] found using ["'\`]type["'\`] does not match`,
  `invalid value: ["'\`](${MEDIA})["'\`]\\. supported values are: ["'\`](?:text|input_text)["'\`]`,
  `(?:unknown|unsupported|invalid) (?:content )?(?:part )?type:? ["'\`]?(${MEDIA})\\b`,
  'at most 0 (audio|video)\\(?s?\\)? may be provided',
  '(?:^|[.:] )(audio|video) input is not supported',
].map((pattern) => new RegExp(pattern))

/** Another model may know it; an image is an ability by name. */
function unknownMedia({ text }: Refusal): RefusedPart | null {
  const kind = UNKNOWN_MEDIA.map((pattern) => pattern.exec(text)?.[1]).find(Boolean)
  if (kind === undefined) return null
  return { about: 'ability', ...(kind.includes('image') && { ability: 'images' as const }) }
}

/**
 * A format of pictures, recordings or files that the service does not read, though its models see or hear: OpenAI's
 * words for each, Anthropic's, Gemini's. Data that is broken is another matter.
 */
const UNREAD_FORMAT: readonly RegExp[] = [
  /you uploaded an unsupported image/,
  /\b(?:image|mime|media|file|audio) ?_?(?:type|format)s? [`'"]?[\w./+-]{0,60}[`'"]? ?(?:is|are) (?:not supported|unsupported|not allowed)/,
  /(?:unsupported|invalid) (?:mime|media|image|file|audio)[ _](?:type|format)/,
  /expected a base64-encoded data url with an? [\w/]{1,40} mime type/,
  /media_type: input should be ["'`](?:image|application|text)\//,
]

/** Another service may read it. */
function unreadFormat({ text, codes, parameter }: Refusal): RefusedPart | null {
  const isAudio = parameter?.endsWith('input_audio.format') === true
  const isUnread = isAudio || codes.has('invalid_image_format') || UNREAD_FORMAT.some((pattern) => pattern.test(text))
  return isUnread ? { about: 'media', parameter } : null
}

const OUTPUT_NAMES = /^(?:max_?(?:completion_?|output_?)?tokens|generation_?config\.max_?output_?tokens)$/i
/** Anthropic, OpenAI, Groq and OpenAI, DeepSeek, Gemini. */
const MOST_OUTPUT: readonly RegExp[] = [
  /\d > (\d{1,9}), which is the maximum allowed number of output tokens/,
  /supports at most (\d{1,9}) (?:completion|output) tokens/,
  /(?:less than or equal to|expected a value <=|at most|cannot exceed|maximum (?:value )?(?:is|of)) [`'"]?(\d{1,9})/,
  /range of max_[a-z_]{0,12}tokens (?:is|should be) \[\d{1,9}, ?(\d{1,9})\]/,
  /supported range is from \d{1,9} \(inclusive\) to (\d{1,9})/,
]
const OUTPUT_WORDS =
  /maximum allowed number of output tokens|max(?:_completion|_output|output|imum output )?_?tokens?[`'"]{0,2}(?: value)?(?: of \d{1,9})?,? (?:is too large|is too high|must be (?:less|at most|between)|exceeds|cannot exceed|but the supported range)|supports at most \d{1,9} (?:completion|output) tokens|range of max_[a-z_]{0,12}tokens (?:is|should be) \[/

function tooMuchOutput({ text, codes, parameter }: Refusal): RefusedPart | null {
  const isOutput = OUTPUT_WORDS.test(text) || codes.has('max_tokens_exceeded')
  const isAbove = parameter !== undefined && OUTPUT_NAMES.test(parameter) && codes.has('integer_above_max_value')
  if (!isOutput && !isAbove) return null
  const most = MOST_OUTPUT.map((pattern) => pattern.exec(text.replace(/(\d),(?=\d{3})/g, '$1'))?.[1]).find(Boolean)
  return {
    about: 'size',
    parameter: parameter ?? 'max_tokens',
    mostOutputTokens: most === undefined ? undefined : Number(most),
  }
}

const SIZE_CODES = [
  'string_above_max_length',
  'array_above_max_length',
  'payload_too_large',
  'request_too_large',
  'image_too_large',
  'file_too_large',
]
const SIZE_WORDS =
  /(?:exceeds?|exceeded|exceeding|above|over|larger than|bigger than|longer than|greater than|more than) (?:the |our |your |a |an )?(?:maximum|max\b|limit|allowed|permitted|supported|\d[\d.,]{0,11} ?(?:[kmg]i?b|bytes|pixels|px|pages|images|characters|tokens|seconds|minutes))|exceeds? (?:max|the|\d)[^.]{0,60}(?:size|limit|length|maximum|dimensions|pixels|bytes)|too (?:large|long|big|many)\b(?! requests)|number of [a-z ]{1,30} exceeds \d|at most \d{1,9} (?:images?|files?|documents?|pages|tools|attachments)\b|payload size|maximum of \d{1,9} (?:pdf )?(?:pages|images|files|documents|tools|attachments)/

function tooLarge({ status, text, codes }: Refusal): RefusedPart | null {
  if (status === 413 || SIZE_CODES.some((code) => codes.has(code)) || SIZE_WORDS.test(text)) return { about: 'size' }
  return null
}

/** Where a schema is wrong, its keywords are quoted, and any word can be a property. */
const SCHEMA_WORDS = /invalid (?:json[ _]?)?schema|invalid_json_schema|input_schema|json schema is invalid/

function lackedAbility({ text, codes }: Refusal): RefusedPart | null {
  if (SCHEMA_WORDS.test(text) || codes.has('invalid_function_parameters')) return null
  const ability = abilityInWords(text)
  return ability === undefined ? null : { about: 'ability', ability }
}

const AS_SUCH_CODES = ['unsupported_parameter', 'unknown_parameter', 'extra_forbidden']
const AS_SUCH =
  /extra (?:fields|inputs) (?:are )?not permitted|unrecognized request argument|(?:unknown|unrecognized|unexpected|unsupported|invalid)(?: request)? (?:parameter|field|argument|keyword|property)\b|unknown name "|property ["'`][^"'`]{1,80}["'`] is unsupported/
const VALUE_CODES = ['unsupported_value', 'invalid_value', 'invalid_enum_value', 'invalid_type']

/** The refusal names a parameter: as such, or a value of it or a field inside it. */
function named(refusal: Refusal): RefusedPart | null {
  const { text, codes } = refusal
  const field = fieldNamed(refusal)
  if (field === null || SCHEMA_WORDS.test(text)) return null
  const { path, parameter } = field
  const ability = abilityOfPath(path, text)
  if (VALUE_CODES.some((code) => codes.has(code)))
    return valueIsTheAbility(ability, text) ? { about: 'ability', parameter, ability } : { about: 'value', parameter }
  const asSuch = AS_SUCH_CODES.some((code) => codes.has(code)) || AS_SUCH.test(text) || isSubject(parameter, text)
  if (!asSuch) return null
  if (ability !== undefined) return { about: 'ability', parameter, ability }
  return { about: field.isInside ? 'value' : 'parameter', parameter }
}

/** To refuse streaming or a schema as the value of its option is to refuse the ability. */
function valueIsTheAbility(ability: Ability | undefined, text: string): boolean {
  if (ability === 'streaming') return /does not support true/.test(text)
  return ability === 'jsonSchema' && /does not support ["'`]?json_schema/.test(text)
}

/** `'logprobs' is not supported with this model`, `temperature is deprecated for this model`. */
function isSubject(parameter: string, text: string): boolean {
  const at = text.indexOf(parameter.toLowerCase())
  if (at < 0 || !OF_THE_MODEL.test(text)) return false
  const after = text.slice(at + parameter.length, at + parameter.length + 120)
  return /^["'`]?(?: of type ["'`]?\w{1,40}["'`]?)? (?:is|are) (?:currently )?(?:not (?:supported|available|allowed|permitted)|unsupported|deprecated)/.test(
    after,
  )
}

const FIELD_NAME = '[a-z_][\\w.[\\]-]{0,119}'
/** Gemini's `Unknown name "x" at 'y'`: a field and what it is in. */
const GEMINI = /unknown name "([^"]{1,100})"(?: at ["']([^"']{0,200})["'])?/i
/** Groq's `'messages.1' : … property 'x' is unsupported`. */
const GROQ = /property ["'`]([^"'`]{1,80})["'`] is unsupported/i
const NAMED_FIRST = new RegExp(`^(${FIELD_NAME}): `, 'i')
const AFTER_NOUN = new RegExp(
  `(?:parameter|field|argument|keyword|property|option|input|value)s?(?: supplied)?:? ["'\`]?(${FIELD_NAME})["'\`]?`,
  'i',
)
const QUOTED = new RegExp(`["'\`](${FIELD_NAME})["'\`]`, 'i')

interface NamedField {
  /** From the root of the request. */
  readonly path: string
  /** As it is shown. */
  readonly parameter: string
  /** A field of something else, or one that says nothing about a model's abilities. */
  readonly isInside: boolean
}

function fieldNamed({ message, parameter }: Refusal): NamedField | null {
  const gemini = GEMINI.exec(message)
  // Gemini checks the whole body before any model sees it, so an unknown name is the body's fault.
  if (gemini !== null) {
    const [, name = '', place] = gemini
    // A path so long that it was cut is not the root.
    return { path: place === undefined ? name : `${place || '…'}.${name}`, parameter: name, isInside: true }
  }
  const groq = GROQ.exec(message)?.[1]
  if (groq !== undefined) return fieldAt(/["'`]messages[.[]/.test(message) ? `messages.${groq}` : groq)
  if (parameter !== undefined) return fieldAt(parameter.slice(0, 200))
  const name = NAMED_FIRST.exec(message)?.[1] ?? QUOTED.exec(message)?.[1] ?? AFTER_NOUN.exec(message)?.[1]
  return name === undefined ? null : fieldAt(name.replace(/[.]+$/, ''))
}

const fieldAt = (path: string): NamedField => ({ path, parameter: path, isInside: /[.[]/.test(path) })

const VALUE_WORDS =
  /unsupported (?:value|image|file|media|mime|content)|supported (?:values|formats|types) (?:are|:)|input should be|must be one of|expected one of|invalid (?:value|enum)|mime ?type|media[ _]type/

function wrongValue(refusal: Refusal): RefusedPart | null {
  const { text, codes } = refusal
  const isValue = VALUE_CODES.some((code) => codes.has(code)) || SCHEMA_WORDS.test(text) || VALUE_WORDS.test(text)
  return isValue ? { about: 'value', parameter: fieldNamed(refusal)?.parameter } : null
}
