/** How the rules of the Gemini API look at a request, and how a refusal of it is made. */

import { asArray, asRecord } from '../../domain/json.ts'
import type { Rule, StrictRequest } from './rule.ts'

export type GeminiFields = Readonly<Record<string, unknown>>

type Problem = string | null | undefined

/** A rule of this service: every refusal of a body is 400 `INVALID_ARGUMENT`. */
export function geminiRule(id: string, source: string, problemOf: (request: StrictRequest) => Problem): Rule {
  return {
    id,
    source,
    checkedAt: '2026-11-29',
    refuse: (request) => {
      const message = problemOf(request)
      if (message === null || message === undefined) return null
      const error = { code: 400, message, status: 'INVALID_ARGUMENT', details: detailsOf(message) }
      return { status: 400, body: { error } }
    },
  }
}

/** A body that cannot be read is described field by field as well: https://google.aip.dev/193 */
function detailsOf(message: string): readonly unknown[] | undefined {
  if (!/^Invalid (?:JSON payload received|value at)/.test(message)) return undefined
  const fieldViolations = message.split('\n').map((description) => {
    return { field: / at '([^']*)'/.exec(description)?.[1] ?? '', description }
  })
  return [{ '@type': 'type.googleapis.com/google.rpc.BadRequest', fieldViolations }]
}

/** Whatever the validation of the request finds comes as a list, each line with its place. */
export function violations(found: readonly string[]): string | null {
  return found.length === 0 ? null : found.map((line) => `* ${line}\n`).join('')
}

/** `generateContent`, `batchEmbedContents`, …: what stands behind the last colon of the path. */
export function operationOf({ path }: StrictRequest): string {
  return /:(\w+)(?:\?.*)?$/.exec(path)?.[1] ?? ''
}

export function isGeneration(request: StrictRequest): boolean {
  return ['generateContent', 'streamGenerateContent'].includes(operationOf(request))
}

export const snakeCase = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)

/** A field under its camelCase name or, as JSON of protocol buffers may be written, in snake_case. */
export function read(fields: GeminiFields | undefined, name: string): unknown {
  return fields?.[name] ?? fields?.[snakeCase(name)]
}

export function readRecord(fields: GeminiFields | undefined, name: string): GeminiFields | undefined {
  return asRecord(read(fields, name))
}

export function readList(fields: GeminiFields | undefined, name: string): readonly GeminiFields[] {
  return (asArray(read(fields, name)) ?? []).map((item) => asRecord(item) ?? {})
}

/** One entry of `contents`. */
export interface GeminiContent {
  readonly role: unknown
  readonly parts: readonly GeminiFields[]
  /** `GenerateContentRequest.contents[0]` */
  readonly place: string
}

export function contentsOf({ body }: StrictRequest): readonly GeminiContent[] {
  return readList(body, 'contents').map((content, index) => ({
    role: content['role'],
    parts: readList(content, 'parts'),
    place: `GenerateContentRequest.contents[${index}]`,
  }))
}

/** A function declaration and where it is. */
interface PlacedDeclaration {
  readonly declaration: GeminiFields
  readonly place: string
}

export function declarationsOf({ body }: StrictRequest): readonly PlacedDeclaration[] {
  return readList(body, 'tools').flatMap((tool, at) =>
    readList(tool, 'functionDeclarations').map((declaration, index) => ({
      declaration,
      place: `GenerateContentRequest.tools[${at}].function_declarations[${index}]`,
    })),
  )
}

export function configOf({ body }: StrictRequest): GeminiFields {
  return readRecord(body, 'generationConfig') ?? {}
}
