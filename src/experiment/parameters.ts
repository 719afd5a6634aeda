/** The request fields that a variant may set, as spelled in the configuration, and what they change in a request. */

import type { ChatRequest, ReasoningEffort } from '../domain/chat.ts'
import { asRecord, asString, type Json } from '../domain/json.ts'
import { nearest } from '../domain/nearest.ts'

type Parameters = Readonly<Record<string, Json>>
type RequestChanges = Partial<ChatRequest>

interface Field {
  readonly wanted: string
  /** Null when the value is invalid. */
  readonly read: (value: unknown) => RequestChanges | null
}

const EFFORTS: readonly ReasoningEffort[] = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max']

const FIELDS: Readonly<Record<string, Field>> = {
  temperature: number(0, 2, (temperature) => ({ temperature })),
  top_p: number(0, 1, (topP) => ({ topP })),
  top_k: whole(1, (topK) => ({ topK })),
  max_tokens: whole(1, (maxTokens) => ({ maxTokens })),
  seed: whole(Number.MIN_SAFE_INTEGER, (seed) => ({ seed })),
  frequency_penalty: number(-2, 2, (frequencyPenalty) => ({ frequencyPenalty })),
  presence_penalty: number(-2, 2, (presencePenalty) => ({ presencePenalty })),
  stop: { wanted: 'a text or a list of texts', read: readStop },
  reasoning_effort: { wanted: `one of ${EFFORTS.join(', ')}`, read: readEffort },
}

const fieldOf = (name: string) => (Object.hasOwn(FIELDS, name) ? FIELDS[name] : undefined)

/** The problems with the parameters of a variant, each naming its field. */
export function parameterProblems(value: unknown, path: string): readonly string[] {
  if (value === undefined) return []
  const record = asRecord(value)
  if (record === undefined) return [`"${path}" must be an object such as { "temperature": 0.2 }`]
  return Object.entries(record).flatMap(([name, setting]) => {
    const field = fieldOf(name)
    if (field === undefined) return [`"${path}.${name.slice(0, 60)}" is not a parameter; ${meant(name)}`]
    return field.read(setting) === null ? [`"${path}.${name}" must be ${field.wanted}`] : []
  })
}

function meant(name: string): string {
  const names = Object.keys(FIELDS)
  const [near] = nearest(name, names, 1)
  return near === undefined ? `known are ${names.join(', ')}` : `did you mean "${near}"?`
}

/** The request fields that the parameters replace; those that cannot be read are ignored. */
export function changesBy(parameters: Parameters): RequestChanges {
  const changes: RequestChanges = {}
  for (const [name, value] of Object.entries(parameters)) Object.assign(changes, fieldOf(name)?.read(value))
  return changes
}

function number(least: number, most: number, change: (value: number) => RequestChanges): Field {
  const wanted = `a number from ${least} to ${most}`
  return {
    wanted,
    read: (value) => (typeof value === 'number' && value >= least && value <= most ? change(value) : null),
  }
}

function whole(least: number, change: (value: number) => RequestChanges): Field {
  const wanted = least === 1 ? 'a whole number above 0' : 'a whole number'
  return {
    wanted,
    read: (value) =>
      typeof value === 'number' && Number.isSafeInteger(value) && value >= least ? change(value) : null,
  }
}

function readStop(value: unknown): RequestChanges | null {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value]
  return list.length > 0 && list.every((text) => typeof text === 'string') ? { stop: list } : null
}

function readEffort(value: unknown): RequestChanges | null {
  const effort = EFFORTS.find((one) => one === asString(value))
  return effort === undefined ? null : { reasoning: { effort } }
}
