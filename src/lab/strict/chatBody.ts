/** The parts of a chat body that rules look at, each with its path in the service's spelling. */

import { asArray, asRecord, asString } from '../../domain/json.ts'

type Fields = Readonly<Record<string, unknown>>

/** A record of the body and where it stands. */
export interface Placed {
  /** `messages[1].content[0]`. */
  readonly path: string
  readonly index: number
  readonly value: Fields
}

export function messagesOf(body: Fields): Placed[] {
  return placed(body['messages'], 'messages')
}

export function partsOf(message: Placed): Placed[] {
  return placed(message.value['content'], `${message.path}.content`)
}

export function callsOf(message: Placed): Placed[] {
  return placed(message.value['tool_calls'], `${message.path}.tool_calls`)
}

export function toolsOf(body: Fields): Placed[] {
  return placed(body['tools'], 'tools')
}

/** The records of an array; what is none is skipped but counted. */
export function placed(value: unknown, path: string): Placed[] {
  return (asArray(value) ?? []).flatMap((item, index) => {
    const record = asRecord(item)
    return record === undefined ? [] : [{ path: `${path}[${index}]`, index, value: record }]
  })
}

/** A record inside one, with its path; null when it is none. */
export function within({ path, index, value }: Placed, key: string): Placed | null {
  const inner = asRecord(value[key])
  return inner === undefined ? null : { path: `${path}.${key}`, index, value: inner }
}

/** The first part of that type, with its message; for rules about what a model cannot read. */
export function firstPart(body: Fields, type: string): { readonly message: Placed; readonly part: Placed } | null {
  for (const message of messagesOf(body))
    for (const part of partsOf(message)) if (part.value['type'] === type) return { message, part }
  return null
}

export const roleOf = (message: Placed): string => asString(message.value['role']) ?? ''

/** A value as a word in a sentence; a stranger's object may have no `toString`. */
export const word = (value: unknown): string =>
  typeof value === 'string' ? value : (JSON.stringify(value) ?? 'undefined')

/** What is set: `null` counts as absent. */
export const isSet = (value: unknown): boolean => value !== undefined && value !== null

/** Everything the messages say, for rules about words. */
export function allWords(value: unknown): string {
  if (typeof value === 'string') return value
  if (Array.isArray(value)) return value.map(allWords).join('\n')
  const record = asRecord(value)
  return record === undefined ? '' : Object.values(record).map(allWords).join('\n')
}

/** The first field that is not among the known ones. */
export function unknownField(fields: Fields, known: ReadonlySet<string>): string | null {
  return Object.keys(fields).find((name) => !known.has(name)) ?? null
}

/** What a value is called in a sentence about its type. */
export function typeName(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'an array'
  if (typeof value === 'number') return Number.isInteger(value) ? 'an integer' : 'a decimal number'
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}
