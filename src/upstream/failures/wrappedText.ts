/**
 * What is inside an error text: data that gateways and SDKs print into it, behind words that only name the error.
 * Data anywhere else in a sentence may be a prompt that is echoed, and stays text.
 */

import { literalAt } from './literal.ts'

/**
 * The words before the data: `429`, `Error code: 429 -`, `litellm.RateLimitError: RateLimitError: OpenAIException -`,
 * `API request failed (429):`. Alone they say nothing that the data does not.
 */
const PREFIX =
  /(?:(?:litellm\.)?[a-z_]{1,60}(?:error|exception)(?::| -)|error code: \d{3} -|(?:api )?error:?|(?:api )?request failed(?: with status(?: code)?)?|[([]?\d{3}[)\]]?:?(?= |$)|status(?: code)?:?|:|b(?='))\s{0,3}/iy
const MOST_PREFIXES = 12

/** What LiteLLM adds behind the provider's words: https://docs.litellm.ai/docs/proxy/error_reference */
const SUFFIX =
  /^[\s.]*(?:$|received model group=|available model group|litellm retried|no fallback model group|error doing)/i
const LITELLM_NOTES =
  /[\s.]{0,3}(?:received model group=|available model group fallbacks=|no fallback model group found|litellm retried:)/i

/** Which provider LiteLLM's own words name; absent from errors of LiteLLM itself. */
const PROVIDER_NAMED = /^(?:litellm\.\w{1,60}: ?)(?:\w{1,60}: ?){0,3}\w{1,40}exception - /i

interface UnwrappedText {
  /** The data, parsed; undefined when the text holds none. */
  readonly value: unknown
  /** The words without LiteLLM's own around them. */
  readonly words: string
  /** A gateway hands on what its provider said. */
  readonly passedOn: boolean
}

export function unwrap(text: string): UnwrappedText {
  const trimmed = text.trim()
  const named = PROVIDER_NAMED.exec(trimmed)
  const start = dataStart(trimmed)
  const value = start === undefined ? undefined : dataAt(trimmed, start)
  const inner = named === null ? trimmed : (trimmed.slice(named[0].length).split(LITELLM_NOTES, 1)[0] ?? '')
  return { value, words: inner.trim(), passedOn: named !== null }
}

/** Where the data begins, if nothing but an error's name stands before it. */
function dataStart(text: string): number | undefined {
  let at = 0
  for (let step = 0; step <= MOST_PREFIXES; step++) {
    const next = text[at]
    if (next === '{' || next === '[' || (next === '"' && text[at + 1] === '{') || next === undefined) break
    PREFIX.lastIndex = at
    if (PREFIX.exec(text) === null) return undefined
    at = PREFIX.lastIndex
  }
  return at < text.length ? at : undefined
}

function dataAt(text: string, start: number): unknown {
  const rest = text.slice(start)
  try {
    const value: unknown = JSON.parse(rest)
    return typeof value === 'object' || typeof value === 'string' ? value : undefined
  } catch {
    const found = literalAt(text, start)
    return found !== undefined && (found.isCut || SUFFIX.test(text.slice(found.end, found.end + 200)))
      ? found.value
      : undefined
  }
}
