/**
 * The fields that a refusal names, each with what is said of it. Services name them in sentences of their own, in a
 * parameter beside the sentence, or as a list of validation errors, and often only the first of several.
 */

import type { FieldRefusal } from '../../domain/fieldRefusal.ts'
import { pathOf } from './fieldPath.ts'
import { validationErrors } from './validationErrors.ts'
import { wordsTaken } from './wordsTaken.ts'

interface FieldsSaid {
  /** As it came. */
  readonly message: string
  /** Without long quotations, in which prompts are echoed. */
  readonly words: string
  readonly codes: ReadonlySet<string>
  /** The parameter the body names beside the message. */
  readonly parameter: string | undefined
  readonly bodies: readonly unknown[]
}

const MOST_FIELDS = 8
/** Characters of a message that are read; what it names stands at its front. */
const LOOK = 4096
/** Where a schema is wrong, what is quoted are its keywords and properties. */
const OF_SCHEMA = /invalid (?:json[ _]?)?schema|invalid_json_schema|json schema is invalid/i

/**
 * What can be said otherwise without a change of meaning: an object that names no properties, a schema that names no
 * type or alternatives at its top, numbers as texts. OpenAI (https://github.com/spring-projects/spring-ai/issues/4776,
 * https://github.com/openai/codex/issues/4176), Anthropic.
 */
const INCOMPLETE_SCHEMA =
  /invalid schema for function .{0,140}: (?:in context=.{0,200}, object schema missing properties|schema must (?:be a json schema of|have) ["'`]?type|["'`]\d+["'`] is not of type ["'`]integer)|tools\.\d+\.(?:custom\.)?input_schema(?:\.type: field required|: (?:input_schema does not support oneof|json schema is invalid))/i

/** Every field once; a particular statement before the general one. */
export function refusedFields(refusal: FieldsSaid): readonly FieldRefusal[] {
  const said = { ...refusal, words: refusal.words.slice(0, LOOK), message: refusal.message.slice(0, LOOK) }
  if (INCOMPLETE_SCHEMA.test(said.words)) return [{ path: 'tools', refused: 'schema' }]
  if (OF_SCHEMA.test(said.words) || said.codes.has('invalid_function_parameters')) return []
  const particular = [
    ...besideTools(said),
    ...beside(said),
    ...alone(said),
    ...tooLong(said),
    ...wrongValue(said),
    ...pairs(said),
  ]
  const found = [...validationErrors(said.bodies), ...particular, ...(particular.length > 0 ? [] : asSuch(said))]
  const byPath = new Map<string, FieldRefusal>()
  for (const one of found) if (!byPath.has(one.path)) byPath.set(one.path, one)
  return [...byPath.values()].slice(0, MOST_FIELDS)
}

/** In its quotes, if there are any. */
const NAME = '[a-z_][\\w.[\\]-]{0,119}'
const QUOTE = '["\'`]'
const IN_QUOTES = `${QUOTE}(${NAME})${QUOTE}`
const QUOTED_LIST = `(${QUOTE}${NAME}${QUOTE}(?:, ${QUOTE}${NAME}${QUOTE}){0,9})`
const PLAIN_LIST = `(${NAME}(?:, ?${NAME}){1,9}(?=$|[;)\\n])|${NAME})`
const all = (pattern: string) => new RegExp(pattern, 'gi')

const UNKNOWN =
  '(?:unknown|unrecognized|unexpected|unsupported|disallowed|forbidden|extra)(?: request| body| input| keyword)? (?:parameter|field|argument|key|property|option)(?:s|\\(s\\))?(?: supplied| provided| in request)?'

/** The first group is a list of names. */
const LISTS: readonly RegExp[] = [
  // https://platform.openai.com/docs/guides/error-codes
  all(`${UNKNOWN}:? ?${QUOTED_LIST}`),
  all(`${UNKNOWN}: ?${PLAIN_LIST}`),
  // https://python-jsonschema.readthedocs.io/en/stable/errors/
  all(`additional properties are not allowed \\(${QUOTED_LIST} (?:was|were) unexpected`),
]

/** The last group is a name; one before it is what the field is in. */
const NAMES: readonly RegExp[] = [
  // Groq, with the place of a nested field before it, and Cerebras: https://console.groq.com/docs/openai
  all(`(?:${QUOTE}(${NAME})${QUOTE} ?: )?property ${IN_QUOTES} is (?:unsupported|not supported|not allowed)`),
  // Anthropic, and all that validate with pydantic: https://docs.pydantic.dev/latest/errors/validation_errors/
  all(`(?<![\\w.])(${NAME}): extra (?:inputs|fields) (?:are )?not permitted`),
  all(`extra (?:inputs|fields) (?:are )?not permitted, field: ${IN_QUOTES}`),
  all('(body(?: -> \\w{1,80}){1,12})\\s{1,5}extra (?:inputs|fields) (?:are )?not permitted'),
  // serde, as at DeepSeek: https://serde.rs/container-attrs.html#deny_unknown_fields
  all(`(?:(?<=[ :])(${NAME}): )unknown field ${IN_QUOTES}`),
  // xAI, in its own spelling of the names: https://docs.x.ai/docs/guides/reasoning
  all(`does not support (?:the )?(?:parameter|argument|field|option)s?:? ${QUOTE}?(${NAME})`),
  // Anthropic: https://platform.claude.com/docs/en/build-with-claude/effort
  all(`does not support the (${NAME}) (?:parameter|option|field)\\b`),
  // OpenAI and DeepSeek
  all(`invalid ${IN_QUOTES}: empty array`),
  // Cohere: https://docs.cohere.com/reference/errors
  all(`(?:parameter|field) ${IN_QUOTES} is not a valid (?:parameter|field)`),
  all(`(?:argument|parameter|field)s? (?:is |are )?not supported[^:.]{0,40}: ${QUOTE}?(${NAME})`),
  // OpenAI, Groq, Anthropic: `top_p` is not supported with this model
  all(
    `${IN_QUOTES}(?: parameter| field| option)? (?:is|are) (?:currently )?(?:not (?:supported|allowed|permitted|available)|unsupported|deprecated)\\b`,
  ),
  all(`(?<![\\w.])(${NAME}): [\\w ]{1,40} is not supported (?:with|by|for) this model`),
  new RegExp(
    `^(?:the )?(?:parameter )?(${NAME}) (?:is|are) (?:not supported|not allowed|unsupported|deprecated) (?:by|for|with|on|in) (?:this|the|that)\\b`,
    'gi',
  ),
]
/** https://cloud.google.com/apis/design/errors : an unknown name and what it is in; a path may be long. */
const GOOGLE = /unknown name "([^"]{1,100})"(?: at ["']([^"']{0,200})["'])?/gi

const AS_SUCH_CODES = ['unsupported_parameter', 'unknown_parameter', 'extra_forbidden']

function asSuch({ message, words, codes, parameter }: FieldsSaid): readonly FieldRefusal[] {
  const lists = LISTS.flatMap((pattern) => [...words.matchAll(pattern)].flatMap(([, list = '']) => list.split(/, ?/)))
  const names = NAMES.flatMap((pattern) => [...words.matchAll(pattern)].map(([, ...groups]) => joined(groups)))
  const google = [...message.matchAll(GOOGLE)].map(([, name = '', place]) => joined([place || undefined, name]))
  const named = parameter !== undefined && AS_SUCH_CODES.some((code) => codes.has(code)) ? [parameter] : []
  const paths = [...named, ...google, ...lists, ...names].flatMap((written) => pathOf(written) ?? [])
  // One sentence may be read twice, once without the place that it begins with.
  const whole = paths.filter((path) => !paths.some((other) => other.endsWith(`.${path}`)))
  return whole.map((path) => ({ path, refused: 'field' }))
}

const joined = (steps: readonly (string | undefined)[]) => steps.filter((step) => step !== undefined).join('.')

const ONLY_DEFAULT = /only the default \([^)]{1,20}\) value is supported/i
/** Where the parameter is not named beside the sentence. */
const VALUE_OF: readonly RegExp[] = [
  new RegExp(`(?:unsupported|invalid) value: ${IN_QUOTES} does not support`, 'i'),
  new RegExp(`(?:invalid|unsupported) value for ${IN_QUOTES}`, 'i'),
  new RegExp(`(?:^|[ :])(${NAME}): (?:unknown variant|input should be)`, 'i'),
  new RegExp(`${IN_QUOTES}(?: parameter| field)? (?:must|should) be (?:one of|either)`, 'i'),
]

/** Anthropic: https://platform.claude.com/docs/en/build-with-claude/effort */
const LEVELS = /does not support (\w{1,40}) level ["'`][^"'`]{0,40}["'`]\. supported levels: ([\w, ]{1,200})/i

function wrongValue({ words, parameter }: FieldsSaid): readonly FieldRefusal[] {
  const [, level, levels = ''] = LEVELS.exec(words) ?? []
  if (level !== undefined) return [{ path: level, refused: 'value', taken: levels.trim().split(/, ?/) }]
  const taken = wordsTaken(words)
  const isDefault = ONLY_DEFAULT.test(words)
  if (taken.length === 0 && !isDefault) return []
  const name = VALUE_OF.map((pattern) => pattern.exec(words)?.[1]).find(Boolean)
  const path = pathOf(name ?? parameter ?? '')
  if (path === undefined) return []
  return [isDefault ? { path, refused: 'field' } : { path, refused: 'value', taken }]
}

const TOO_LONG: readonly RegExp[] = [
  // OpenAI, and Anthropic with pydantic's words
  new RegExp(`invalid ${IN_QUOTES}: string too long\\. expected a string with maximum length (\\d{1,7})`, 'i'),
  new RegExp(`(?<![\\w.])(${NAME}): string should have at most (\\d{1,7}) characters`, 'i'),
]

function tooLong({ words }: FieldsSaid): readonly FieldRefusal[] {
  return TOO_LONG.flatMap((pattern) => {
    const [, name = '', most = ''] = pattern.exec(words) ?? []
    const path = pathOf(name)
    return path === undefined ? [] : [{ path, refused: 'length' as const, most: Number(most) }]
  })
}

const ALONE: readonly RegExp[] = [
  new RegExp(
    `${QUOTE}(?<name>${NAME})${QUOTE}(?: parameter)? is only (?:allowed|supported|valid) (?:when|if|with) ${QUOTE}(?<without>\\w{1,60})${QUOTE}`,
    'i',
  ),
  new RegExp(`(?<![\\w.])(?<name>${NAME}): may only be specified while providing (?<without>\\w{1,60})`, 'i'),
  new RegExp(`(?<without>\\w{1,60}) must be set to true if (?<name>${NAME}) is used`, 'i'),
]

function alone({ words }: FieldsSaid): readonly FieldRefusal[] {
  return ALONE.flatMap((pattern) => {
    const { name = '', without = '' } = pattern.exec(words)?.groups ?? {}
    const path = pathOf(name)
    return path === undefined ? [] : [{ path, refused: 'alone' as const, without }]
  })
}

/**
 * Anthropic: https://platform.claude.com/docs/en/build-with-claude/extended-thinking#feature-compatibility ; a field
 * beside another one, or beside thinking.
 */
const BESIDE: readonly RegExp[] = [
  new RegExp(
    `${QUOTE}(?<other>\\w{1,60})${QUOTE} and ${QUOTE}(?<name>${NAME})${QUOTE} cannot both be (?:specified|set|used)`,
    'i',
  ),
  new RegExp(
    `${QUOTE}(?<name>${NAME})${QUOTE} (?:may only|can only|must|cannot) be [\\w. ]{1,80} when (?<other>thinking)\\b`,
    'i',
  ),
]

function beside({ words }: FieldsSaid): readonly FieldRefusal[] {
  return BESIDE.flatMap((pattern) => {
    const { name = '', other = '' } = pattern.exec(words)?.groups ?? {}
    const path = pathOf(name)
    return path === undefined ? [] : [{ path, refused: 'beside' as const, other }]
  })
}

/** OpenAI's newer models in chat completions. */
const BESIDE_TOOLS = new RegExp(
  `function tools with (${NAME}) are not supported.{0,200}set ${QUOTE}?\\1${QUOTE}? to ${QUOTE}(\\w{1,40})${QUOTE}`,
  'i',
)

function besideTools({ words }: FieldsSaid): readonly FieldRefusal[] {
  const [, name = '', taken = ''] = BESIDE_TOOLS.exec(words) ?? []
  const path = pathOf(name)
  return path === undefined ? [] : [{ path, refused: 'beside-tools', taken }]
}

/** Gemini: https://ai.google.dev/gemini-api/docs/function-calling */
const PAIRS =
  /function response (?:parts is equal to the number of function call parts|turn comes immediately after a function call turn)/i

const pairs = ({ words }: FieldsSaid): readonly FieldRefusal[] =>
  PAIRS.test(words) ? [{ path: 'contents', refused: 'pairs' }] : []
