/**
 * Ids of tool calls as a service takes them: an id that it refuses becomes another, the same in every turn, and ids that
 * came twice (`call_0` in each turn of a local server) become different ones.
 */

import { createHash } from 'node:crypto'
import type { DialectId, Message, Part } from '../../domain/chat.ts'
import type { ModelWire } from '../../domain/wireFacts.ts'
import { mapped } from './mapped.ts'
import { tellsOfCalls } from './pairing.ts'

interface IdRule {
  readonly taken: RegExp
  /** Characters of the id that is made instead. */
  readonly length: number
}

/**
 * OpenAI: "string too long. Expected a string with maximum length 40" in chat, 64 in Responses; Anthropic: "String should
 * match pattern '^[a-zA-Z0-9_-]+$'".
 */
const RULES: { readonly [D in DialectId]: IdRule } = {
  openai: { taken: /^.{1,40}$/s, length: 40 },
  'openai-responses': { taken: /^.{1,64}$/s, length: 40 },
  anthropic: { taken: /^[a-zA-Z0-9_-]+$/, length: 40 },
  google: { taken: /^./s, length: 40 },
}

export function fitCallIds(messages: readonly Message[], dialect: DialectId, wire: ModelWire): readonly Message[] {
  if (!messages.some(tellsOfCalls)) return messages
  const ids = new CallIds(ruleOf(dialect, wire))
  return mapped(messages, (message) => {
    const content = tellsOfCalls(message) ? mapped(message.content, (part) => ids.fit(part)) : message.content
    return content === message.content ? message : { ...message, content }
  })
}

function ruleOf(dialect: DialectId, { toolCallIdLength: length }: ModelWire): IdRule {
  return length === undefined ? RULES[dialect] : { taken: new RegExp(`^[a-zA-Z0-9]{${length}}$`), length }
}

class CallIds {
  readonly #rule: IdRule
  readonly #used = new Set<string>()
  /** By the client's id: the ids of its calls that have no result yet, or else the last one. */
  readonly #open = new Map<string, { readonly ids: readonly string[]; readonly answered: number }>()

  constructor(rule: IdRule) {
    this.#rule = rule
  }

  fit(part: Part): Part {
    if (part.type === 'tool-call') return changed(part, 'id', this.#idFor(part.id))
    return part.type === 'tool-result' ? changed(part, 'toolCallId', this.#idOf(part.toolCallId)) : part
  }

  #idFor(id: string): string {
    let count = 0
    let made = this.#made(id, count)
    while (this.#used.has(made)) made = this.#made(id, ++count)
    this.#used.add(made)
    const open = this.#open.get(id)
    const waiting = open?.ids.slice(open.answered) ?? []
    this.#open.set(id, { ids: [...waiting, made], answered: 0 })
    return made
  }

  /** Results come in the order of their calls; a second one to the same call keeps its id. */
  #idOf(id: string): string {
    const open = this.#open.get(id)
    if (open === undefined) return this.#made(id, 0)
    this.#open.set(id, { ...open, answered: Math.min(open.answered + 1, open.ids.length) })
    return open.ids[Math.min(open.answered, open.ids.length - 1)] ?? id
  }

  #made(id: string, count: number): string {
    const { taken, length } = this.#rule
    if (count === 0 && taken.test(id)) return id
    return createHash('sha256').update(`${count} ${id}`).digest('hex').slice(0, length)
  }
}

function changed<P extends Part, F extends keyof P>(part: P, field: F, value: P[F]): P {
  return part[field] === value ? part : { ...part, [field]: value }
}
