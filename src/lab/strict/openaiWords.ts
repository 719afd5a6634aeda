/**
 * The sentences in which OpenAI refuses, one function a form.
 * https://platform.openai.com/docs/guides/error-codes/api-errors
 */

import { word } from './chatBody.ts'
import type { StrictRefusal } from './rule.ts'
import { closest } from './spelling.ts'

/** Calls of the service itself, each with its answer, made on 2026-08-30. */
export const MEASURED =
  'https://github.com/kangminlee-maker/local-OAuth-CLI-API-adapter/blob/main/docs/conformance-matrix.md'

export const NAME_PATTERN = '^[a-zA-Z0-9_-]+$'
const LONGEST_NAME = 64

export function badRequest(message: string, param: string | null, code: string | null): StrictRefusal {
  return { status: 400, body: { error: { message, type: 'invalid_request_error', param, code } } }
}

export const unknownParameter = (path: string) => badRequest(`Unknown parameter: '${path}'.`, path, 'unknown_parameter')

/** At the top level the service guesses what was meant, unless it is there already. */
export function unknownTopParameter(name: string, known: Iterable<string>, body: Readonly<Record<string, unknown>>) {
  const meant = closest(
    name,
    [...known].filter((other) => body[other] === undefined),
  )
  const hint = meant === null ? '' : ` Did you mean '${meant}'?`
  return badRequest(`Unknown parameter: '${name}'.${hint}`, name, 'unknown_parameter')
}

export const unsupportedParameter = (param: string, code: string | null = 'unsupported_parameter') =>
  badRequest(`Unsupported parameter: '${param}' is not supported with this model.`, param, code)

export const missingParameter = (path: string) =>
  badRequest(`Missing required parameter: '${path}'.`, path, 'missing_required_parameter')

export const onlyAllowedWhen = (param: string, condition: string) =>
  badRequest(`The '${param}' parameter is only allowed when ${condition}.`, param, null)

export const withoutTools = (param: string) =>
  badRequest(`Invalid value for '${param}': '${param}' is only allowed when 'tools' are specified.`, param, null)

export const emptyArray = (path: string) =>
  badRequest(
    `Invalid '${path}': empty array. Expected an array with minimum length 1, but got an empty array instead.`,
    path,
    'empty_array',
  )

export const longArray = (path: string, limit: number, length: number) =>
  badRequest(
    `Invalid '${path}': array too long. Expected an array with maximum length ${limit}, but got an array with length ${length} instead.`,
    path,
    'array_above_max_length',
  )

const longString = (path: string, limit: number, length: number) =>
  badRequest(
    `Invalid '${path}': string too long. Expected a string with maximum length ${limit}, but got a string with length ${length} instead.`,
    path,
    'string_above_max_length',
  )

export const emptyString = (path: string) =>
  badRequest(
    `Invalid '${path}': empty string. Expected a string with minimum length 1, but got an empty string instead.`,
    path,
    'empty_string',
  )

export const otherPattern = (path: string, pattern: string) =>
  badRequest(
    `Invalid '${path}': string does not match pattern. Expected a string that matches the pattern '${pattern}'.`,
    path,
    'invalid_value',
  )

export const wrongType = (path: string, expected: string, got: string) =>
  badRequest(`Invalid type for '${path}': expected ${expected}, but got ${got} instead.`, path, 'invalid_type')

/** `'a', 'b', and 'c'`, as the service lists values. */
export function listed(values: readonly string[]): string {
  const quoted = values.map((value) => `'${value}'`)
  if (quoted.length < 3) return quoted.join(' and ')
  return `${quoted.slice(0, -1).join(', ')}, and ${quoted.at(-1)}`
}

export const wrongValue = (path: string, value: unknown, supported: readonly string[]) =>
  badRequest(`Invalid value: '${word(value)}'. Supported values are: ${listed(supported)}.`, path, 'invalid_value')

interface Range {
  readonly kind: 'integer' | 'decimal'
  readonly min: number
  readonly max?: number
}

/** Null when the number is in the range, or is no number. */
export function outOfRange(path: string, value: unknown, { kind, min, max }: Range): StrictRefusal | null {
  if (typeof value !== 'number') return null
  if (value < min)
    return badRequest(
      `Invalid '${path}': ${kind} below minimum value. Expected a value >= ${min}, but got ${value} instead.`,
      path,
      `${kind}_below_min_value`,
    )
  if (max === undefined || value <= max) return null
  return badRequest(
    `Invalid '${path}': ${kind} above maximum value. Expected a value <= ${max}, but got ${value} instead.`,
    path,
    `${kind}_above_max_value`,
  )
}

export function unrecognized(name: string): StrictRefusal {
  return badRequest(`Unrecognized request argument supplied: ${name}`, null, null)
}

export function longer(path: string, value: unknown, limit: number): StrictRefusal | null {
  return typeof value === 'string' && value.length > limit ? longString(path, limit, value.length) : null
}

/** A function's name, where it is defined or called. */
export function wrongName(path: string, name: unknown, limit = LONGEST_NAME): StrictRefusal | null {
  if (typeof name !== 'string') return missingParameter(path)
  return longer(path, name, limit) ?? (new RegExp(NAME_PATTERN).test(name) ? null : otherPattern(path, NAME_PATTERN))
}
