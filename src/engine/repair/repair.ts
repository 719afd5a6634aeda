/** A body without what a service refuses of it, or with what it takes instead, as far as its meaning stays. */

import { createHash } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import { EFFORTS, nearestEffort } from '../../dialects/fit/nearestEffort.ts'
import { objectSchema } from '../../dialects/fit/objectSchema.ts'
import { validSchema } from '../../dialects/fit/validSchema.ts'
import type { ReasoningEffort } from '../../domain/chat.ts'
import type { FieldRefusal } from '../../domain/fieldRefusal.ts'
import { asArray, asRecord, asString } from '../../domain/json.ts'
import { changeBody, nameIn, stepsOf } from './changeAt.ts'
import { isHint, saysNothing } from './hints.ts'
import { pairContents } from './pairContents.ts'

type Body = Record<string, unknown>

export interface Repaired {
  /** The same object where nothing of it is refused, or nothing of that can be changed. */
  readonly body: Body
  /** Something that says anything is missing now. */
  readonly isLeftOut: boolean
}

type Repair<R extends FieldRefusal['refused']> = (
  body: Body,
  refusal: Extract<FieldRefusal, { refused: R }>,
) => Repaired

const REPAIRS: { readonly [R in FieldRefusal['refused']]: Repair<R> } = {
  field: (body, { path }) => renamed(body, path) ?? without(body, path, isHint),
  alone: leaveOutAlone,
  beside: (body, { path, other }) => (isAsked(body[other]) ? without(body, path, isHint) : whole(body)),
  value: (body, { path, taken }) => withTaken(body, path, taken),
  length: shorten,
  'beside-tools': setBesideTools,
  pairs: pairResults,
  schema: completeSchemas,
}

export function repair(body: Body, refusal: FieldRefusal): Repaired {
  // The row belongs to this refusal; TypeScript cannot follow the correlation.
  const made = REPAIRS[refusal.refused] as (body: Body, refusal: FieldRefusal) => Repaired
  return made(body, { ...refusal, path: placeOf(body, refusal.path) })
}

/** Where options are besides the top; a refusal may give no more than the last name. */
const PLACES = ['output_config', 'reasoning', 'text', 'generationConfig', 'generation_config']

function placeOf(body: Body, path: string): string {
  if (stepsOf(path).length > 1 || nameIn(body, path) !== undefined) return path
  const place = PLACES.find((name) => nameIn(asRecord(body[name]) ?? {}, path) !== undefined)
  return place === undefined ? path : `${place}.${path}`
}

/** The same option under another name. */
export const RENAMES: ReadonlyMap<string, string> = new Map([
  ['max_tokens', 'max_completion_tokens'],
  ['max_completion_tokens', 'max_tokens'],
])

function renamed(body: Body, path: string): Repaired | null {
  const name = RENAMES.get(path)
  if (name === undefined || body[path] === undefined || body[name] !== undefined) return null
  const { [path]: value, ...rest } = body
  return whole({ ...rest, [name]: value })
}

const whole = (body: Body): Repaired => ({ body, isLeftOut: false })

function without(body: Body, path: string, mayGo: (steps: readonly string[], value: unknown) => boolean): Repaired {
  const steps = stepsOf(path)
  let isLeftOut = false
  const changed = changeBody(body, steps, (value) => {
    if (!mayGo(steps, value)) return value
    isLeftOut ||= !saysNothing(steps, value)
    return undefined
  })
  return { body: changed, isLeftOut }
}

/** Options that change nothing where what they are about is missing. */
const IDLE_ALONE = new Set(['top_logprobs', 'parallel_tool_calls'])

/** Which tool to take is a wish, too, where one must be. */
function leaveOutAlone(body: Body, refusal: { readonly path: string; readonly without: string }): Repaired {
  if (isAsked(body[refusal.without])) return whole(body)
  return without(body, refusal.path, ([name = '', ...rest], value) => {
    if (IDLE_ALONE.has(name) && rest.length === 0) return true
    if (name === 'tool_choice') return LETS_CHOOSE.has(asString(asRecord(value)?.['type']) ?? asString(value) ?? '')
    return isHint([name, ...rest], value)
  })
}

const LETS_CHOOSE = new Set(['auto', 'none'])

const isAsked = (value: unknown) => Boolean(asArray(value)?.length ?? value) && asRecord(value)?.['type'] !== 'disabled'

/** The nearest on a scale, the same role under its other name, or none where it is a hint. */
function withTaken(body: Body, path: string, taken: readonly string[]): Repaired {
  const steps = stepsOf(path)
  let isLeftOut = false
  const changed = changeBody(body, steps, (value) => {
    const word = asString(value)
    if (word === undefined || taken.includes(word)) return value
    const instead = nearestTo(word, taken) ?? (steps.at(-1) === 'role' ? roleFor(word, taken) : undefined)
    if (instead !== undefined || !isHint(steps, value)) return instead ?? value
    isLeftOut = true
    return undefined
  })
  return { body: changed, isLeftOut }
}

const isEffort = (word: string): word is ReasoningEffort => (EFFORTS as readonly string[]).includes(word)

function nearestTo(asked: string, taken: readonly string[]): string | undefined {
  const word = asked.toLowerCase()
  const known = taken.map((one) => one.toLowerCase()).filter(isEffort)
  if (!isEffort(word) || known.every((one) => one === 'none')) return undefined
  const nearest = nearestEffort(word, known)
  return taken.find((one) => one.toLowerCase() === nearest)
}

/** OpenAI renamed the role: https://model-spec.openai.com/2025-10-27.html#levels_of_authority */
function roleFor(role: string, taken: readonly string[]): string | undefined {
  const other = role === 'developer' ? 'system' : role === 'system' ? 'developer' : undefined
  return other !== undefined && taken.includes(other) ? other : undefined
}

/** Ids that only have to stay the same. */
const IDS = new Set(['user', 'safety_identifier', 'prompt_cache_key', 'metadata.user_id'])
/** The ids of a call and of its result change together. */
const CALL_IDS: readonly string[] = ['messages[].tool_calls[].id', 'messages[].tool_call_id', 'input[].call_id']

function shorten(body: Body, { path, most }: { readonly path: string; readonly most: number }): Repaired {
  const paths = CALL_IDS.includes(path) ? CALL_IDS : IDS.has(path) ? [path] : []
  const cut = (value: unknown) => {
    const id = asString(value)
    return id === undefined || id.length <= most ? value : createHash('sha256').update(id).digest('hex').slice(0, most)
  }
  return whole(paths.reduce((changed, one) => changeBody(changed, stepsOf(one), cut), body))
}

/** Of an option at the top, which need not be there to have another value. */
function setBesideTools(body: Body, { path, taken }: { readonly path: string; readonly taken: string }): Repaired {
  const isRefused = isAsked(body['tools']) && body[path] !== taken
  if (!isRefused || stepsOf(path).length > 1 || !isHint([path], taken)) return whole(body)
  return { body: { ...body, [path]: taken }, isLeftOut: true }
}

/** What is told twice is told once, so nothing is left out. */
function pairResults(body: Body, { path }: { readonly path: string }): Repaired {
  const contents = asArray(body[path]) ?? []
  const paired = pairContents(contents)
  return whole(paired === contents ? body : { ...body, [path]: paired })
}

/** Where the schemas of tools are: in chat completions, in Responses, in Messages. */
const TOOL_SCHEMAS: readonly string[] = ['tools[].function.parameters', 'tools[].parameters', 'tools[].input_schema']

/** The same arguments in the form that every vendor takes. */
function completeSchemas(body: Body): Repaired {
  const complete = (value: unknown) => {
    const schema = asRecord(value)
    if (schema === undefined) return value
    const completed = objectSchema(validSchema(schema))
    return isDeepStrictEqual(completed, schema) ? value : completed
  }
  return whole(TOOL_SCHEMAS.reduce((changed, path) => changeBody(changed, stepsOf(path), complete), body))
}
