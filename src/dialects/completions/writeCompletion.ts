/** Completions as their clients read them: `text_completion`, whole or in chunks. */

import type { ChatChunk, ChatRequest, ChatResponse, FinishReason, Usage } from '../../domain/chat.ts'
import type { AnswerFacts, ClientError, Dialect, StreamWriter } from '../dialect.ts'
import { promptEnvelope, secondsOf } from '../openai/fields.ts'
import { writeChatUsage } from '../openai/usage.ts'
import { writeChatFinishReason } from '../openaiChat/answer.ts'
import { openaiChatDialect } from '../openaiChat/openaiChat.ts'
import { sseText } from '../stream/sse.ts'
import type { AskedCompletion } from './readCompletions.ts'

/** What a client of completions reads and writes; to upstreams they are chats. */
export function completionForm(asked: AskedCompletion): Dialect {
  return {
    id: 'openai',
    client: {
      readRequest: () => asked.request,
      writeResponse: (response, request, facts) => writeCompletions([[asked, response]], request.model, facts),
      streamWriter: (request, facts) => new CompletionStreamWriter(asked, request, facts),
      writeError: promptEnvelope,
    },
    upstream: openaiChatDialect.upstream,
  }
}

/** The answers to the prompts, in the order of their choices. */
export function writeCompletions(
  answers: readonly (readonly [AskedCompletion, ChatResponse])[],
  model: string,
  facts: AnswerFacts = {},
): unknown {
  const first = answers[0]?.[1]
  const usage = sumOf(answers.flatMap(([, response]) => response.usage ?? []))
  return {
    id: first?.id ?? facts.id ?? 'cmpl-0',
    object: 'text_completion',
    created: secondsOf(facts.now),
    model: first?.model || model,
    choices: answers.map(([{ prompt, echo }, response], index) => ({
      text: (echo ? prompt : '') + textIn(response),
      index,
      logprobs: null,
      finish_reason: writeFinish(response.finishReason),
    })),
    ...(usage !== undefined && { usage: writeChatUsage(usage) }),
  }
}

function textIn({ content }: ChatResponse): string {
  return content.map((part) => (part.type === 'text' ? part.text : '')).join('')
}

/** A completion knows no tools. */
const writeFinish = (reason: FinishReason) => (reason === 'tool_calls' ? 'stop' : writeChatFinishReason(reason))

/** Undefined without any; what one of them does not say, the sum does not say. */
export function sumOf([first, ...more]: readonly Usage[]): Usage | undefined {
  return more.reduce<Usage | undefined>((sum, usage) => sum && added(sum, usage), first)
}

const DETAILS = ['cachedInputTokens', 'cacheWriteTokens', 'reasoningTokens', 'reportedCostUsd'] as const

function added(one: Usage, other: Usage): Usage {
  const details = DETAILS.flatMap((name) => {
    const [left, right] = [one[name], other[name]]
    return left === undefined || right === undefined ? [] : [[name, left + right] as const]
  })
  return {
    inputTokens: one.inputTokens + other.inputTokens,
    outputTokens: one.outputTokens + other.outputTokens,
    totalTokens: one.totalTokens + other.totalTokens,
    estimated: one.estimated || other.estimated,
    ...Object.fromEntries(details),
  }
}

export class CompletionStreamWriter implements StreamWriter {
  readonly #asked: AskedCompletion
  readonly #wantsUsage: boolean
  readonly #created: number
  readonly #index: number
  #id: string
  #model: string
  #usage: Usage | undefined
  #hasEchoed = false

  /** `index`: of its choice, where there are several. */
  constructor(asked: AskedCompletion, request: ChatRequest, facts: AnswerFacts = {}, index = 0) {
    this.#asked = asked
    this.#wantsUsage = request.wantsUsage === true
    this.#created = secondsOf(facts.now)
    this.#index = index
    this.#id = facts.id ?? 'cmpl-0'
    this.#model = request.model
  }

  write(chunk: ChatChunk): string {
    switch (chunk.type) {
      case 'start':
        this.#id = chunk.id ?? this.#id
        this.#model = chunk.model ?? this.#model
        return ''
      case 'text-delta':
        return chunk.text === '' ? '' : this.#choice(chunk.text, null)
      case 'usage':
        this.#usage = chunk.usage
        return ''
      case 'finish':
        return this.#choice('', writeFinish(chunk.finishReason))
      case 'end':
        return this.usage(this.#usage) + DONE
      default:
        return ''
    }
  }

  /** Without `[DONE]` and without a finish reason; the code is the status, as in the chunks of chats. */
  fail(error: ClientError): string {
    if (error.tooLong !== undefined) return sseText(JSON.stringify(promptEnvelope(error)))
    const said = promptEnvelope({ ...error, numericCode: true }).error
    return sseText(JSON.stringify({ error: error.numericCode ? said : { ...said, code: String(error.status) } }))
  }

  /** The chunk with the usage, for a client that asked for it. */
  usage(usage: Usage | undefined): string {
    if (!this.#wantsUsage || usage === undefined) return ''
    return sseText(JSON.stringify({ ...this.#head(), choices: [], usage: writeChatUsage(usage) }))
  }

  #choice(written: string, finish: string | null): string {
    const text = this.#asked.echo && !this.#hasEchoed ? this.#asked.prompt + written : written
    this.#hasEchoed = true
    const choices = [{ text, index: this.#index, logprobs: null, finish_reason: finish }]
    return sseText(JSON.stringify({ ...this.#head(), choices, ...(this.#wantsUsage && { usage: null }) }))
  }

  #head() {
    return { id: this.#id, object: 'text_completion', created: this.#created, model: this.#model }
  }
}

/** The end of a whole stream. */
export const DONE = sseText('[DONE]')
