/** Gives an answer back in the words of the request that was fitted to its service. */

import type { ChatChunk, ChatResponse, ChunkOf, TokenLogprob, ToolCallPart } from '../../domain/chat.ts'
import { asRecord, asString } from '../../domain/json.ts'
import { parseJson } from '../../domain/parseJson.ts'
import type { Dialect, ReadResponse, StreamReader } from '../dialect.ts'
import type { AnswerChanges } from './answerChanges.ts'
import { inputIn } from './customTool.ts'
import { StopCutter } from './stopCutter.ts'

type AnswerPart = ChatResponse['content'][number]
type CallFacts = Pick<ToolCallPart, 'name' | 'custom'>

/** The dialect, reading answers with the changes applied. */
export function withChanges(dialect: Dialect, changes: AnswerChanges): Dialect {
  const { upstream } = dialect
  return {
    ...dialect,
    upstream: {
      ...upstream,
      changesAnswers: true,
      readResponse: (body) => changedRead(upstream.readResponse(body), changes),
      streamReader: () => new ChangedStream(upstream.streamReader(), changes),
    },
  }
}

function changedRead(read: ReadResponse, changes: AnswerChanges): ReadResponse {
  return read.ok ? { ...read, response: changedResponse(read.response, changes) } : read
}

function changedResponse(response: ChatResponse, changes: AnswerChanges): ChatResponse {
  const others = response.others?.map((other) => changedChoice({ model: '', ...other }, changes))
  const first = changedChoice(response, changes)
  return others === undefined ? first : { ...first, others }
}

function changedChoice(response: ChatResponse, changes: AnswerChanges): ChatResponse {
  const content = response.content.map((part): AnswerPart => {
    if (part.type === 'tool-call') return changedCall(part, changes)
    return part.type === 'text' ? { ...part, text: unwrapped(part.text, changes) } : part
  })
  return changes.stop === undefined ? { ...response, content } : cut({ ...response, content }, changes.stop)
}

function changedCall(call: ToolCallPart, changes: AnswerChanges): ToolCallPart {
  const facts = factsOf(call, changes)
  return { ...call, ...facts, arguments: argumentsOf(call, facts, changes) }
}

function factsOf({ name, custom }: CallFacts, { toolNames, customTools }: AnswerChanges): CallFacts {
  const own = toolNames?.get(name) ?? name
  return custom || customTools?.has(own) ? { name: own, custom: true } : { name: own }
}

/** As the client knows them. */
function argumentsOf(
  call: CallFacts & Pick<ToolCallPart, 'arguments'>,
  facts: CallFacts,
  changes: AnswerChanges,
): string {
  if (facts.custom && !call.custom) return inputIn(call.arguments)
  return changes.argumentNames?.get(facts.name)?.back(call.arguments) ?? call.arguments
}

const isWrapped = ({ textIn, jsonIn }: AnswerChanges) => textIn !== undefined || jsonIn !== undefined

/** What a field of a JSON answer holds, as text or as JSON; the answer as it is when it is none of that form. */
function unwrapped(text: string, { textIn, jsonIn }: AnswerChanges): string {
  if (textIn !== undefined) return asString(objectIn(text)?.[textIn]) ?? text
  if (jsonIn === undefined) return text
  const value = objectIn(text)?.[jsonIn]
  return value === undefined ? withoutBeginning(text, jsonIn) : JSON.stringify(value)
}

/** Of an answer that was cut: what it says of the field. */
function withoutBeginning(text: string, field: string): string {
  const begin = text.indexOf('{')
  const [beginning = ''] = /^\{\s*("[^"]*")\s*:\s*/.exec(text.slice(Math.max(0, begin))) ?? []
  return beginning.includes(JSON.stringify(field)) ? text.slice(begin + beginning.length) : text
}

/** Models put fences and prose around it. */
function objectIn(text: string): Record<string, unknown> | undefined {
  try {
    return asRecord(parseJson(text.slice(text.indexOf('{'), text.lastIndexOf('}') + 1)))
  } catch {
    return undefined // better said in the wrong form than not at all
  }
}

/** Ends where the caller wanted the end. */
function cut(response: ChatResponse, stop: readonly string[]): ChatResponse {
  const cutter = new StopCutter(stop)
  const content: AnswerPart[] = []
  for (const part of response.content) {
    if (part.type !== 'text') content.push(part)
    else content.push({ ...part, text: cutter.push(part.text) + cutter.end() })
    if (cutter.found === null) continue
    const { logprobs } = response
    const length = content.reduce((sum, one) => sum + (one.type === 'text' ? one.text.length : 0), 0)
    const kept = logprobs && { logprobs: tokensWithin(logprobs, length) }
    return { ...response, ...kept, content, finishReason: 'stop', stopSequence: cutter.found }
  }
  return { ...response, content }
}

/** Those that begin within so many characters. */
function tokensWithin(tokens: readonly TokenLogprob[], length: number): readonly TokenLogprob[] {
  let at = 0
  return tokens.filter(({ token }) => {
    const begin = at
    at += token.length
    return begin < length
  })
}

class ChangedStream implements StreamReader {
  /** The bytes say something else than what the client is to read. */
  readonly isForeign = true
  readonly #reader: StreamReader
  readonly #changes: AnswerChanges
  readonly #cutter: StopCutter | null
  /** The indexes of calls whose arguments are known only when they are whole. */
  readonly #held = new Set<number>()
  readonly #isSeveral: boolean
  readonly #others = new Map<number, ChangedStream>()
  #text = ''
  #logprobs: TokenLogprob[] = []
  /** Characters of the text that came, and of it that the client has been told. */
  #read = 0
  #told = 0
  #isOver = false

  constructor(reader: StreamReader, changes: AnswerChanges) {
    this.#reader = reader
    this.#changes = changes
    this.#isSeveral = (changes.answers ?? 1) > 1
    this.#cutter = changes.stop === undefined ? null : new StopCutter(changes.stop)
  }

  /** The answer ended although the upstream still writes; where it writes several, the others may go on. */
  get isOver(): boolean {
    return this.#isOver && !this.#isSeveral
  }

  push(event: string, data: string, incomplete?: boolean): readonly ChatChunk[] {
    return this.#changed(this.#reader.push(event, data, incomplete))
  }

  readRun(bytes: Buffer): string | null {
    const isPlain = this.#cutter === null && !isWrapped(this.#changes)
    return isPlain ? (this.#reader.readRun?.(bytes) ?? null) : null
  }

  end(): readonly ChatChunk[] {
    return this.#changed(this.#reader.end())
  }

  #changed(chunks: readonly ChatChunk[]): readonly ChatChunk[] {
    return chunks.flatMap((chunk) => {
      if (this.#isOver) return this.#isSeveral && BEHIND.has(chunk.type) ? this.#change(chunk) : []
      return this.#change(chunk)
    })
  }

  #change(chunk: ChatChunk): readonly ChatChunk[] {
    switch (chunk.type) {
      case 'text-delta':
        return this.#textOf(chunk)
      case 'tool-call-start':
        return this.#startCall(chunk)
      case 'tool-call-delta':
        return this.#held.has(chunk.index) ? [] : [chunk]
      case 'tool-call':
        return this.#finishCall(chunk)
      case 'other':
        return this.#other(chunk)
      case 'media':
      case 'finish':
        return this.#behindText(chunk)
      default:
        return [chunk]
    }
  }

  /** Each is changed like the first. */
  #other({ index, chunk }: ChunkOf<'other'>): readonly ChatChunk[] {
    const other = this.#others.get(index) ?? new ChangedStream(this.#reader, this.#changes)
    this.#others.set(index, other)
    const changed = other.#changed([chunk]).filter(({ type }) => type !== 'end')
    return changed.map((one): ChatChunk => ({ type: 'other', index, chunk: one }))
  }

  #textOf(chunk: ChunkOf<'text-delta'>): readonly ChatChunk[] {
    const { text, logprobs = [] } = chunk
    if (!isWrapped(this.#changes)) return this.#cutter === null ? [chunk] : this.#cut(this.#cutter, text, logprobs)
    this.#text += text
    this.#logprobs.push(...logprobs)
    return []
  }

  #cut(cutter: StopCutter, text: string, logprobs: readonly TokenLogprob[]): readonly ChatChunk[] {
    const kept = cutter.push(text)
    this.#told += kept.length
    const within = cutter.found === null ? logprobs : tokensWithin(logprobs, this.#told - this.#read)
    this.#read += text.length
    const said = textChunk(kept, within)
    if (cutter.found === null) return said
    this.#isOver = true
    const finish: ChatChunk = { type: 'finish', finishReason: 'stop', stopSequence: cutter.found }
    return [...said, finish, ...(this.#isSeveral ? [] : [END])]
  }

  /** What waited for more text; with it the answer may be over. */
  #heldText(): readonly ChatChunk[] {
    const chunks = this.#unwrappedText()
    if (this.#isOver || this.#cutter === null) return chunks
    const rest = this.#cutter.end()
    this.#told += rest.length
    return [...chunks, ...textChunk(rest)]
  }

  #unwrappedText(): readonly ChatChunk[] {
    if (this.#text === '' && this.#logprobs.length === 0) return []
    const text = unwrapped(this.#text, this.#changes)
    const logprobs = this.#logprobs
    this.#text = ''
    this.#logprobs = []
    return this.#cutter === null ? textChunk(text, logprobs) : this.#cut(this.#cutter, text, logprobs)
  }

  #behindText(chunk: ChatChunk): readonly ChatChunk[] {
    const held = this.#heldText()
    return this.#isOver ? held : [...held, chunk]
  }

  #startCall(chunk: ChunkOf<'tool-call-start'>): readonly ChatChunk[] {
    const facts = factsOf(chunk, this.#changes)
    const isRenamed = this.#changes.argumentNames?.has(facts.name) ?? false
    if (isRenamed || (facts.custom && !chunk.custom)) this.#held.add(chunk.index)
    return this.#behindText({ ...chunk, ...facts })
  }

  #finishCall(chunk: ChunkOf<'tool-call'>): readonly ChatChunk[] {
    const facts = factsOf(chunk, this.#changes)
    const text = argumentsOf(chunk, facts, this.#changes)
    const delta: ChatChunk = { type: 'tool-call-delta', index: chunk.index, arguments: text }
    const hidden = this.#held.has(chunk.index) && text !== ''
    return [...(hidden ? [delta] : []), { ...chunk, ...facts, arguments: text }]
  }
}

const END: ChatChunk = { type: 'end' }
/** What belongs to the whole stream, and to the others of several answers. */
const BEHIND: ReadonlySet<ChatChunk['type']> = new Set(['other', 'usage', 'error', 'end'])

function textChunk(text: string, logprobs: readonly TokenLogprob[] = []): readonly ChatChunk[] {
  if (logprobs.length > 0) return [{ type: 'text-delta', text, logprobs }]
  return text === '' ? [] : [{ type: 'text-delta', text }]
}
