import { describe, expect, test } from 'vitest'
import { callModel, connectionTo, fakeKey, openWorld, until, userMessage } from '../../../test/support/labCall.ts'
import type { ChatRequest } from '../../domain/chat.ts'
import type { FailureKind } from '../../domain/failure.ts'
import { catalog } from '../../providers/catalog.ts'
import { checkKey, listModels } from '../../upstream/discovery/discover.ts'
import type { FakeFault, FakeScenario } from './scenario.ts'

const DIALECTS = ['openai', 'openai-responses', 'anthropic', 'google'] as const
const TOOLS: Partial<ChatRequest> = {
  messages: [userMessage('What is the weather in Malaga?')],
  tools: [{ name: 'weather', parameters: { type: 'object', properties: { city: { type: 'string' } } } }],
}
const tools = { now: Date.now, redact: (text: string) => text, hide: (text: string) => text }

/** One provider of the user's own that speaks the dialect. */
const speaking = (dialect: (typeof DIALECTS)[number], more: object = {}): FakeScenario => ({
  providers: { own: { dialect, keys: { [fakeKey('own')]: {} }, models: { m: {} }, ...more } },
})

const textOf = (content: readonly { type: string; text?: string }[]) =>
  content.map((part) => (part.type === 'text' ? part.text : '')).join('')

for (const dialect of DIALECTS) {
  for (const stream of [false, true]) {
    const how = `${dialect}, ${stream ? 'streamed' : 'plain'}`

    test(`a simulated provider answers in ${how}`, async () => {
      const world = await openWorld(speaking(dialect))
      const { outcome, usage } = await callModel(world, 'own', 'm', { stream })
      expect(outcome).toMatchObject({ ok: true, response: { finishReason: 'stop' } })
      expect(outcome.ok && textOf(outcome.response.content)).toContain('answering "Say hi"')
      expect(usage?.inputTokens).toBeGreaterThan(0)
      expect(usage?.estimated).toBe(false)
    })

    test(`a simulated provider calls a tool in ${how}`, async () => {
      const world = await openWorld(speaking(dialect))
      const { outcome } = await callModel(world, 'own', 'm', { stream, ...TOOLS })
      expect(outcome).toMatchObject({ ok: true, response: { finishReason: 'tool_calls' } })
      const call = outcome.ok ? outcome.response.content.find((part) => part.type === 'tool-call') : undefined
      expect(call).toMatchObject({ name: 'weather' })
      expect(call?.type === 'tool-call' && JSON.parse(call.arguments)).toEqual({ city: 'text' })
    })

    test(`a thinking model that is given few tokens thinks and says nothing in ${how}`, async () => {
      const world = await openWorld(speaking(dialect, { models: { m: { thinks: 50 } } }))
      const { outcome } = await callModel(world, 'own', 'm', { stream, maxTokens: 10 })
      expect(outcome).toMatchObject({ ok: true, response: { finishReason: 'length' } })
      expect(outcome.ok && textOf(outcome.response.content)).toBe('')
    })
  }
}

describe('faults that are refusals', () => {
  const REFUSALS: readonly [FakeFault['do'], FailureKind][] = [
    ['rate_minute', 'rate_minute'],
    ['quota_day', 'quota_day'],
    ['billing', 'billing'],
    ['in_flight_budget', 'in_flight_budget'],
    ['auth_invalid', 'auth_invalid'],
    ['auth_forbidden', 'auth_forbidden'],
    ['overloaded', 'overloaded'],
    ['server', 'server'],
    ['model_not_found', 'model_not_found'],
    ['context_too_long', 'context_too_long'],
    ['content_filter', 'content_filter'],
    ['unsupported', 'unsupported'],
    ['bad_request', 'bad_request'],
    ['too_large_for_limit', 'too_large_for_limit'],
    ['zero_quota', 'zero_quota'],
  ]
  const PROVIDERS = ['groq', 'openai', 'anthropic', 'google', 'openrouter', 'mistral', 'cerebras', 'deepseek']

  for (const provider of PROVIDERS) {
    test(`${provider} refuses in words that mean what the scenario says`, async () => {
      const world = await openWorld({
        providers: { [provider]: { keys: { [fakeKey(provider)]: {} }, models: { m: {} } } },
      })
      const connection = connectionTo(world, provider)
      const seen: unknown[] = []
      for (const [fault] of REFUSALS) {
        for (const stream of [false, true]) {
          world.clearFaults()
          world.fault(provider, { do: fault })
          const { outcome } = await callModel(world, provider, 'm', { connection, stream })
          seen.push([fault, stream, outcome.ok ? 'ok' : outcome.failure.kind])
        }
      }
      expect(seen).toEqual(REFUSALS.flatMap(([fault, kind]) => [false, true].map((stream) => [fault, stream, kind])))
    })
  }

  test('a stated wait travels in the words of each provider', async () => {
    for (const provider of ['groq', 'anthropic', 'google', 'openrouter']) {
      const world = await openWorld({
        providers: {
          [provider]: {
            keys: { [fakeKey(provider)]: {} },
            models: { m: {} },
            faults: [{ do: 'rate_minute', retry_after: 7 }],
          },
        },
      })
      const { outcome } = await callModel(world, provider, 'm')
      const waitMs = outcome.ok || outcome.failure.kind !== 'rate_minute' ? null : outcome.failure.retryAfterMs
      expect([provider, Math.round((waitMs ?? 0) / 1000)]).toEqual([provider, 7])
    }
  })
})

describe('faults on the wire', () => {
  const BEFORE: readonly [FakeFault, FailureKind][] = [
    [{ do: 'reset' }, 'network'],
    [{ do: 'silence' }, 'timeout'],
    [{ do: 'stall' }, 'timeout'],
    [{ do: 'html' }, 'server'],
    [{ do: 'html', status: 503 }, 'overloaded'],
    [{ do: 'empty' }, 'server'],
    [{ do: 'error_in_200' }, 'overloaded'],
    [{ do: 'redirect' }, 'server'],
    [{ do: 'drip' }, 'timeout'],
    [{ do: 'slow', ms: 30_000 }, 'timeout'],
  ]
  for (const [fault, kind] of BEFORE) {
    test(`${fault.do}${fault.status ? ` ${fault.status}` : ''} before any content is ${kind}, plain and streamed, and leaves no socket`, async () => {
      const world = await openWorld(speaking('openai', { faults: [fault] }))
      const connection = connectionTo(world, 'own')
      for (const stream of [false, true]) {
        const { outcome, hadContent } = await callModel(world, 'own', 'm', {
          connection,
          stream,
          firstTokenMs: kind === 'timeout' ? 120 : 5000,
        })
        expect([stream, outcome.ok ? 'ok' : outcome.failure.kind, hadContent]).toEqual([stream, kind, false])
      }
      await until(() => world.inFlight() === 0)
      await connection.dispatcher.close()
      await until(() => world.openSockets() === 0)
    })
  }

  const AFTER: readonly [FakeFault['do'], readonly FailureKind[]][] = [
    ['cut_reset', ['network']],
    ['cut_clean', ['server']],
    ['cut_stall', ['timeout']],
    ['cut_error', ['server']],
    ['bad_chunk', ['server']],
  ]
  for (const dialect of DIALECTS) {
    for (const [fault, kinds] of AFTER) {
      test(`${fault} breaks a ${dialect} stream after its third chunk, and it never ends like a complete one`, async () => {
        const world = await openWorld(speaking(dialect, { faults: [{ do: fault, chunks: 3 }] }))
        const connection = connectionTo(world, 'own')
        const { outcome, hadContent, chunks } = await callModel(world, 'own', 'm', {
          connection,
          stream: true,
          idleMs: fault === 'cut_stall' ? 100 : 5000,
        })
        expect(hadContent).toBe(true)
        expect(chunks.some((chunk) => chunk.type === 'end')).toBe(false)
        expect(kinds).toContain(outcome.ok ? 'ok' : outcome.failure.kind)
        await until(() => world.inFlight() === 0)
        await connection.dispatcher.close()
        await until(() => world.openSockets() === 0)
      })
    }
  }

  test('a stream without its [DONE] is complete all the same when its finish was seen', async () => {
    const world = await openWorld(speaking('openai', { faults: [{ do: 'no_done' }] }))
    expect((await callModel(world, 'own', 'm', { stream: true })).outcome.ok).toBe(true)
  })

  test('a fault strikes the calls it names: by model, key, number and chance', async () => {
    const world = await openWorld({
      seed: 3,
      providers: {
        own: {
          keys: { [fakeKey('own', 1)]: {}, [fakeKey('own', 2)]: {} },
          models: { a: {}, b: {} },
          faults: [
            { do: 'server', model: 'a', key: 1, from: 2, to: 3 },
            { do: 'overloaded', model: 'b', chance: 0.5 },
          ],
        },
      },
    })
    const first = connectionTo(world, 'own', 1)
    const second = connectionTo(world, 'own', 2)
    const ok: boolean[] = []
    for (let call = 0; call < 4; call++) ok.push((await callModel(world, 'own', 'a', { connection: first })).outcome.ok)
    expect(ok).toEqual([true, false, false, true])
    expect((await callModel(world, 'own', 'a', { connection: second })).outcome.ok).toBe(true)
    for (let call = 0; call < 40; call++) await callModel(world, 'own', 'b', { connection: second })
    const struck = world.calls.filter((call) => call.fault === 'overloaded').length
    expect(struck).toBeGreaterThan(10)
    expect(struck).toBeLessThan(30)
  })

  test('a fault may have its time', async () => {
    let now = 1_000_000
    const world = await openWorld(speaking('openai', { faults: [{ do: 'server', after_ms: 100, until_ms: 200 }] }), {
      now: () => now,
    })
    const connection = connectionTo(world, 'own')
    const ok: boolean[] = []
    for (const at of [0, 100, 199, 200]) {
      now = 1_000_000 + at
      ok.push((await callModel(world, 'own', 'm', { connection })).outcome.ok)
    }
    expect(ok).toEqual([true, false, false, true])
  })
})

describe('keys and models', () => {
  test('a revoked key is refused everywhere until it is restored', async () => {
    const world = await openWorld({ providers: { groq: { keys: { [fakeKey('groq')]: {} }, models: { m: {} } } } })
    const connection = connectionTo(world, 'groq')
    expect(await checkKey(connection, tools)).toMatchObject({ state: 'valid' })
    world.revoke('groq', 1)
    expect(await checkKey(connection, tools)).toMatchObject({ state: 'refused', failure: { kind: 'auth_invalid' } })
    expect((await callModel(world, 'groq', 'm', { connection })).outcome).toMatchObject({
      failure: { kind: 'auth_invalid' },
    })
    world.restore('groq', 1)
    expect((await callModel(world, 'groq', 'm', { connection })).outcome.ok).toBe(true)
    expect(() => world.revoke('groq', 9)).toThrow('no key 9')
    expect(() => world.revoke('nobody', 1)).toThrow('no provider')
  })

  test('a retired model is listed or not, and answers "not found"', async () => {
    const world = await openWorld({
      providers: { groq: { keys: { [fakeKey('groq')]: {} }, models: { old: { retired: true }, m: {} } } },
    })
    const connection = connectionTo(world, 'groq')
    const ids = async () => {
      const list = await listModels(connection, tools)
      return list.ok ? list.models.map((model) => model.id) : []
    }
    expect(await ids()).toEqual(['old', 'm'])
    world.retire('groq', 'm')
    expect(await ids()).toEqual(['old'])
    for (const model of ['old', 'm', '__proto__', 'constructor']) {
      const { outcome } = await callModel(world, 'groq', model, { connection })
      expect([model, outcome.ok ? 'ok' : outcome.failure.kind]).toEqual([model, 'model_not_found'])
    }
    world.setModel('groq', 'm', {})
    expect((await callModel(world, 'groq', 'm', { connection })).outcome.ok).toBe(true)
  })

  for (const spec of catalog) {
    if (spec.modelsList === null || spec.modelsList.path.startsWith('http')) continue
    test(`the models list of ${spec.id} is read by its own reader, and its key check proves the key`, async () => {
      const good = spec.id === 'cloudflare' ? `${'0'.repeat(32)}:${fakeKey('cf')}` : fakeKey(spec.id)
      const world = await openWorld({
        providers: {
          [spec.id]: {
            models: {
              'chatty-1': { context_tokens: 1000 },
              'embed-1': { kind: 'embedding' },
              gone: { unlisted: true },
            },
            ...(spec.auth !== 'none' && { keys: { [good]: {}, [fakeKey('bad')]: { revoked: true } } }),
          },
        },
      })
      const connection = connectionTo(world, spec.id)
      const list = await listModels(connection, tools)
      expect(list.ok && list.models.filter((model) => model.chats).map((model) => model.id)).toContain('chatty-1')
      expect(list.ok && list.models.map((model) => model.id)).not.toContain('gone')
      if (typeof connection.spec.keyCheck !== 'object') return
      expect((await checkKey(connection, tools)).state).toBe('valid')
      expect((await checkKey(connectionTo(world, spec.id, 2), tools)).state).toBe('refused')
    })
  }

  test('what a model lacks is refused as unsupported', async () => {
    const world = await openWorld(
      speaking('openai', { models: { m: { lacks: ['tools', 'streaming'] }, e: { kind: 'embedding' } } }),
    )
    for (const [model, request] of [
      ['m', TOOLS],
      ['m', { stream: true }],
      ['e', {}],
    ] as const) {
      const { outcome } = await callModel(world, 'own', model, request)
      expect(outcome.ok ? 'ok' : outcome.failure.kind).toBe('unsupported')
    }
  })

  test('a prompt longer than the context is refused with the size of the window', async () => {
    const world = await openWorld(speaking('openai', { models: { m: { context_tokens: 50 } } }))
    const { outcome } = await callModel(world, 'own', 'm', { messages: [userMessage('word '.repeat(100))] })
    expect(outcome).toMatchObject({ ok: false, failure: { kind: 'context_too_long', limitTokens: 50 } })
  })
})

test('nonsense gets an answer and never ends the server', async () => {
  const world = await openWorld(speaking('openai'))
  const base = world.endpoint('own')
  const post = (path: string, body: string) =>
    fetch(`${base}${path}`, { method: 'POST', body, headers: { authorization: `Bearer ${fakeKey('own')}` } })
  expect((await post('/chat/completions', '{"model":')).status).toBe(400)
  expect((await post('/chat/completions', '{"model":"m","messages":7}')).status).toBe(400)
  expect((await post('/nowhere', '{}')).status).toBe(404)
  expect((await post('/models/%zz:generateContent', '{}')).status).toBe(400)
  expect((await post('/embeddings', '{"model":"m"}')).status).toBe(403)
  expect((await fetch(`${world.origin}/nobody/v1/models`)).status).toBe(404)
  expect((await callModel(world, 'own', 'm')).outcome.ok).toBe(true)
})

test('a model of another kind is refused as the services refuse it', async () => {
  const models = { m: {}, e: { kind: 'embedding' } } as const
  const world = await openWorld({ providers: { own: { models }, gem: { dialect: 'google', models } } })
  const post = async (provider: string, path: string, body: object) => {
    const headers = { authorization: `Bearer ${fakeKey(provider)}`, 'x-goog-api-key': fakeKey(provider) }
    const url = `${world.endpoint(provider)}${path}`
    const response = await fetch(url, { method: 'POST', body: JSON.stringify(body), headers })
    return [response.status, ((await response.json()) as { error: { message: string } }).error.message]
  }
  const chat = { messages: [{ role: 'user', content: 'Hi' }] }
  const contents = [{ role: 'user', parts: [{ text: 'Hi' }] }]
  const requests = [{ model: 'models/m', content: { parts: [{ text: 'Hi' }] } }]
  expect(await post('own', '/embeddings', { model: 'm', input: 'Hi' })).toEqual([
    403,
    expect.stringMatching(/^You are/),
  ])
  expect(await post('own', '/chat/completions', { model: 'e', ...chat })).toEqual([
    404,
    expect.stringMatching(/^This is/),
  ])
  expect(await post('gem', '/models/m:batchEmbedContents', { requests })).toEqual([
    404,
    expect.stringMatching(/embedC/),
  ])
  expect(await post('gem', '/models/e:generateContent', { contents })).toEqual([
    404,
    expect.stringMatching(/generateC/),
  ])
})

test('embeddings come from embedding models', async () => {
  const world = await openWorld(speaking('openai', { models: { e: { kind: 'embedding' } } }))
  const answer = await fetch(`${world.endpoint('own')}/embeddings`, {
    method: 'POST',
    headers: { authorization: `Bearer ${fakeKey('own')}` },
    body: JSON.stringify({ model: 'e', input: ['one', 'three'] }),
  })
  const body = (await answer.json()) as { data: unknown[]; usage: { total_tokens: number } }
  expect(body.data).toHaveLength(2)
  expect(body.usage.total_tokens).toBe(3)
})

test('without keys in the scenario every key is good, and none is not', async () => {
  const world = await openWorld({ providers: { groq: { models: { m: {} } } } })
  expect((await callModel(world, 'groq', 'm')).outcome.ok).toBe(true)
  expect((await fetch(`${world.endpoint('groq')}/models`)).status).toBe(401)
})
