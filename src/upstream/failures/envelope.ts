/**
 * An error body in one flat form, from any sender. Providers wrap the same few facts in a dozen envelopes, some of
 * them inside one another, and proxies answer with web pages.
 */

import { asArray, asNumber, asRecord, asString, asText } from '../../domain/json.ts'
import { unwrap } from './wrappedText.ts'

type ErrorFields = Readonly<Record<string, unknown>>

export interface ErrorEnvelope {
  /** What the upstream says to people: not redacted, at most 16 KiB; '' when there is nothing. */
  readonly message: string
  /** Every word it classifies the error with (`type`, `code`, `status`, `reason`, ...), lower case. */
  readonly codes: ReadonlySet<string>
  /** The HTTP status the body itself states, for errors inside HTTP 200. */
  readonly status: number | undefined
  /** The parameter the body names. */
  readonly parameter: string | undefined
  /** Anthropic's details, which have a code of their own; undefined for none. */
  readonly ownDetails: ErrorFields | undefined
  /** Google's typed details (`google.rpc.*`). */
  readonly details: readonly ErrorFields[]
  /** OpenRouter's particulars. */
  readonly metadata: ErrorFields
  /** A web page instead of an API's answer. */
  readonly html: boolean
  /** Neither JSON nor a web page; an empty body is neither. */
  readonly isPlainText: boolean
  /** Cloudflare's own structured error, rather than the API's behind it. */
  readonly fromEdge: boolean
  /** A router hands on what the provider behind it said: a refusal there is not about our key. */
  readonly passedOn: boolean
  /** The body and all data printed inside its texts, outermost first. */
  readonly bodies: readonly unknown[]
}

/** Most of a body that is looked at. */
const LOOK = 16_384
/** Envelopes in envelopes: the error of a proxy of a proxy, each printed into the message of the next. */
const DEEPEST = 10
/** Most values visited of one body, whatever its shape. */
const MOST_VALUES = 500

/** ErrorFields in which providers put the error itself. */
const WRAPPERS = ['error', 'response', 'innererror', 'inner_error', 'promptFeedback'] as const
/** ErrorFields that hold a word of classification. */
const CODE_FIELDS = [
  'type',
  'code',
  'status',
  'reason',
  'error_type',
  'error_code',
  'limit_source',
  'blockReason',
  'provider_code',
] as const
const MESSAGE_FIELDS = ['message', 'detail', 'title', 'msg', 'error_description'] as const
/** Words every error is called by; they classify nothing. */
const EMPTY_WORDS = new Set(['error', 'response.failed', 'failed', 'null', 'none', ''])
/** Codes with which gateways say that the failure was their provider's: one-api, new-api, Vercel's AI Gateway. */
const PASSED_ON = new Set(['upstream_error', 'bad_response_status_code', 'ai_apicallerror'])

/** Reads a body that was parsed as JSON, or its text; never throws. */
export function readEnvelope(body: unknown): ErrorEnvelope {
  const reader = new EnvelopeReader()
  if (typeof body === 'string') reader.text(body, 0)
  else reader.root(body, 0)
  return reader.result()
}

class EnvelopeReader {
  #message = ''
  readonly #codes = new Set<string>()
  #status: number | undefined
  #parameter: string | undefined
  #ownDetails: ErrorFields | undefined
  readonly #details: ErrorFields[] = []
  #metadata: ErrorFields = {}
  #html = false
  #isPlainText = false
  #fromEdge = false
  #passedOn = false
  readonly #bodies: unknown[] = []
  #visited = 0

  result(): ErrorEnvelope {
    return {
      message: this.#message,
      codes: this.#codes,
      status: this.#status,
      parameter: this.#parameter,
      ownDetails: this.#ownDetails,
      details: this.#details,
      metadata: this.#metadata,
      html: this.#html,
      isPlainText: this.#isPlainText,
      fromEdge: this.#fromEdge,
      passedOn: this.#passedOn,
      bodies: this.#bodies,
    }
  }

  /** A text that may be data again, a web page, or a message. */
  text(text: string, depth: number): void {
    const trimmed = text.slice(0, LOOK).trim()
    const { value, words, passedOn } = unwrap(trimmed)
    this.#passedOn ||= passedOn
    if (value !== undefined && depth < DEEPEST) {
      this.root(value, depth + 1)
      return
    }
    if (/^<(?:!doctype|html|head|\?xml|center|h1)/i.test(trimmed)) this.#html = true
    this.#isPlainText ||= depth === 0 && !this.#html && trimmed !== ''
    // Z.ai's Anthropic endpoint: `[1310][Weekly/Monthly Limit Exhausted. ...][request id]`.
    this.#code(/^\[(\d{3,5})\]\[/.exec(trimmed)?.[1])
    this.#say(this.#html ? titleOf(trimmed) : words)
  }

  /** A whole body, or data that was printed into a text. */
  root(value: unknown, depth: number): void {
    this.#bodies.push(value)
    this.value(value, depth)
  }

  value(value: unknown, depth: number): void {
    if (depth > DEEPEST || ++this.#visited > MOST_VALUES) return
    const record = asRecord(value)
    if (record !== undefined) this.#record(record, depth)
    else if (Array.isArray(value)) this.value(value[0], depth + 1)
    else if (typeof value === 'string') this.text(value, depth)
  }

  #record(record: ErrorFields, depth: number): void {
    // The innermost speaks first: a wrapper's own message is only the wrapper's.
    for (const name of WRAPPERS) if (record[name]) this.value(record[name], depth + 1)
    // ModelScope's, an object; Cloudflare and others list theirs.
    if (!Array.isArray(record['errors'])) this.value(record['errors'], depth + 1)
    this.#readChoices(record, depth)
    this.#readCloudflare(record)
    this.#readMiniMax(record)
    this.#readValidation(record)
    this.#readGoogleDetails(record)
    this.#readMetadata(record, depth)
    for (const name of CODE_FIELDS) this.#code(record[name])
    // https://developers.cloudflare.com/support/troubleshooting/http-status-codes/cloudflare-1xxx-errors/
    this.#fromEdge ||= record['cloudflare_error'] === true
    this.#status ??= statusIn(record)
    this.#parameter ??= asString(record['param']) ?? asString(record['parameter'])
    for (const name of MESSAGE_FIELDS) {
      if (!Array.isArray(record[name])) this.value(record[name], depth + 1)
    }
  }

  /** OpenRouter may put the error into a choice: https://openrouter.ai/docs/api-reference/errors */
  #readChoices(record: ErrorFields, depth: number): void {
    const choice = asRecord(asArray(record['choices'])?.[0])
    if (choice === undefined) return
    if (choice['error']) this.value(choice['error'], depth + 1)
    this.#code(choice['finish_reason'])
  }

  /** https://developers.cloudflare.com/workers-ai/platform/errors/ : numbers that mean something only there. */
  #readCloudflare(record: ErrorFields): void {
    if (record['success'] !== false) return
    const error = asRecord(asArray(record['errors'])?.[0])
    if (error === undefined) return
    this.#code(`cloudflare-${asText(error['code']).slice(0, 16)}`)
    this.#say(asString(error['message']) ?? '')
  }

  /** https://platform.minimax.io/docs/api-reference/errorcode : numbers that mean something only there. */
  #readMiniMax(record: ErrorFields): void {
    const status = asRecord(record['base_resp'])
    if (!status?.['status_code']) return
    this.#code(`minimax-${asText(status['status_code']).slice(0, 16)}`)
    this.#say(asString(status['status_msg']) ?? '')
  }

  /** FastAPI: `detail: [{ loc: ['body', 'name'], msg, type }]`. */
  #readValidation(record: ErrorFields): void {
    const first = asRecord(asArray(record['detail'])?.[0])
    if (first === undefined) return
    this.#parameter ??= pathOf(first['loc'])
    this.#code(first['type'])
    this.#say(asString(first['msg']) ?? '')
  }

  /** Google lists its details; Anthropic has an object there. */
  #readGoogleDetails(record: ErrorFields): void {
    const own = asRecord(record['details'])
    this.#code(own?.['error_code'])
    if (typeof own?.['error_code'] === 'string') this.#ownDetails ??= own
    for (const detail of (asArray(record['details']) ?? []).slice(0, 16)) {
      const fields = asRecord(detail)
      if (fields === undefined) continue
      this.#details.push(fields)
      this.#code(fields['reason'])
    }
  }

  /**
   * The original of an error that OpenRouter passes on is in `raw`; it is not about our key, so only its text counts.
   */
  #readMetadata(record: ErrorFields, depth: number): void {
    const metadata = asRecord(record['metadata'])
    if (metadata === undefined || Array.isArray(record['details'])) return
    this.#metadata = { ...metadata, ...this.#metadata }
    for (const name of ['error_type', 'limit_source', 'provider_code'] as const) this.#code(metadata[name])
    const original = new EnvelopeReader()
    original.root(metadata['raw'], depth + 1)
    this.#bodies.push(...original.#bodies)
    this.#say(original.#message)
    // OpenRouter writes null where no provider was asked: then it speaks for itself.
    this.#passedOn ||= metadata['raw'] != null || metadata['provider_name'] != null
  }

  #code(value: unknown): void {
    if (typeof value !== 'string' && typeof value !== 'number') return
    const code = String(value).slice(0, 200).trim().toLowerCase()
    if (EMPTY_WORDS.has(code)) return
    this.#codes.add(code)
    this.#passedOn ||= PASSED_ON.has(code)
  }

  /** The first one who has something to say is heard. xAI says it in `error`, beside a `code` that is a sentence. */
  #say(text: string): void {
    if (this.#message === '') this.#message = text.trim().slice(0, LOOK)
  }
}

/** `['body', 'messages', 1, 'name']` as `messages.1.name`. */
function pathOf(loc: unknown): string | undefined {
  const path = (asArray(loc) ?? []).filter(
    (step) => step !== 'body' && (asString(step) ?? asNumber(step)) !== undefined,
  )
  return path.length === 0 ? undefined : path.join('.').slice(0, 200)
}

function statusIn(record: ErrorFields): number | undefined {
  for (const name of ['code', 'status', 'status_code', 'raw_status_code']) {
    const status = asNumber(record[name]) ?? Number(asString(record[name])?.slice(0, 4) || Number.NaN)
    if (Number.isInteger(status) && status >= 400 && status <= 599) return status
  }
  return undefined
}

function titleOf(page: string): string {
  const title = /<(title|h1)[^<>]{0,200}>([^<]{1,200})</i.exec(page)?.[2]
  return title === undefined ? 'a web page instead of an answer' : `a web page instead of an answer: ${title.trim()}`
}
