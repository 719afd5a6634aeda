/** OpenTelemetry with its own SDK: what a person's collector would be sent. */

import { context, metrics, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace'
import { afterAll, beforeEach, expect, onTestFinished, test } from 'vitest'
import { APIManager } from '../src/index.ts'
import { type FakeWorld, startFakeProviders } from '../src/lab/fake/fakeProviders.ts'
import { openGateway, until } from './support/gatewayWorld.ts'

const spans = new InMemorySpanExporter()
const measured = new InMemoryMetricExporter(AggregationTemporality.DELTA)
const reader = new PeriodicExportingMetricReader({ exporter: measured, exportIntervalMillis: 3_600_000 })
context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
trace.setGlobalTracerProvider(new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter: spans })] }))
metrics.setGlobalMeterProvider(new MeterProvider({ readers: [reader] }))

beforeEach(async () => {
  await reader.forceFlush()
  spans.reset()
  measured.reset()
})
afterAll(() => {
  for (const api of [trace, metrics, context]) api.disable()
})

const KEY = `canary-${'7'.repeat(20)}`
const SECRET = 'what nobody else should read'

async function fakes(): Promise<FakeWorld> {
  const world = await startFakeProviders({
    providers: {
      google: { keys: { [KEY]: {} }, models: { 'gemini-3.8-flash': {} }, faults: [{ do: 'auth_invalid' }] },
      groq: { keys: { [`${KEY}2`]: {} }, models: { 'openai/gpt-oss-120b': { reply: SECRET } } },
    },
  })
  onTestFinished(() => world.close())
  return world
}

test('every upstream call is a span of the caller’s trace, failed ones too, without contents or keys', async () => {
  const world = await fakes()
  const settings = {
    routing: { strategy: 'priority' },
    models: { pair: ['google/gemini-3.8-flash', 'groq/openai/gpt-oss-120b'] },
  }
  const manager = new APIManager({ config: { ...world.config(), settings }, store: 'memory:', logger: false })
  onTestFinished(() => manager.close())
  await manager.ready()
  await until(() => manager.rankTargets({ prompt: '-', model: 'pair' }).length === 2, 'both lists')
  const parent = trace.getTracer('test').startSpan('request')
  await context.with(trace.setSpan(context.active(), parent), () =>
    manager.callWithFallback({ model: 'pair', messages: [{ role: 'user', content: SECRET }] }),
  )
  parent.end()
  const [failed, answered] = spans.getFinishedSpans()
  expect(failed).toMatchObject({
    name: 'chat gemini-3.8-flash',
    kind: SpanKind.CLIENT,
    parentSpanContext: { spanId: parent.spanContext().spanId },
    status: { code: SpanStatusCode.ERROR },
    attributes: {
      'gen_ai.operation.name': 'chat',
      'gen_ai.provider.name': 'gcp.gemini',
      'gen_ai.request.model': 'gemini-3.8-flash',
      'error.type': 'auth_invalid',
      'keywise.target': 'google/gemini-3.8-flash#1',
    },
  })
  expect(answered).toMatchObject({
    name: 'chat openai/gpt-oss-120b',
    parentSpanContext: { spanId: parent.spanContext().spanId },
    status: { code: SpanStatusCode.UNSET },
    attributes: { 'gen_ai.provider.name': 'groq', 'gen_ai.usage.output_tokens': expect.any(Number) },
  })
  const [seconds, nanoseconds] = answered!.duration
  expect(seconds + nanoseconds / 1e9).toBeGreaterThan(0)
  const told = JSON.stringify(
    spans.getFinishedSpans().map(({ name, attributes, status }) => [name, attributes, status]),
  )
  expect(told).not.toContain(SECRET)
  expect(told).not.toContain(KEY)
})

test('the gateway measures durations and tokens, by operation, provider and model', async () => {
  const models = { talker: {}, 'text-embed': { kind: 'embedding' } } as const
  await using world = await openGateway({ providers: { own: { models } } }, { discover: true })
  await (
    await world.ask('/v1/chat/completions', { model: 'talker', messages: [{ role: 'user', content: 'Hi' }] })
  ).text()
  expect((await world.ask('/v1/embeddings', { model: 'text-embed', input: 'Hi' })).status).toBe(200)
  expect(spans.getFinishedSpans().map(({ name }) => name)).toEqual(['chat talker', 'embeddings text-embed'])
  await reader.forceFlush()
  const scopes = measured.getMetrics().flatMap(({ scopeMetrics }) => scopeMetrics)
  const byName = new Map(scopes.flatMap((scope) => scope.metrics.map((one) => [one.descriptor.name, one])))
  const attributes = {
    'gen_ai.operation.name': 'chat',
    'gen_ai.provider.name': 'own',
    'gen_ai.request.model': 'talker',
  }
  expect(byName.get('gen_ai.client.operation.duration')).toMatchObject({
    descriptor: { unit: 's' },
    dataPoints: [
      { attributes, value: { count: 1 } },
      { attributes: { 'gen_ai.operation.name': 'embeddings', 'gen_ai.request.model': 'text-embed' } },
    ],
  })
  expect(byName.get('gen_ai.client.token.usage')?.dataPoints).toMatchObject(
    expect.arrayContaining(
      ['input', 'output'].map((type) =>
        expect.objectContaining({ attributes: { ...attributes, 'gen_ai.token.type': type } }),
      ),
    ),
  )
})
