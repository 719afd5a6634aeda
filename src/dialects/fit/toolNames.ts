/** Names of tools as a service takes them, and back. */

import type { DialectId, Tool } from '../../domain/chat.ts'
import type { ModelWire } from '../../domain/wireFacts.ts'
import { AllowedNames, type NameRule } from './allowedNames.ts'

/**
 * OpenAI: https://platform.openai.com/docs/api-reference/chat/create#tools; Anthropic:
 * https://platform.claude.com/docs/en/agents-and-tools/tool-use/define-tools; Gemini, whose names also begin with a
 * letter or an underscore: https://ai.google.dev/api/caching#FunctionDeclaration
 */
const OPENAI: NameRule = { refused: /[^a-zA-Z0-9_-]/g, first: /^/, maxLength: 64 }
const RULES: { readonly [D in DialectId]: NameRule } = {
  openai: OPENAI,
  'openai-responses': OPENAI,
  anthropic: { refused: /[^a-zA-Z0-9_-]/g, first: /^/, maxLength: 128 },
  google: { refused: /[^a-zA-Z0-9_.:-]/g, first: /^[a-zA-Z_]/, maxLength: 64 },
}

/** Whether the service is known to refuse the name. */
export function isRefusedName(name: string, dialect: DialectId, { toolNameLength }: ModelWire): boolean {
  const { refused, first, maxLength } = RULES[dialect]
  return name.length > (toolNameLength ?? maxLength) || name.search(refused) >= 0 || !first.test(name)
}

export class ToolNames extends AllowedNames {
  constructor(tools: readonly Tool[], dialect: DialectId, wire: ModelWire) {
    const rule = RULES[dialect]
    super(
      tools.map(({ name }) => name),
      { ...rule, maxLength: wire.toolNameLength ?? rule.maxLength },
    )
  }
}
