/** Turns what a caller passes into a request: a prompt, messages, or any object that describes a situation. */

import { openaiChatDialect } from '../../dialects/openaiChat/openaiChat.ts'
import type { ChatRequest } from '../../domain/chat.ts'
import { InvalidRequestError } from '../../domain/errors.ts'
import { asArray, asRecord } from '../../domain/json.ts'
import { withoutNulls } from '../../domain/withoutNulls.ts'
import type { TemplateVariables } from '../experiments/enrol.ts'

/** Options of one call. `prompt` wins over `messages`. */
export interface CallOptions {
  /** The user's message. */
  readonly prompt?: string
  /** In the shape of OpenAI's chat API: `{ role, content }`, content a string or parts. */
  readonly messages?: readonly object[]
  /** The system prompt, put before the messages. */
  readonly system?: string
  /**
   * A target's id, `provider/model`, an alias of `settings.models`, a model id, `auto`, `auto:fast`, `auto:cheap`,
   * `auto:smart`, `auto:free`, `auto:vision` or `auto:long`. The first of these meanings counts, an alias with wildcards
   * last.
   * @default 'auto'
   */
  readonly model?: string
  /**
   * Maximum output tokens.
   * @default the target's own limit
   */
  readonly maxTokens?: number
  /**
   * Sampling temperature.
   * @default the model's own
   */
  readonly temperature?: number
  /**
   * Nucleus sampling, 0..1.
   * @default the model's own
   */
  readonly topP?: number
  /** Texts at which the answer stops. */
  readonly stop?: string | readonly string[]
  /** Makes sampling repeatable where the provider supports it. */
  readonly seed?: number
  /** `{ name, description, parameters }`, or OpenAI's `{ type: 'function', function: {…} }`. */
  readonly tools?: readonly object[]
  /**
   * Which tool the model must call; `auto`: its own choice.
   * @default 'auto'
   */
  readonly toolChoice?: 'auto' | 'none' | 'required' | { readonly name: string }
  /**
   * `'json'`, a JSON Schema, or OpenAI's `response_format`.
   * @default 'text'
   */
  readonly responseFormat?: 'json' | 'text' | object
  /**
   * How much the model thinks before it answers.
   * @default the model's own
   */
  readonly reasoning?: { readonly effort?: 'none' | 'minimal' | 'low' | 'medium' | 'high' }
  /** Ends the call; the upstream is cancelled. */
  readonly signal?: AbortSignal
  /**
   * Maximum milliseconds for the whole cascade until the first content. A target that is silent for half of what is
   * left gets the next one beside it, and the first content wins.
   * @default `settings.timeouts.total_ms`
   */
  readonly timeoutMs?: number
  /**
   * Hard cap on upstream calls.
   * @default `settings.max_attempts`
   */
  readonly maxAttempts?: number
  /**
   * The conversation, which stays on its target.
   * @default derived from the system prompt and the first user message
   */
  readonly sessionId?: string
  /** The kind of work; quality is learned per task. */
  readonly task?: string
  /** Free-form labels for budgets and reports. */
  readonly labels?: Readonly<Record<string, string>>
  /**
   * Whether another provider may be tried after one refused the content.
   * @default false
   */
  readonly retryFiltered?: boolean
  /** The experiment to enrol in. Its variants define what changes: prompt, model, provider, parameters. */
  readonly experiment?: string
  /** Values for the `{{variables}}` of the experiment's templates; with them no prompt is needed. */
  readonly variables?: TemplateVariables
}

/**
 * A string is the prompt. An object with `prompt` or `messages`, or with `experiment` and `variables`, is options; those
 * that are null count as absent. Any other object describes a situation and is rendered by the template; options in it
 * are `signal`, `timeoutMs`, `maxAttempts`, `sessionId`, `labels`, and `model` where it names a model that exists.
 */
export type CallContext = string | CallOptions | Readonly<Record<string, unknown>>

/** Writes an object as the text of a prompt. */
export type Template = (context: Readonly<Record<string, unknown>>) => string

/** A context as read: the request, and the options of the call around it. */
export interface ReadContext {
  readonly request: ChatRequest
  readonly options: CallOptions
}

/**
 * Reads a context. Throws InvalidRequestError when there is nothing to send. `isModel`: whether a name resolves to a
 * model; in a situation only such a name is an order.
 */
export function readContext(
  context: CallContext,
  stream: boolean,
  template?: Template,
  isModel: (name: string) => boolean = () => true,
): ReadContext {
  if (typeof context === 'string') return { request: requestOf({ prompt: context }, stream), options: {} }
  const record = asRecord(context)
  if (record === undefined)
    throw new InvalidRequestError(
      'the context must be a string or an object; pass a prompt, { prompt } or { messages }',
    )
  if (isPrompt(record)) {
    const options = cleaned(record as CallOptions) // the deciding fields are checked, the others are by the dialect
    return { request: requestOf(options, stream), options }
  }
  if (fillsTemplate(record)) {
    const options = cleaned(record as CallOptions) // as above
    return { request: requestOf({ ...options, messages: TO_BE_FILLED }, stream), options }
  }
  const options = pickOptions(record, isModel)
  const prompt = template === undefined ? describe(record, options) : template(record)
  if (typeof prompt !== 'string' || prompt.trim() === '') {
    throw new InvalidRequestError('the context is empty: give a prompt, messages, or fields to describe')
  }
  return { request: requestOf({ ...options, prompt }, stream), options }
}

/** The model that a situation may be asking for, if its field is an order; null for every other context. */
export function modelInSituation(context: CallContext): string | null {
  const record = asRecord(context)
  const model = record?.['model']
  if (record === undefined || typeof model !== 'string') return null
  return isPrompt(record) || fillsTemplate(record) ? null : model
}

const isPrompt = (record: Readonly<Record<string, unknown>>) =>
  typeof record['prompt'] === 'string' || isConversation(record['messages'])

const fillsTemplate = (record: Readonly<Record<string, unknown>>) =>
  typeof record['experiment'] === 'string' && asRecord(record['variables']) !== undefined

/** Without what is null. */
function cleaned(given: CallOptions): CallOptions {
  const options = withoutNulls(given)
  const { reasoning, labels, signal } = options
  if (signal !== undefined && !isSignal(signal))
    throw new InvalidRequestError('"signal" must be an AbortSignal', { parameter: 'signal' })
  if (reasoning === undefined && labels === undefined) return options
  return {
    ...options,
    ...(asRecord(reasoning) !== undefined && { reasoning: withoutNulls(reasoning ?? {}) }),
    ...(asRecord(labels) !== undefined && { labels: withoutNulls(labels ?? {}) }),
  }
}

/** Also one of another realm or of a package. */
const isSignal = (signal: AbortSignal) =>
  typeof signal.aborted === 'boolean' && typeof signal.addEventListener === 'function'

/** A placeholder: the experiment's template provides the prompt. */
const TO_BE_FILLED = [{ role: 'user', content: '' }]

function isConversation(messages: unknown): boolean {
  const list = asArray(messages)
  return (
    list !== undefined &&
    list.length > 0 &&
    list.every((message) => {
      const fields = asRecord(message)
      return typeof fields?.['role'] === 'string' && 'content' in fields
    })
  )
}

/** Options that have the same meaning beside a situation and beside a prompt. */
function pickOptions(record: Readonly<Record<string, unknown>>, isModel: (name: string) => boolean): CallOptions {
  const { model, signal, timeoutMs, maxAttempts, sessionId, labels } = record as CallOptions // each is checked below
  return {
    ...(typeof model === 'string' && isModel(model) && { model }),
    ...(signal instanceof AbortSignal && { signal }),
    ...(typeof timeoutMs === 'number' && { timeoutMs }),
    ...(typeof maxAttempts === 'number' && { maxAttempts }),
    ...(typeof sessionId === 'string' && { sessionId }),
    ...(asRecord(labels) !== undefined && { labels: withoutNulls(labels ?? {}) }),
  }
}

function requestOf(options: CallOptions, stream: boolean): ChatRequest {
  if (options.prompt !== undefined && options.prompt.trim() === '')
    throw new InvalidRequestError('the prompt is empty', { parameter: 'prompt' })
  if (isPromptAlone(options)) return promptRequest(options.prompt, options.model ?? 'auto', stream)
  const messages = options.prompt !== undefined ? [{ role: 'user', content: options.prompt }] : (options.messages ?? [])
  const system = options.system === undefined ? [] : [{ role: 'system', content: options.system }]
  const request = openaiChatDialect.client.readRequest({
    model: options.model ?? 'auto',
    messages: [...system, ...messages],
    stream,
    max_tokens: options.maxTokens,
    temperature: options.temperature,
    top_p: options.topP,
    stop: options.stop,
    seed: options.seed,
    tools: options.tools?.map(openaiTool),
    tool_choice: openaiChoice(options.toolChoice),
    response_format: openaiFormat(options.responseFormat),
    reasoning_effort: options.reasoning?.effort,
  })
  return stream ? { ...request, wantsUsage: true } : request
}

/** Options beyond the prompt, which are read as fields of OpenAI's chat API. */
const READ_BY_DIALECT = [
  'messages',
  'system',
  'maxTokens',
  'temperature',
  'topP',
  'stop',
  'seed',
  'tools',
  'toolChoice',
  'responseFormat',
  'reasoning',
] as const satisfies readonly (keyof CallOptions)[]

function isPromptAlone(options: CallOptions): options is CallOptions & { readonly prompt: string } {
  const { prompt, model = 'auto' } = options
  if (typeof prompt !== 'string' || typeof model !== 'string' || model === '') return false
  for (const name of READ_BY_DIALECT) if (options[name] !== undefined) return false
  return true
}

function promptRequest(prompt: string, model: string, stream: boolean): ChatRequest {
  const messages = [{ role: 'user', content: [{ type: 'text', text: prompt }] }] as const
  return stream ? { model, messages, stream, wantsUsage: true } : { model, messages, stream }
}

function openaiTool(tool: object): object {
  return 'function' in tool || 'type' in tool ? tool : { type: 'function', function: tool }
}

function openaiChoice(choice: CallOptions['toolChoice']): unknown {
  return typeof choice === 'object' ? { type: 'function', function: { name: choice.name } } : choice
}

function openaiFormat(format: CallOptions['responseFormat']): unknown {
  if (format === undefined || format === 'text') return undefined
  if (format === 'json') return { type: 'json_object' }
  const type = asRecord(format)?.['type']
  if (type === 'json_object' || type === 'json_schema' || type === 'text') return format
  return { type: 'json_schema', json_schema: { name: 'answer', schema: format } }
}

/**
 * The default template: one line per field, nested objects and lists indented below their name, without those that are
 * options of the call. `{ task: 'review', files: ['a.ts'] }` becomes "task: review", "files:", "  - a.ts".
 */
function describe(context: Readonly<Record<string, unknown>>, options: CallOptions): string {
  return Object.entries(context)
    .filter(([name]) => !Object.hasOwn(options, name))
    .flatMap(([name, value]) => describeField(name, value, 0))
    .join('\n')
}

/** Deeper structures are written as JSON. */
const MAX_DEPTH = 6

function describeField(name: string, value: unknown, depth: number): string[] {
  const indent = '  '.repeat(depth)
  if (value === undefined || value === null || value === '' || typeof value === 'function') return []
  if (value instanceof Date) return [`${indent}${name}: ${value.toISOString()}`]
  if (typeof value !== 'object') return [`${indent}${name}: ${String(value)}`]
  const inner = depth >= MAX_DEPTH ? [`${indent}  ${safeJson(value)}`] : describeInner(value, depth + 1)
  return inner.length === 0 ? [] : [`${indent}${name}:`, ...inner]
}

function describeInner(value: object, depth: number): string[] {
  const indent = '  '.repeat(depth)
  if (!Array.isArray(value)) return Object.entries(value).flatMap(([name, field]) => describeField(name, field, depth))
  return value.flatMap((item) =>
    typeof item === 'object' && item !== null
      ? [`${indent}-`, ...describeInner(item, depth + 1)]
      : [`${indent}- ${String(item)}`],
  )
}

function safeJson(value: unknown): string {
  try {
    return JSON.stringify(value)
  } catch {
    return '…'
  }
}
