/** What a cell of the matrix must show, and what is wrong where it does not. */

import { isDeepStrictEqual } from 'node:util'
import { LOOP_CALLS, LOOP_RESULTS, PIXEL, REPLY, REPORT, VECTORS } from './task.ts'

/** What a program says of one call of its client. */
export interface Told {
  /** The client offers nothing of the kind. */
  readonly missing?: boolean
  readonly text?: string
  readonly pieces?: number
  readonly calls?: readonly { readonly name: string; readonly arguments: unknown }[]
  readonly object?: unknown
  readonly vectors?: readonly (readonly number[])[]
  readonly ids?: readonly string[]
  /** Tokens in and out; null where the client had nothing to show. */
  readonly usage?: readonly [number, number] | null
  readonly error?: { readonly name: string; readonly message: string }
}

/** What the upstreams saw of it. */
export interface Seen {
  readonly bodies: readonly unknown[]
  /** Tokens in and out of the last answer. */
  readonly usage: readonly [number, number] | null
  /** The caller of the last call went away before its end. */
  readonly left: boolean
}

/** Null when all is well. */
export type Judge = (told: Told, seen: Seen) => string | null

/** Characters of what is quoted. */
const MOST = 300

const short = (value: unknown) => {
  const text = (typeof value === 'string' ? value : (JSON.stringify(value) ?? 'nothing')).replaceAll(/\s+/g, ' ')
  return text.length > MOST ? `${text.slice(0, MOST)}…` : text
}

/** Whatever must not throw. */
const sound =
  (judge: Judge): Judge =>
  (told, seen) =>
    told.error === undefined ? judge(told, seen) : `${told.error.name}: ${short(told.error.message)}`

export const plain: Judge = sound(({ text }) => (text === REPLY ? null : `said ${short(text)}`))

export const stream: Judge = sound(({ text, pieces = 0 }) => {
  if (text !== REPLY) return `said ${short(text)}`
  return pieces > 1 ? null : 'came in one piece'
})

/** Calls of one turn may be run in any order. */
const sorted = (calls: Told['calls'] = []) => calls.map((call) => JSON.stringify(call)).sort()

export const loop: Judge = sound(({ calls, text = '' }) => {
  if (!isDeepStrictEqual(sorted(calls), sorted(LOOP_CALLS))) return `called ${short(calls)}`
  return LOOP_RESULTS.every((result) => text.includes(result)) ? null : `said ${short(text)}`
})

export const schema: Judge = sound(({ object }) =>
  isDeepStrictEqual(object, REPORT) ? null : `came back with ${short(object)}`,
)

export const image: Judge = sound(({ text = '' }, { bodies }) => {
  if (!JSON.stringify(bodies).includes(PIXEL)) return 'the picture did not reach the model'
  return text.includes('red') ? null : `said ${short(text)}`
})

export const embeddings: Judge = sound(({ vectors = [] }) => {
  const isNear = (one: number, index: number, row: number) => Math.abs(one - (VECTORS[row]?.[index] ?? 9)) < 1e-6
  const isRight = vectors.every((vector, row) => vector.length === 3 && vector.every((one, i) => isNear(one, i, row)))
  return vectors.length === VECTORS.length && isRight ? null : `came back with ${short(vectors)}`
})

export const models =
  (model: string): Judge =>
  (told, seen) =>
    sound(({ ids = [] }) => (ids.includes(model) ? null : `has no ${model} in ${short(ids)}`))(told, seen)

/** An error of this class. */
export const throws =
  (name: string): Judge =>
  ({ error, text }) => {
    if (error === undefined) return `no error, but ${short(text)}`
    return error.name === name ? null : `${error.name} instead of ${name}: ${short(error.message)}`
  }

/** Part of the text, then an error. */
export const cut: Judge = ({ error, text = '' }) => {
  if (error === undefined) return `took ${short(text)} for the whole answer`
  if (text === '') return `no text before ${error.name}: ${short(error.message)}`
  return REPLY.startsWith(text) ? null : `said ${short(text)}`
}

export const abort: Judge = sound((_, { left }) => (left ? null : 'the upstream went on answering'))

export const usage: Judge = sound((told, seen) =>
  isDeepStrictEqual(told.usage, seen.usage) ? null : `counted ${short(told.usage)} where ${short(seen.usage)} was used`,
)
