/** What must hold whatever comes in. */

import { isKeywiseError } from '../../src/domain/errors.ts'
import { NestingError } from '../../src/domain/parseJson.ts'
import { promise } from './driver.ts'

/** Calls it; an error that is not meant for people fails the case. Undefined for one that is. */
export function orRefusal<T>(work: () => T, isMeant: (error: unknown) => boolean = isKeywiseError): T | undefined {
  try {
    return work()
  } catch (error) {
    if (isMeant(error)) return undefined
    throw error
  }
}

/** Undefined for text that is no JSON, or nested too deep. */
export const parsedOr = (work: () => unknown) =>
  orRefusal(work, (error) => error instanceof SyntaxError || error instanceof NestingError || isKeywiseError(error))

const CLEAN = Object.getOwnPropertyNames(Object.prototype).length
const CLEAN_LISTS = Object.getOwnPropertyNames(Array.prototype).length

/** No input became a property of every object. */
export function noPollution(): void {
  promise(Object.getOwnPropertyNames(Object.prototype).length === CLEAN, 'Object.prototype was changed')
  promise(Object.getOwnPropertyNames(Array.prototype).length === CLEAN_LISTS, 'Array.prototype was changed')
}

/** The same JSON text, which is what is sent. */
export function same(one: unknown, other: unknown, what: string): void {
  sameText(JSON.stringify(one), JSON.stringify(other), what)
}

export function sameText(one: string, other: string, what: string): void {
  promise(one === other, () => `${what}:\n  ${one}\n  ${other}`)
}

/** What is written is at most so many times as long as what was read: nothing multiplies. */
export function bounded(written: string, read: string, times: number, what: string): void {
  const most = times * read.length + 20_000
  promise(written.length <= most, () => `${what}: ${read.length} characters became ${written.length}`)
}
