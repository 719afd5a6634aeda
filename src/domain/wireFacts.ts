/**
 * What a service takes of its dialect, as data: requests are fitted to it before they are written, and no code spells a
 * provider's name. What is absent is as the dialect's own vendor has it.
 */

import type { DialectId, ReasoningEffort } from './chat.ts'

/** What vectors are for. */
export type VectorTask = 'query' | 'document' | 'classification' | 'clustering'

/** What an embeddings model takes beside the texts. */
export interface VectorFacts {
  /** The field for the length of vectors, in OpenAI's form; `none`: the model has one length only. Default: `dimensions`. */
  readonly dimensions?: 'output_dimension' | 'none'
  /** That one length, where it is known. */
  readonly length?: number
  /** The service's words in `input_type`; `none`: it has no field for the task. Default: what the client says passes. */
  readonly tasks?: { readonly [T in VectorTask]?: string } | 'none'
}

/** A field that OpenAI's two dialects share, as chat completions name it; `verbosity` is `text.verbosity` in Responses. */
export type SharedField =
  | 'metadata'
  | 'prompt_cache_key'
  | 'prompt_cache_retention'
  | 'safety_identifier'
  | 'service_tier'
  | 'store'
  | 'verbosity'

/** What can differ between generations of models. */
interface GenerationFacts {
  /**
   * How thinking is asked for: by a budget of tokens, by an effort, by either, or not at all. Default: as it was asked
   * for.
   */
  readonly thinking?: 'budget' | 'effort' | 'either' | 'none'
  /** The words for an effort that are taken; the nearest stands for any other. Default: all. */
  readonly efforts?: readonly ReasoningEffort[]
  /** Fewest and most tokens of a thinking budget. Default: any. */
  readonly budget?: readonly [least: number, most: number]
  /** Thinking cannot be switched off; the least of it is asked for instead. Default false. */
  readonly alwaysThinks?: boolean
  /** It thinks when nothing is said about thinking. Default false. */
  readonly thinksByDefault?: boolean
  /**
   * False where tools are refused beside thinking; then thinking is switched off. Only of the chat completions dialect.
   * Default true.
   */
  readonly toolsBesideThinking?: boolean
  /** The only dialect in which it is served, where its service speaks several. Default: all of them. */
  readonly only?: DialectId
  /**
   * The model's name is not known, so that this is what every known one takes: of use to what is translated, while a
   * client of the same dialect may know better. Default false.
   */
  readonly isGuess?: true
  /** Which sampling parameters are taken: `temperature` and `top_p` together, one of them, or neither. Default both. */
  readonly sampling?: 'both' | 'one' | 'none'
  /** The highest temperature; higher ones are lowered to it. Default: 1 for Anthropic, any for others. */
  readonly maxTemperature?: number
  /** False where sampling parameters, and probabilities of tokens, are refused beside thinking. Default true. */
  readonly samplingBesideThinking?: boolean
  /** False where the penalties for repetition are refused. Default true. */
  readonly penalties?: boolean
  /** Maximum number of stop sequences; keywise itself cuts at those beyond. Default: the dialect's. */
  readonly stopSequences?: number
  /**
   * The field of an assistant's message in which its thoughts may come back; `none` where every such field is refused.
   * Only of the chat completions dialect. Default: `reasoning_content`.
   */
  readonly thoughts?: 'reasoning_content' | 'reasoning' | 'none'
  /** Whether custom tools are known. Default: by the Responses dialect. */
  readonly customTools?: boolean
  /** The first call of every step of a turn must be signed. Only of the Gemini dialect. Default false. */
  readonly signsCalls?: boolean
  /**
   * False where a tool's result can hold nothing but text; what it shows follows as the user's. Only of the Gemini
   * dialect. Default true.
   */
  readonly mediaInResults?: boolean
  /** False where no tool can be forced. Default true. */
  readonly forcesTools?: boolean
  /** False where no tool can be forced while thinking; then thinking is switched off. Default true. */
  readonly forcesToolsThinking?: boolean
  /** Maximum number of answers to one request. Default: any, where the dialect has a field for it. */
  readonly answers?: number
  /** False where probabilities of tokens are refused. Default: where sampling parameters are refused as well. */
  readonly logprobs?: boolean
  /** Which fields it takes of those that OpenAI's two dialects share. Default: none is known to be taken. */
  readonly sharedFields?: readonly SharedField[]
  /** Of embeddings. */
  readonly vectors?: VectorFacts
  /** False where no tools can be offered, so that another target is asked. Default true. */
  readonly tools?: boolean
  /** False where there are no system messages: their text goes in front of the user's first. Default true. */
  readonly systemMessages?: boolean
  /** False where an answer cannot be held to JSON at all; it is asked for in words. Default true. */
  readonly jsonMode?: boolean
  /** False where an answer cannot be held to a schema, but to JSON; the schema is then told in words. Default true. */
  readonly jsonSchema?: boolean
  /** False where an answer in JSON cannot be asked for beside tools; it is then asked for in words. Default true. */
  readonly formatBesideTools?: boolean
  /** False where a conversation must not end with the assistant's turn. Default true. */
  readonly prefill?: boolean
}

/** What holds for every model of a service, unless the row of its generation says otherwise. */
export interface WireFacts extends GenerationFacts {
  /** Whether thoughts may come back as OpenRouter's `reasoning_details`. Default: where `thoughts` is not stated. */
  readonly thoughtDetails?: boolean
  /** The thoughts of a tool loop must come back; without them thinking is switched off. Default false. */
  readonly demandsThoughts?: boolean
  /** Fields of the body that switch thinking off. Default: an effort of `none`. */
  readonly noThinking?: Readonly<Record<string, unknown>>
  /** Whether `top_k` is known. Default: yes; the Responses dialect never has it. */
  readonly topK?: boolean
  /** The field that limits an answer in the chat completions dialect. Default: `max_tokens`. */
  readonly maxTokensField?: 'max_completion_tokens'
  /** An id of a tool call has exactly this many letters and digits; others are replaced. Default: the dialect's rule. */
  readonly toolCallIdLength?: number
  /**
   * An id of a tool call may come only once in the whole conversation; ids that come again (`call_0` in each turn) are
   * replaced. Only of the chat completions dialect, where it is done for clients of other dialects anyway. Default false.
   */
  readonly uniqueCallIds?: boolean
  /** Maximum characters of a tool's name. Default: 64 for OpenAI's dialects and Gemini, 128 for Anthropic. */
  readonly toolNameLength?: number
  /**
   * The fields of a body of chat completions that a service strict about unknown ones has names for, apart by spaces.
   * After it has refused one that is missing here, all such hints are left out at once, because a refusal names only one
   * of them. Default: they are left out one after the other, as they are refused.
   */
  readonly fields?: string
  /** Maximum characters of the end user's id; 0 where there is no field for it. Default: the dialect's. */
  readonly userLength?: number
  /**
   * Fields of answers that clients hand back with them (`refusal`, `annotations`, …) are refused, also where they are
   * empty, or do not count as content. Only of the chat completions dialect. Default false.
   */
  readonly bareMessages?: boolean
  /**
   * False where a picture's `image_url` must be an object, and is refused as a text. Only of the chat completions dialect.
   * Default true.
   */
  readonly imageUrlText?: boolean
  /** False where messages take no documents (PDF), so that another target is asked. Default true. */
  readonly documents?: boolean
  /** Whether `cache_control` in parts is understood. Default: by the Anthropic dialect. */
  readonly cacheControl?: boolean
  /** False where a tool's results must be followed by the assistant: a turn of its is put between. Default true. */
  readonly userAfterTool?: boolean
  /** System messages from the middle of the talk are refused, and move to its beginning. Default false. */
  readonly systemFirst?: boolean
  /** Rows for generations of models; the first that matches holds. Default: none. */
  readonly models?: readonly ModelWireFacts[]
}

/** What a generation of models takes. */
export interface ModelWireFacts extends GenerationFacts {
  /** Matches the model's id as the service spells it. */
  readonly match: RegExp
}

/** The facts about one model of a service: those of the service, and over them those of its generation. */
export type ModelWire = Omit<WireFacts, 'models'>

/** What was found, by service and model: every call asks, and configured models are few. */
const known = new WeakMap<WireFacts, Map<string, ModelWire>>()

/** What holds for `model`. */
export function wireOf(facts: WireFacts | undefined, model: string): ModelWire {
  if (facts === undefined) return NOTHING_KNOWN
  let ofService = known.get(facts)
  if (ofService === undefined) {
    ofService = new Map()
    known.set(facts, ofService)
  }
  const found = ofService.get(model) ?? merged(facts, model)
  ofService.set(model, found)
  return found
}

function merged({ models, ...own }: WireFacts, model: string): ModelWire {
  const row = models?.find(({ match }) => match.test(model))
  return row === undefined ? own : { ...own, ...row }
}

export const NOTHING_KNOWN: ModelWire = {}
