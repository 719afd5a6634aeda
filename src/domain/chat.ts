/** The canonical request, response and stream chunk: every dialect is read into these and written from them. */

/** The wire languages keywise reads and writes, for clients and upstreams alike. */
export type DialectId = 'openai' | 'openai-responses' | 'anthropic' | 'google'

export interface TextPart {
  readonly type: 'text'
  readonly text: string
  /**
   * Fields of the part's own dialect that keywise does not interpret (`cache_control`, `annotations`), passed through
   * to the same dialect.
   */
  readonly extra?: Extra
}

/** An image; exactly one of `data` (base64, with `mediaType`) and `url` is set. */
export interface ImagePart {
  readonly type: 'image'
  readonly mediaType?: string
  readonly data?: string
  readonly url?: string
  readonly extra?: Extra
}

/**
 * A document, audio or video; one of `data` (base64, with `mediaType`) and `url` is set. Neither is set when only its
 * own dialect can express it (an uploaded file's id, an unknown kind of part): then everything is in `extra`.
 */
export interface FilePart {
  readonly type: 'file'
  readonly mediaType?: string
  readonly data?: string
  readonly url?: string
  readonly filename?: string
  /** What it says, for dialects that have no word for it (`search_result`, a document made of text). */
  readonly text?: string
  readonly extra?: Extra
}

export interface ReasoningPart {
  readonly type: 'reasoning'
  readonly text: string
  /**
   * Opaque signature from the upstream (Anthropic `signature`, Gemini `thoughtSignature`, Responses
   * `encrypted_content`). It must be echoed back, and only to the dialect that its prefix names
   * (`dialects/fields/signature.ts`).
   */
  readonly signature?: string
  /** Anthropic `redacted_thinking`: the text is hidden and only the signature is transmitted. */
  readonly redacted?: boolean
  readonly extra?: Extra
}

export interface ToolCallPart {
  readonly type: 'tool-call'
  readonly id: string
  readonly name: string
  /** The arguments as JSON text, exactly as the model wrote them; `{}` when it wrote nothing. */
  readonly arguments: string
  /** A call of a custom tool: `arguments` is free text. */
  readonly custom?: true
  /** Gemini's `thoughtSignature` of a call; must be echoed back. */
  readonly signature?: string
  readonly extra?: Extra
}

export interface ToolResultPart {
  readonly type: 'tool-result'
  readonly toolCallId: string
  /** The tool's name where the dialect states it (Gemini); otherwise looked up by `toolCallId`. */
  readonly name?: string
  readonly content: readonly (TextPart | ImagePart | FilePart)[]
  readonly isError?: boolean
  readonly extra?: Extra
}

export type Part = TextPart | ImagePart | FilePart | ReasoningPart | ToolCallPart | ToolResultPart

export type Role = 'system' | 'user' | 'assistant' | 'tool'

export interface Message {
  readonly role: Role
  readonly content: readonly Part[]
  readonly name?: string
  readonly extra?: Extra
}

export interface Tool {
  readonly name: string
  readonly description?: string
  /** JSON Schema of the arguments; absent means "no arguments". */
  readonly parameters?: Readonly<Record<string, unknown>>
  readonly strict?: boolean
  /** A custom tool of OpenAI: it takes one free text in place of arguments. */
  readonly custom?: CustomTool
  /**
   * Its own dialect names it by a type, in `extra`, and its vendor's models know it without description and parameters.
   * Default false.
   */
  readonly builtIn?: true
  readonly extra?: Extra
}

/** https://platform.openai.com/docs/guides/function-calling#custom-tools */
interface CustomTool {
  /** What the text must look like; absent: anything. */
  readonly grammar?: { readonly syntax: string; readonly definition: string }
}

export type ToolChoice = 'auto' | 'none' | 'required' | { readonly name: string }

export type ResponseFormat =
  | { readonly type: 'text' }
  | { readonly type: 'json' }
  | {
      readonly type: 'json-schema'
      readonly name?: string
      readonly schema: Readonly<Record<string, unknown>>
      readonly strict?: boolean
    }

export type ReasoningEffort = 'none' | 'minimal' | 'low' | 'medium' | 'high' | 'xhigh' | 'max'

export interface ReasoningOptions {
  readonly effort?: ReasoningEffort
  /** Maximum thinking tokens (Anthropic `budget_tokens`, Gemini `thinkingBudget`). */
  readonly budgetTokens?: number
  /** How much is left to the model (Anthropic `adaptive`). */
  readonly adaptive?: true
  /** Whether the caller wants to receive the thoughts or a summary of them. */
  readonly visible?: boolean
}

/** Fields a dialect does not know, passed unchanged to an upstream of the same dialect and dropped otherwise. */
export interface Extra {
  readonly dialect: DialectId
  readonly fields: Readonly<Record<string, unknown>>
}

/** The options that are one number. */
export type NumericOption =
  | 'maxTokens'
  | 'temperature'
  | 'topP'
  | 'topK'
  | 'seed'
  | 'frequencyPenalty'
  | 'presencePenalty'

export interface ChatRequest {
  /**
   * The model as requested: an id, `provider/model`, an alias, or `auto…`. Replaced by the upstream's own id when the
   * request is written.
   */
  readonly model: string
  readonly messages: readonly Message[]
  readonly tools?: readonly Tool[]
  readonly toolChoice?: ToolChoice
  /** The only tools that may be called; default: all. */
  readonly allowedTools?: readonly string[]
  readonly parallelToolCalls?: boolean
  readonly responseFormat?: ResponseFormat
  readonly maxTokens?: number
  readonly temperature?: number
  readonly topP?: number
  readonly topK?: number
  readonly stop?: readonly string[]
  readonly seed?: number
  readonly frequencyPenalty?: number
  readonly presencePenalty?: number
  /** The options that the client spelled with digits which JavaScript's numbers lose, as JSON to be written. */
  readonly spelled?: { readonly [O in NumericOption]?: unknown }
  readonly reasoning?: ReasoningOptions
  /** How many answers are asked for; default: one. */
  readonly answers?: number
  /** The probabilities of the answer's tokens are asked for, with so many alternatives each. */
  readonly logprobs?: { readonly top: number }
  /** The end user's id, if the caller sends one. */
  readonly user?: string
  readonly stream: boolean
  /** What a client of one of OpenAI's dialects says in fields that the other one has as well, in the words of chat. */
  readonly shared?: Readonly<Record<string, unknown>>
  /**
   * Whether a streaming client requested usage (OpenAI `stream_options.include_usage`); keywise always requests it from
   * the upstream.
   */
  readonly wantsUsage?: boolean
  readonly extra?: Extra
}

/** A picture, or a recording as a file with its media type; in answers always with `data` or `url`. */
export type MediaPart = ImagePart | FilePart

/** A page that a part of the answer rests on. */
export interface Citation {
  readonly url: string
  readonly title?: string
  /** The characters of the answer's whole text that rest on it: from `start` up to, not including, `end`. */
  readonly start?: number
  readonly end?: number
}

/** A token and the logarithm of its probability, a number as JSON spells it. */
export interface Likelihood {
  readonly token: string
  readonly logprob: unknown
  /** Its bytes, where the upstream gives them; default: those of its text. */
  readonly bytes?: readonly unknown[]
}

/** A token of the answer, and the likeliest ones in its place as far as they were asked for. */
export interface TokenLogprob extends Likelihood {
  readonly top: readonly Likelihood[]
}

/** Why an answer ended. */
export type FinishReason = 'stop' | 'length' | 'tool_calls' | 'content_filter' | 'error' | 'other'

/**
 * Tokens of one answer. `inputTokens` includes cached and cache-write tokens and `outputTokens` includes reasoning,
 * whatever the provider's own convention, so input + output = total everywhere.
 */
export interface Usage {
  /** Input tokens, cached ones included. */
  readonly inputTokens: number
  /** Output tokens, reasoning included. */
  readonly outputTokens: number
  /** The sum of both. */
  readonly totalTokens: number
  /** Read from the provider's prompt cache; part of `inputTokens`. */
  readonly cachedInputTokens?: number
  /** Written to the provider's prompt cache; part of `inputTokens`. */
  readonly cacheWriteTokens?: number
  /** Part of `outputTokens`. */
  readonly reasoningTokens?: number
  /** True when the provider reported nothing and the numbers are estimated from the text. */
  readonly estimated: boolean
  /** The cost in USD as reported by the provider (OpenRouter `usage.cost`, xAI ticks). */
  readonly reportedCostUsd?: number
  /** What has prices of its own beside plain tokens; absent for most answers. */
  readonly parts?: UsageParts
}

/** Kinds of tokens that are not text. */
export type Modality = 'audio' | 'image' | 'video'

/** What of a usage may have a price of its own. What is absent was not used, or not told. */
export interface UsageParts {
  /**
   * Of `cacheWriteTokens`: those to be kept for longer than usual: an hour at Anthropic (usual: five minutes), twelve at
   * OpenAI (usual: thirty minutes).
   */
  readonly cacheWrite1hTokens?: number
  /** Of `inputTokens`, cached ones included; text is the rest. */
  readonly input?: ModalityTokens
  /** Of `cachedInputTokens`; text is the rest. */
  readonly cached?: ModalityTokens
  /** Of `outputTokens`; text and reasoning are the rest. */
  readonly output?: ModalityTokens
  /** Uses of tools that ran at the provider, by kind (`web_search`, `file_search`, `code_interpreter`, …). */
  readonly serverTools?: Readonly<Record<string, number>>
  /**
   * How the provider says it served the call, in its own word, where that may change the price (`flex`, `priority`,
   * `batch`); absent for the usual way.
   */
  readonly serviceTier?: string
  /** Tokens of models that the called one consulted (Anthropic's advisor), in no other count. */
  readonly otherModels?: { readonly input: number; readonly output: number }
  /** Pictures made that are not counted in tokens. */
  readonly images?: number
  /** Characters of a text that was spoken. */
  readonly characters?: number
  /** Seconds of audio read or made that are not counted in tokens. */
  readonly audioSeconds?: number
  /**
   * USD that a router asks for itself, on top of what the tokens cost: they are billed to a key of the user's own at the
   * service behind it, and nobody says how much that service asks. Absent where the whole cost is reported.
   */
  readonly feeUsd?: number
}

export type ModalityTokens = { readonly [M in Modality]?: number }

/** Why a provider withheld an answer or part of it. */
export interface Blocked {
  /** The provider's own word: `SAFETY`, `PROHIBITED_CONTENT`, `refusal`, `content_filter`, … */
  readonly reason: string
  /** What the provider says beside it, unchanged: `safetyRatings`, `category`, `explanation`, `refusal`, … */
  readonly details: Readonly<Record<string, unknown>>
}

/** A further answer to a request for several. */
export type OtherAnswer = Pick<ChatResponse, 'content' | 'citations' | 'finishReason' | 'blocked' | 'logprobs'>

export interface ChatResponse {
  readonly id?: string
  /** The model the upstream reports. */
  readonly model: string
  /** Text, reasoning, tool calls, pictures and recordings in the order in which they were produced. */
  readonly content: readonly (TextPart | ReasoningPart | ToolCallPart | MediaPart)[]
  /** The sources that the text names, by their places in the whole text. */
  readonly citations?: readonly Citation[]
  readonly finishReason: FinishReason
  /** How it was served, in the provider's word, where that is said outside of `usage`; absent for the usual way. */
  readonly serviceTier?: string
  /** Present where the finish reason is `content_filter`. */
  readonly blocked?: Blocked
  /** Of the tokens of its text, where they were asked for. */
  readonly logprobs?: readonly TokenLogprob[]
  /** Where several answers were asked for: those after the first. */
  readonly others?: readonly OtherAnswer[]
  /** The answer also holds something that is not in `content` (a search, other choices, vectors): it is not empty. */
  readonly opaque?: true
  /** The stop sequence that ended the answer, if the upstream names it. */
  readonly stopSequence?: string
  /** Absent when the upstream reported no usage. */
  readonly usage?: Usage
  readonly extra?: Extra
}

/**
 * One step of a streamed answer. A complete stream is: start, deltas, finish, end. `usage` may come anywhere and the
 * last one counts. A reader whose input stops before the dialect's own end never yields `end`.
 */
export type ChatChunk =
  /** Comes again where more of it is said later. */
  | { readonly type: 'start'; readonly id?: string; readonly model?: string; readonly serviceTier?: string }
  | {
      readonly type: 'text-delta'
      readonly text: string
      /** How its own dialect says it, where that is not as text; such a piece stands alone. */
      readonly extra?: Extra
      /** Of the tokens up to here, where they were asked for; the text may be empty beside them. */
      readonly logprobs?: readonly TokenLogprob[]
    }
  | {
      readonly type: 'reasoning-delta'
      readonly text: string
      /** Sent once, in full; it ends this piece of reasoning, so whatever follows belongs to the next one. */
      readonly signature?: string
      readonly redacted?: boolean
      readonly extra?: Extra
    }
  | {
      readonly type: 'tool-call-start'
      readonly index: number
      readonly id: string
      readonly name: string
      readonly custom?: true
      readonly signature?: string
      readonly extra?: Extra
    }
  | { readonly type: 'tool-call-delta'; readonly index: number; readonly arguments: string }
  /** The whole call, after its last delta. `index` is counted by the reader, from 0. */
  | {
      readonly type: 'tool-call'
      readonly index: number
      readonly id: string
      readonly name: string
      readonly arguments: string
      readonly custom?: true
      readonly signature?: string
      readonly extra?: Extra
    }
  /** A whole picture or recording. */
  | { readonly type: 'media'; readonly part: MediaPart }
  /** Once, behind the text. */
  | { readonly type: 'citations'; readonly citations: readonly Citation[] }
  | { readonly type: 'usage'; readonly usage: Usage }
  /** A piece of a further answer (`index` from 1), where several were asked for; their `end` is the stream's. */
  | { readonly type: 'other'; readonly index: number; readonly chunk: ChatChunk }
  /** Something of the answer that only its own dialect can say (a search, a second choice): it is not empty. */
  | { readonly type: 'opaque' }
  | {
      readonly type: 'finish'
      readonly finishReason: FinishReason
      readonly stopSequence?: string
      readonly blocked?: Blocked
      /** What only its own dialect says of the whole answer. */
      readonly extra?: Extra
    }
  /** An error sent inside HTTP 200; `body` is the upstream's error object, to be classified like an error body. */
  | { readonly type: 'error'; readonly body: unknown; readonly status?: number }
  | { readonly type: 'end' }

/** The chunk of one type. */
export type ChunkOf<T extends ChatChunk['type']> = Extract<ChatChunk, { type: T }>
