/**
 * Numeric options are read as JavaScript's numbers, for limits and costs, and written as the client spelled them:
 * 9007199254740993 is not …992, and 0.1000000000000000055 not 0.1.
 */

import type { ChatRequest, NumericOption } from '../../domain/chat.ts'
import { isRawNumber } from '../../domain/rawNumber.ts'
import type { Fields } from './requestFields.ts'

/** Where the options stand in a body; absent for those that its dialect does not have. */
export type OptionNames = { readonly [O in NumericOption]?: string }

/** Many services take 64 for a whole number and refuse 64.0. */
const WHOLE: ReadonlySet<string> = new Set(['maxTokens', 'topK', 'seed'] satisfies NumericOption[])

/** Those options whose spelling JavaScript's numbers would change; undefined for most requests. */
export function readSpelling(fields: Fields, names: OptionNames): ChatRequest['spelled'] {
  let spelled: Record<string, unknown> | undefined
  for (const option in names) {
    const value = fields[names[option as NumericOption] ?? ''] // of its own type
    if (typeof value !== 'object' || value === null || !isRawNumber(value)) continue
    if (WHOLE.has(option) && Number.isSafeInteger(Number(value.rawJSON))) continue
    spelled ??= {}
    spelled[option] = value
  }
  return spelled
}

/** What is to be written for an option: the client's spelling, unless the option was changed since it was read. */
export function asSpelled(request: ChatRequest, option: NumericOption): unknown {
  const value = request[option]
  const spelled = value === undefined ? undefined : request.spelled?.[option]
  return typeof spelled === 'object' && spelled !== null && isRawNumber(spelled) && Number(spelled.rawJSON) === value
    ? spelled
    : value
}
