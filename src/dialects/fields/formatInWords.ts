/** The form of an answer, asked for in words where a service has no field for it. */

import type { ResponseFormat } from '../../domain/chat.ts'
import { objectToText } from './toolArguments.ts'

/** Undefined where any text will do. */
export function formatInWords(format: ResponseFormat | undefined): string | undefined {
  if (format?.type === 'json') return 'Answer with one JSON object and nothing else: no prose, no code fence.'
  if (format?.type !== 'json-schema') return undefined
  return `Answer with JSON that satisfies this JSON Schema and nothing else: no prose, no code fence.\n${objectToText(format.schema)}`
}
