/**
 * The numbers in a refusal of a request that is too long: the window, and what was asked of it. The sentences are those
 * of the services' own documentation, sources and reports (read 2026-11-29); each pattern is linear, because the texts
 * are hostile input.
 */

import { asNumber, asRecord } from '../../domain/json.ts'

/** Tokens; absent where the text does not say. */
interface ContextNumbers {
  /** The window. */
  readonly limitTokens?: number
  /** Prompt and answer together, or the prompt alone where no answer is spoken of. */
  readonly requestedTokens?: number
  /** The prompt, where it is told apart. */
  readonly inputTokens?: number
  /** What was asked for the answer, where that is told apart. */
  readonly outputTokens?: number
}

const NUMBER = '\\d{1,9}'
const pattern = (text: string) => new RegExp(text.replaceAll('#', NUMBER))

/** The names of the groups say which number is which; the first that is found counts. */
const SENTENCES: readonly RegExp[] = [
  // https://platform.claude.com/docs/en/build-with-claude/context-windows, https://github.com/anthropics/claude-code/issues/228
  pattern('prompt is too long: (?<input>#) tokens > (?<limit>#) maximum'),
  pattern('exceed context limit: (?<input>#) \\+ (?<output>#) > (?<limit>#)'),
  // https://github.com/google-gemini/gemini-cli/issues/14766
  pattern('token count \\((?<input>#)\\) exceeds the maximum number of tokens allowed \\((?<limit>#)\\)'),
  pattern('exceeds the maximum number of tokens allowed \\(?(?<limit>#)'),
  pattern('current length is (?<requested>#) while limit is (?<limit>#)'),
  // Another keywise, to a client of Responses.
  pattern('\\(keywise: (?<input>#) tokens > (?<limit>#): '),
  pattern('\\(keywise: (?<input>#) \\+ (?<output>#) tokens > (?<limit>#): '),
  // https://docs.x.ai/docs/models
  pattern('maximum prompt length is (?<limit>#) but the request contains (?<input>#) tokens'),
  // llama.cpp: tools/server/server-context.cpp
  pattern('request \\((?<input>#) tokens\\) exceeds the available context size \\((?<limit>#) tokens\\)'),
  // https://docs.mistral.ai/api
  pattern('prompt contains (?<input>#) tokens[^.]{0,60}? too large for model with (?<limit>#) maximum context length'),
  // SGLang: python/sglang/srt/managers/tokenizer_manager.py
  pattern("the input \\((?<input>#) tokens\\) is longer than the model's context length \\((?<limit>#) tokens\\)"),
  pattern('(?<input>#) tokens from the input messages and (?<output>#) tokens for the completion'),
  // vLLM: vllm/entrypoints/openai/serving_engine.py
  pattern("max_completion_tokens'? is too large: (?<output>#)"),
  pattern('requested (?<output>#) output tokens and your prompt contains (?:at least )?(?<input>#) input tokens'),
  pattern("input length \\((?<input>#)\\) exceeds model's maximum context length \\((?<limit>#)\\)"),
  pattern('your request has (?<input>#) input tokens'),
  // Moonshot, Fireworks, Cohere, TGI.
  pattern('model token limit: (?<limit>#) \\(requested: (?<requested>#)'),
  pattern('prompt is too long: (?<input>#), model maximum context length: (?<limit>#)'),
  pattern('tokens in the prompt cannot exceed (?<limit>#) . received (?<input>#)'),
  // https://github.com/ultraworkers/claw-code/pull/2984
  pattern('configured limit of (?<limit>#) tokens'),
  pattern('given: (?<input>#) `inputs` tokens and (?<output>#) `max_new_tokens`'),
  // https://platform.openai.com/docs/guides/error-codes; OpenRouter, DeepSeek, vLLM and others say it likewise.
  pattern('maximum context length (?:is|of) (?<limit>#)'),
  pattern('requested (?:about )?(?<input>#) tokens in the messages'),
  pattern('messages resulted in (?<input>#) tokens'),
  pattern('(?:requested(?: about)?|resulted in|contains(?: at least)?) (?<requested>#) (?:input )?tokens'),
  pattern('context (?:window|size|length)(?: is| of|:| \\()? ?(?<limit>#)'),
  pattern('`max_new_tokens` must be <= (?<limit>#)'),
  pattern('must have less than (?<limit>#) tokens'),
  pattern('max(?:imum)? (?:supported |allowed )?(?:input|sequence|prompt) length (?:is|of)?(?: just)? ?(?<limit>#)'),
  pattern('range of input length should be \\[#, ?(?<limit>#)\\]'),
  pattern('model token limit: (?<limit>#)'),
  pattern('max size: (?<limit>#) tokens'),
  pattern('(?:input length|prompt) (?<requested>#) exceeds'),
]

function numbersSaid(text: string): ContextNumbers {
  const plain = text.replace(/(\d),(?=\d{3})/g, '$1')
  const found = new Map<string, number>(partsOf(plain))
  for (const sentence of SENTENCES) {
    for (const [name, digits] of Object.entries(sentence.exec(plain)?.groups ?? {}))
      if (digits !== undefined && !found.has(name)) found.set(name, Number(digits))
  }
  const input = found.get('input')
  const output = found.get('output')
  const sum = input === undefined ? undefined : input + (output ?? 0)
  return present({
    limitTokens: found.get('limit'),
    requestedTokens: found.get('requested') ?? sum,
    inputTokens: input,
    outputTokens: output,
  })
}

/** `text`: in lower case. `bodies`: the error, and the data inside it. */
export function contextNumbers(text: string, bodies: readonly unknown[]): ContextNumbers {
  return { ...numbersSaid(text), ...numbersStated(bodies) }
}

/** llama.cpp says them beside the sentence, of which older versions leave them out: tools/server/server-task.cpp */
function numbersStated(bodies: readonly unknown[]): ContextNumbers {
  const errors = bodies.map((body) => asRecord(asRecord(body)?.['error']) ?? asRecord(body))
  const error = errors.find((fields) => asNumber(fields?.['n_ctx']) !== undefined)
  const inputTokens = asNumber(error?.['n_prompt_tokens'])
  return present({ limitTokens: asNumber(error?.['n_ctx']), requestedTokens: inputTokens, inputTokens })
}

/** `(120000 in the messages, 400 in the functions, 9600 in the completion)`, `(25 of text input, 64000 in the output)` */
const PARTS = /requested (?:about )?\d{1,9} tokens \(([^()]{1,300})\)/
const PART = /(\d{1,9}) (?:of|in)(?: the)? ([a-z]+(?: [a-z]+)?)/g

function partsOf(text: string): [name: string, tokens: number][] {
  const parts = PARTS.exec(text)?.[1]
  if (parts === undefined) return []
  let input = 0
  let output = 0
  for (const [, tokens, name = ''] of parts.matchAll(PART)) {
    if (/completion|output/.test(name)) output += Number(tokens)
    else input += Number(tokens)
  }
  return input === 0
    ? []
    : [
        ['input', input],
        ['output', output],
      ]
}

function present(numbers: { readonly [K in keyof ContextNumbers]: ContextNumbers[K] | undefined }): ContextNumbers {
  return Object.fromEntries(Object.entries(numbers).filter(([, value]) => value !== undefined))
}
