/** A custom tool for services that know only functions: a function of one text, and back. */

import type { Extra, Tool, ToolCallPart } from '../../domain/chat.ts'
import { asRecord, asString } from '../../domain/json.ts'

const FIELD = 'input'

export function functionFor({ name, description, custom, strict }: Tool): Tool {
  const grammar = custom?.grammar
  const form = grammar && `The input must match this ${grammar.syntax} grammar:\n${grammar.definition}`
  return {
    name,
    description: [description, form].filter((text) => text !== undefined).join('\n\n') || undefined,
    parameters: {
      type: 'object',
      properties: { [FIELD]: { type: 'string', description: 'The whole input of the tool, as plain text.' } },
      required: [FIELD],
      additionalProperties: false,
    },
    strict,
  }
}

export function inputAsArguments({ custom: _, extra, ...call }: ToolCallPart): ToolCallPart {
  return { ...call, ...(extra && { extra: withoutId(extra) }), arguments: JSON.stringify({ [FIELD]: call.arguments }) }
}

/** "Expected an ID that begins with 'fc'": the id of an item says what kind of call it is. */
function withoutId({ fields: { id: _, ...fields }, ...extra }: Extra): Extra {
  return { ...extra, fields }
}

/** The text in a function's arguments; the arguments themselves when the model did not keep to the form. */
export function inputIn(text: string): string {
  try {
    return asString(asRecord(JSON.parse(text))?.[FIELD]) ?? text
  } catch {
    return text // the caller's tool is told what the model wrote
  }
}
