/**
 * OpenTelemetry, if an SDK runs in this process: one span and two measurements per upstream call, named by the
 * conventions for generative AI (https://opentelemetry.io/docs/specs/semconv/gen-ai/). Contents are never exported.
 * keywise depends only on the API, which does nothing by itself; the data goes wherever the user's own SDK sends it.
 */

import type * as Api from '@opentelemetry/api'
import type { EventMap, Events } from './events.ts'

type AttemptNews = EventMap['attempt']

/** Where the API keeps what an SDK registered, shared by all its copies in a process. */
const REGISTRY = Symbol.for('opentelemetry.js.api.1')

/** The convention's names for the providers it defines; others keep their own. */
const PROVIDERS: ReadonlyMap<string, string> = new Map([
  ['google', 'gcp.gemini'],
  ['mistral', 'mistral_ai'],
  ['xai', 'x_ai'],
])
/** Bucket boundaries recommended by the convention: seconds, and tokens. */
const SECONDS = Array.from({ length: 14 }, (_, step) => 0.01 * 2 ** step)
const TOKENS = Array.from({ length: 14 }, (_, step) => 4 ** step)

/** Starts reporting finished calls if an SDK was registered before; otherwise loads nothing. */
export async function connectTelemetry(events: Events): Promise<void> {
  if (!(REGISTRY in globalThis)) return
  const telemetry = new Telemetry(await import('@opentelemetry/api'))
  events.on('attempt', (attempt) => telemetry.record(attempt))
}

class Telemetry {
  readonly #api: typeof Api
  #instruments: Instruments | null = null

  constructor(api: typeof Api) {
    this.#api = api
  }

  record(attempt: AttemptNews): void {
    const api = this.#api
    const attributes = attributesOf(attempt)
    const startTime = Date.parse(attempt.startedAt)
    const span = api.trace
      .getTracer('keywise')
      .startSpan(`${attempt.operation} ${attempt.model}`, { kind: api.SpanKind.CLIENT, startTime })
    if (span.isRecording()) {
      span.setAttributes({ ...attributes, ...detailsOf(attempt) })
      // Without the provider's message, which may repeat the prompt.
      if (!attempt.ok) span.setStatus({ code: api.SpanStatusCode.ERROR })
    }
    span.end(startTime + attempt.latencyMs)
    const { duration, firstChunk, tokens } = this.#instrumentsNow()
    duration.record(attempt.latencyMs / 1000, attributes)
    // A non-streamed answer arrives all at once.
    const { firstTokenMs } = attempt
    if (firstTokenMs !== null && firstTokenMs < attempt.latencyMs) firstChunk.record(firstTokenMs / 1000, attributes)
    // An estimate is not what was billed.
    if (attempt.usage === null || attempt.usage.estimated) return
    tokens.record(attempt.usage.inputTokens, { ...attributes, 'gen_ai.token.type': 'input' })
    tokens.record(attempt.usage.outputTokens, { ...attributes, 'gen_ai.token.type': 'output' })
  }

  /** Instruments are bound to their provider, and one may be registered after the first call. */
  #instrumentsNow(): Instruments {
    const provider = this.#api.metrics.getMeterProvider()
    if (this.#instruments?.provider === provider) return this.#instruments
    const meter = provider.getMeter('keywise')
    this.#instruments = {
      provider,
      duration: meter.createHistogram('gen_ai.client.operation.duration', {
        description: 'Duration of an upstream call.',
        unit: 's',
        advice: { explicitBucketBoundaries: SECONDS },
      }),
      firstChunk: meter.createHistogram('gen_ai.client.operation.time_to_first_chunk', {
        description: 'Time to the first content of a streamed answer.',
        unit: 's',
        advice: { explicitBucketBoundaries: SECONDS },
      }),
      tokens: meter.createHistogram('gen_ai.client.token.usage', {
        description: 'Input and output tokens of an upstream call.',
        unit: '{token}',
        advice: { explicitBucketBoundaries: TOKENS },
      }),
    }
    return this.#instruments
  }
}

interface Instruments {
  readonly provider: Api.MeterProvider
  readonly duration: Api.Histogram
  readonly firstChunk: Api.Histogram
  readonly tokens: Api.Histogram
}

/** Attributes shared by spans and measurements. */
function attributesOf({ operation, provider, model, failureKind }: AttemptNews): Api.Attributes {
  return {
    'gen_ai.operation.name': operation,
    'gen_ai.provider.name': PROVIDERS.get(provider) ?? provider,
    'gen_ai.request.model': model,
    ...(failureKind !== null && { 'error.type': failureKind }),
  }
}

/** Attributes whose cardinality is too high for a measurement. The key appears as its index. */
function detailsOf({ requestId, target, usage, costUsd, status, firstTokenMs }: AttemptNews): Api.Attributes {
  return {
    'keywise.request.id': requestId,
    'keywise.target': target,
    ...(usage !== null && {
      'gen_ai.usage.input_tokens': usage.inputTokens,
      'gen_ai.usage.output_tokens': usage.outputTokens,
    }),
    ...(costUsd !== null && { 'keywise.cost_usd': costUsd }),
    ...(status !== null && { 'http.response.status_code': status }),
    ...(firstTokenMs !== null && { 'keywise.time_to_first_token_ms': firstTokenMs }),
  }
}
