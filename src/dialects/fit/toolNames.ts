/** Names of tools as a service takes them, and back. */

import { createHash } from 'node:crypto'
import type { DialectId, Tool } from '../../domain/chat.ts'
import type { ModelWire } from '../../domain/wireFacts.ts'

interface NameRule {
  readonly refused: RegExp
  readonly first: RegExp
  readonly maxLength: number
}

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
const HASH_LENGTH = 8

export class ToolNames {
  readonly #rule: NameRule
  readonly #written = new Map<string, string>()
  readonly #taken = new Set<string>()

  constructor(tools: readonly Tool[], dialect: DialectId, wire: ModelWire) {
    const rule = RULES[dialect]
    this.#rule = { ...rule, maxLength: wire.toolNameLength ?? rule.maxLength }
    for (const { name } of tools) if (this.#shortened(name) === name) this.#taken.add(name)
    for (const { name } of tools) this.of(name)
  }

  /** The name for the service; the same for every mention in the conversation. */
  of(name: string): string {
    const known = this.#written.get(name)
    if (known !== undefined) return known
    const plain = this.#shortened(name)
    const written = plain !== name && this.#taken.has(plain) ? this.#marked(plain, name) : plain
    this.#written.set(name, written)
    this.#taken.add(written)
    return written
  }

  /** From the service's names to the client's, where they differ. */
  get back(): ReadonlyMap<string, string> {
    return new Map(
      [...this.#written].filter(([name, written]) => name !== written).map(([name, written]) => [written, name]),
    )
  }

  #shortened(name: string): string {
    const { refused, first, maxLength } = this.#rule
    const legal = name.replace(refused, '_')
    const begun = first.test(legal) ? legal : `_${legal}`
    return begun.length > maxLength ? this.#marked(begun, name) : begun
  }

  /** Cut, with a mark of the whole name, so that two long names with the same beginning stay two. */
  #marked(legal: string, name: string): string {
    const mark = createHash('sha256').update(name).digest('hex').slice(0, HASH_LENGTH)
    return `${legal.slice(0, this.#rule.maxLength - HASH_LENGTH - 1)}_${mark}`
  }
}
