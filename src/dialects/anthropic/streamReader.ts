/** An upstream's streamed Messages answer: https://platform.claude.com/docs/en/build-with-claude/streaming */

import type { ChatChunk, Citation } from '../../domain/chat.ts'
import { asArray, asNumber, asRecord, asString } from '../../domain/json.ts'
import { parseJson } from '../../domain/parseJson.ts'
import type { StreamReader } from '../dialect.ts'
import type { Fields } from '../fields/requestFields.ts'
import { objectToText, textToObject } from '../fields/toolArguments.ts'
import { readCitation } from './citations.ts'
import { readAnthropicSignature } from './content.ts'
import { anthropicErrorStatus, isError } from './error.ts'
import { readRefusal, readStopReason } from './finishReason.ts'
import { readServerCode } from './serverCode.ts'
import { type BlockFacts, type BlockKind, StreamBlock } from './streamBlock.ts'
import { addCounts, type UsageCounts, usageOf } from './usage.ts'

/** A text block and what it cites. */
interface Cited {
  readonly start: number
  readonly block: StreamBlock
  readonly raws: unknown[]
}

const NONE: readonly ChatChunk[] = []
const KINDS: ReadonlyMap<unknown, BlockKind> = new Map([
  ['text', 'text'],
  ['thinking', 'reasoning'],
  ['redacted_thinking', 'reasoning'],
  ['tool_use', 'tool-call'],
  ['server_tool_use', 'server-tool'],
])
/** Answers cannot be taken back, so a second telling that differs from the first is an answer that broke off. */
const CONTRADICTION = {
  type: 'error',
  error: { type: 'api_error', message: 'the upstream began its answer anew and contradicted what it had said' },
}

export class AnthropicStreamReader implements StreamReader {
  #out: ChatChunk[] = []
  #blocks = new Map<number, StreamBlock>()
  /** What the message before a restart had begun. */
  #before = new Map<number, StreamBlock>()
  #counts: UsageCounts = {}
  #calls = 0
  /** Characters of text so far, and the sources of each block of it. */
  #length = 0
  #cited = new Map<number, Cited>()
  #started = false
  #finished = false
  /** After an error or the end nothing counts. */
  #over = false

  push(event: string, data: string, incomplete = false): readonly ChatChunk[] {
    if (this.#over) return NONE
    this.#out = []
    const fields = parse(data)
    if (fields === undefined) {
      if (!incomplete) this.#fail(data, undefined)
    } else if (isError(fields)) this.#fail(fields, anthropicErrorStatus(fields))
    else this.#read(asString(fields['type']) ?? event, fields)
    return this.#out
  }

  /** `message_stop` arrived; what was held back without it is not an answer. */
  end(): readonly ChatChunk[] {
    this.#over = true
    return NONE
  }

  #read(type: string, fields: Fields): void {
    if (type === 'message_start') this.#messageStart(asRecord(fields['message']) ?? {})
    else if (type === 'content_block_start') this.#blockStart(indexOf(fields), asRecord(fields['content_block']) ?? {})
    else if (type === 'content_block_delta') this.#blockDelta(indexOf(fields), asRecord(fields['delta']) ?? {})
    else if (type === 'content_block_stop') this.#close(this.#blocks.get(indexOf(fields)))
    else if (type === 'message_delta') this.#messageDelta(fields)
    else if (type === 'message_stop') this.#messageStop()
  }

  #messageStart(message: Fields): void {
    if (this.#started) {
      for (const [index, block] of this.#blocks) this.#before.set(index, block)
      this.#blocks = new Map()
      this.#counts = {}
    } else {
      this.#started = true
      this.#out.push({ type: 'start', id: asString(message['id']), model: asString(message['model']) })
    }
    this.#usage(message['usage'])
  }

  #usage(raw: unknown): void {
    this.#counts = addCounts(this.#counts, raw)
    const usage = asRecord(raw) && usageOf(this.#counts)
    if (usage) this.#out.push({ type: 'usage', usage })
  }

  #blockStart(index: number, content: Fields): void {
    this.#close(this.#blocks.get(index))
    const block = this.#open(index, content)
    if (!block) return
    this.#begin(index, block)
    this.#take(block, content['text'] ?? content['thinking'])
    for (const raw of asArray(content['citations']) ?? []) this.#cite(index, raw)
    if (block.facts.kind === 'reasoning') this.#sign(block, content['signature'] ?? content['data'], content)
  }

  #open(index: number, content: Fields): StreamBlock | undefined {
    const facts = this.#facts(content)
    const whole = content['input'] === undefined ? '' : objectToText(content['input'])
    const block = this.#retold(index, facts, whole) ?? new StreamBlock(facts, whole)
    if (this.#over) return undefined
    this.#blocks.set(index, block)
    if (facts.kind === 'unknown' || facts.kind === 'server-tool') this.#out.push({ type: 'opaque' })
    if (facts.kind === 'unknown') this.#say(readServerCode(content)?.text ?? '')
    if (facts.kind === 'tool-call' && block.facts === facts) {
      this.#calls++
      this.#out.push({ type: 'tool-call-start', index: facts.callIndex, id: facts.id, name: facts.name })
    }
    return block
  }

  /** The block from before a restart that is now repeated. */
  #retold(index: number, facts: BlockFacts, whole: string): StreamBlock | undefined {
    const before = this.#before.get(index)
    this.#before.delete(index)
    if (before?.facts.kind === facts.kind && before.facts.name === facts.name) return before.retell(whole)
    if (before?.isDelivered) this.#fail(CONTRADICTION, 500)
    return undefined
  }

  #facts(content: Fields): BlockFacts {
    const kind = KINDS.get(content['type']) ?? 'unknown'
    const isCall = kind === 'tool-call' || kind === 'server-tool'
    return {
      kind,
      callIndex: this.#calls,
      id: (isCall && asString(content['id'])) || `call_${this.#calls}`,
      name: (isCall && asString(content['name'])) || '',
    }
  }

  #blockDelta(index: number, delta: Fields): void {
    const text = delta['text'] ?? delta['thinking'] ?? delta['partial_json']
    const block = this.#blocks.get(index) ?? this.#openUnannounced(index, delta)
    if (!block || block.closed) return
    if (delta['citation'] != null) this.#cite(index, delta['citation'])
    this.#take(block, text)
    if (block.facts.kind === 'reasoning') this.#sign(block, delta['signature'], delta)
  }

  /** Text without its `content_block_start` is still text. */
  #openUnannounced(index: number, delta: Fields): StreamBlock | undefined {
    return delta['type'] === 'text_delta' ? this.#open(index, { type: 'text' }) : undefined
  }

  #take(block: StreamBlock, raw: unknown): void {
    const { kind, callIndex } = block.facts
    if (typeof raw !== 'string' || raw === '' || kind === 'unknown') return
    const text = block.take(raw)
    if (text === null) this.#contradict(block)
    else if (text === '' || kind === 'server-tool') return
    else if (kind === 'text') this.#say(text)
    else if (kind === 'reasoning') this.#out.push({ type: 'reasoning-delta', text })
    else this.#out.push({ type: 'tool-call-delta', index: callIndex, arguments: block.held.add(text) })
  }

  #say(text: string): void {
    if (text === '') return
    this.#length += text.length
    this.#out.push({ type: 'text-delta', text })
  }

  /** Where the block's text begins; a retold one has its place. */
  #begin(index: number, block: StreamBlock): void {
    if (block.facts.kind === 'text' && !this.#cited.has(index))
      this.#cited.set(index, { start: this.#length, block, raws: [] })
  }

  #cite(index: number, raw: unknown): void {
    this.#cited.get(index)?.raws.push(raw)
  }

  #citations(): Citation[] {
    return [...this.#cited.values()].flatMap(({ start, block, raws }) =>
      raws.flatMap((raw) => readCitation(raw, { start, end: start + block.text.length })),
    )
  }

  /** Thoughts may be thought differently the second time: those that were handed on stay, these are not needed. */
  #contradict(block: StreamBlock): void {
    if (block.facts.kind === 'reasoning') block.closed = true
    else this.#fail(CONTRADICTION, 500)
  }

  #sign(block: StreamBlock, raw: unknown, fields: Fields): void {
    const signature = readAnthropicSignature(raw)
    if (signature === undefined || block.sealed || block.closed) return
    block.sealed = true
    const redacted = fields['type'] === 'redacted_thinking'
    this.#out.push(
      redacted
        ? { type: 'reasoning-delta', text: '', signature, redacted }
        : { type: 'reasoning-delta', text: '', signature },
    )
  }

  #close(block: StreamBlock | undefined): void {
    if (!block || block.closed || this.#over) return
    const isCall = block.facts.kind === 'tool-call'
    if (isCall && block.text === '' && block.wholeArguments !== '{}') this.#take(block, block.wholeArguments)
    if (block.isBehind) this.#contradict(block)
    if (this.#over) return
    block.closed = true
    if (isCall && !block.sealed) this.#wholeCall(block)
    else if (block.facts.kind === 'server-tool') this.#ran(block)
  }

  /** Once, also when the block is told again. */
  #ran(block: StreamBlock): void {
    if (block.sealed) return
    block.sealed = true
    const input = textToObject(block.text || block.wholeArguments)
    this.#say(readServerCode({ type: 'server_tool_use', name: block.facts.name, input })?.text ?? '')
  }

  #wholeCall(block: StreamBlock): void {
    block.sealed = true
    const { callIndex: index, id, name } = block.facts
    this.#out.push({ type: 'tool-call', index, id, name, arguments: block.held.whole() })
  }

  #messageDelta(fields: Fields): void {
    const delta = asRecord(fields['delta'])
    const reason = asString(delta?.['stop_reason'])
    if (reason !== undefined) this.#finish(reason, delta)
    if (!this.#over) this.#usage(fields['usage'])
  }

  #finish(reason: string | undefined, delta: Fields | undefined): void {
    if (this.#finished) return
    for (const block of this.#blocks.values()) this.#close(block)
    for (const block of this.#before.values()) if (block.isDelivered) this.#fail(CONTRADICTION, 500)
    if (this.#over) return
    this.#finished = true
    const citations = this.#citations()
    if (citations.length > 0) this.#out.push({ type: 'citations', citations })
    const stopSequence = asString(delta?.['stop_sequence'])
    const finishReason = readStopReason(reason)
    const blocked =
      finishReason === 'content_filter' ? { blocked: readRefusal(reason, delta?.['stop_details']) } : undefined
    const container = asRecord(delta?.['container'])
    const extra = container && { extra: { dialect: 'anthropic' as const, fields: { container } } }
    this.#out.push({ type: 'finish', finishReason, stopSequence, ...blocked, ...extra })
  }

  #messageStop(): void {
    this.#finish(undefined, undefined)
    if (this.#over) return
    this.#over = true
    this.#out.push({ type: 'end' })
  }

  #fail(body: unknown, status: number | undefined): void {
    if (this.#over) return
    this.#over = true
    this.#out.push({ type: 'error', body, status })
  }
}

function parse(data: string): Fields | undefined {
  try {
    return asRecord(parseJson(data))
  } catch {
    return undefined // not JSON: reported as an error of the upstream
  }
}

function indexOf(fields: Fields): number {
  return asNumber(fields['index']) ?? 0
}
