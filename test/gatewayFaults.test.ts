/** The sixteen faults of the public crash test for LLM gateways, each with one healthy fallback, plain and streamed. */

import { describe, expect, test } from 'vitest'
import type { FakeFault, FakeModel, FakeScenario } from '../src/lab/fake/scenario.ts'
import { type GatewayWorld, openGateway, type WorldOptions } from './support/gatewayWorld.ts'

const REPLY = 'Sixty tokens of an answer that somebody waits for, word by word, until the very last one has come.'
const BODY = { model: 'pair', messages: [{ role: 'user', content: 'Tell me' }] }

/** A primary that is always asked first, and a fallback that is well. */
function pair(faults: readonly Partial<FakeFault>[], primary: Partial<FakeModel> = {}): FakeScenario {
  return {
    providers: {
      primary: { models: { 'first-model': { reply: REPLY, ...primary } }, faults: faults as FakeFault[] },
      fallback: { models: { 'second-model': { reply: REPLY } } },
    },
  }
}

function open(scenario: FakeScenario, { settings, ...options }: WorldOptions = {}): Promise<GatewayWorld> {
  const ordered = { routing: { strategy: 'priority' }, models: { pair: ['first-model', 'second-model'] } }
  return openGateway(scenario, { ...options, settings: { ...ordered, ...settings } })
}

interface Answer {
  readonly status: number
  readonly text: string
  readonly ended: boolean
  readonly broken: boolean
  readonly tokens: number
  readonly trail: string
  readonly target: string
}

async function ask(world: GatewayWorld, stream: boolean, body: object = BODY): Promise<Answer> {
  const response = await world.ask('/v1/chat/completions', {
    ...body,
    ...(stream && { stream, stream_options: { include_usage: true } }),
  })
  const raw = await response.text()
  const events = stream && response.ok ? eventsOf(raw) : [JSON.parse(raw) as Chunk]
  return {
    status: response.status,
    text: events.map(({ choices }) => choices?.[0]?.delta?.content ?? choices?.[0]?.message?.content ?? '').join(''),
    ended: stream ? raw.includes('data: [DONE]') : response.ok,
    broken: events.some((event) => event.error !== undefined),
    tokens: events.findLast((event) => event.usage)?.usage?.completion_tokens ?? 0,
    trail: (response.headers.get('x-keywise-trail') ?? '').replace(/(?:primary|fallback)\/|-model#1/g, ''),
    target: response.headers.get('x-keywise-target') ?? '',
  }
}

interface Chunk {
  readonly choices?: readonly {
    readonly delta?: { readonly content?: string }
    readonly message?: { readonly content?: string }
  }[]
  readonly usage?: { readonly completion_tokens: number } | null
  readonly error?: unknown
}

function eventsOf(raw: string): Chunk[] {
  return raw.split('\n').flatMap((line) => {
    const data = line.startsWith('data: ') ? line.slice(6) : '[DONE]'
    return data === '[DONE]' ? [] : [JSON.parse(data) as Chunk]
  })
}

const CLEAN = { status: 200, text: REPLY, ended: true, broken: false, tokens: Math.ceil(REPLY.length / 4) }
const QUICK = { timeouts: { first_token_ms: 100, idle_ms: 100 } }

const BEFORE_CONTENT: readonly (readonly [string, readonly Partial<FakeFault>[], string])[] = [
  ['S01 429 with Retry-After', [{ do: 'rate_minute', retry_after: 2, to: 1 }], 'first=rate_minute; second=ok'],
  ['S02 429 for ever', [{ do: 'rate_minute' }], 'first=rate_minute; second=ok'],
  ['S03 one 500', [{ do: 'server', to: 1 }], 'first=server; second=ok'],
  ['S04 503 for ever', [{ do: 'overloaded' }], 'first=overloaded; second=ok'],
  ['S05 a reset connection', [{ do: 'reset' }], 'first=network; second=ok'],
  ['S12 a context that is too long', [{ do: 'context_too_long' }], 'first=context_too_long; second=ok'],
]

describe.each([false, true])('streamed: %s', (stream) => {
  test.each(BEFORE_CONTENT)('%s is one clean answer of the fallback', async (_, faults, trail) => {
    await using world = await open(pair(faults))
    expect(await ask(world, stream)).toMatchObject({ ...CLEAN, trail })
  })

  test('S13 a filtered prompt is told as such, and asked of nobody else', async () => {
    await using world = await open(pair([{ do: 'content_filter' }]))
    expect(await ask(world, stream)).toMatchObject({ status: 400, broken: true, trail: 'first=content_filter' })
    expect(world.fakes.calls.map((call) => call.provider)).toEqual(['primary'])
  })
})

describe('late and broken streams', () => {
  test.each([
    ['S06 no response at all', { do: 'silence' }],
    ['S06 headers and then nothing', { do: 'stall' }],
    ['S07 a first token that comes late', { do: 'slow', ms: 1500 }],
  ] as const)('%s is left at the deadline for the first token', async (_, fault) => {
    await using world = await open(pair([fault]), { settings: QUICK })
    expect(await ask(world, true)).toMatchObject({ ...CLEAN, trail: 'first=timeout; second=ok' })
  })

  const CUTS = [
    ['S08 a cut', { do: 'cut_clean', chunks: 5 }],
    ['S08 a reset', { do: 'cut_reset', chunks: 5 }],
    ['S08 an error event', { do: 'cut_error', chunks: 5 }],
    ['S09 a stall', { do: 'cut_stall', chunks: 5 }],
    ['S10 a chunk of bad JSON', { do: 'bad_chunk', chunks: 5 }],
  ] as const

  test.each(
    CUTS,
  )('%s after the first content ends with an error event, never like a whole answer', async (_, fault) => {
    await using world = await open(pair([fault]), { settings: QUICK })
    const answer = await ask(world, true)
    expect(answer).toMatchObject({ status: 200, ended: false, broken: true })
    expect(REPLY.startsWith(answer.text)).toBe(true)
  })

  test.each(CUTS)('%s is continued by the fallback where the user allows it', async (_, fault) => {
    await using world = await open(pair([fault]), { settings: { ...QUICK, streaming: { rescue: 'text' } } })
    const answer = await ask(world, true)
    expect(answer).toMatchObject({ status: 200, text: REPLY, ended: true, broken: false })
    // Both parts are billed, and both are reported to the client.
    const spent = await attempts(world)
    expect(spent.map(({ ok }) => ok).sort()).toEqual([false, true])
    expect(answer.tokens).toBe(spent.reduce((sum, { usage }) => sum + (usage?.outputTokens ?? 0), 0))
  })

  test('S08 is continued by a third when the second breaks as well', async () => {
    const scenario = pair([{ do: 'cut_clean', chunks: 5 }])
    const cut = { do: 'cut_reset' as const, chunks: 6 }
    await using world = await open(
      {
        providers: {
          ...scenario.providers,
          fallback: { models: { 'second-model': { reply: REPLY } }, faults: [cut] },
          third: { models: { 'third-model': { reply: REPLY } } },
        },
      },
      { settings: { streaming: { rescue: 'text' }, models: { pair: ['first-model', 'second-model', 'third-model'] } } },
    )
    expect(await ask(world, true)).toMatchObject({ text: REPLY, ended: true, broken: false })
  })

  test('an answer with tools, or in a format, is never continued', async () => {
    const tools = [{ type: 'function', function: { name: 'clock', parameters: { type: 'object' } } }]
    const json = JSON.stringify({ answer: REPLY })
    for (const [more, reply] of [
      [{ tools }, REPLY] as const,
      [{ response_format: { type: 'json_object' } }, json] as const,
    ]) {
      await using world = await open(pair([{ do: 'cut_clean', chunks: 5 }], { reply }), {
        settings: { streaming: { rescue: 'text' } },
      })
      expect(await ask(world, true, { ...BODY, ...more })).toMatchObject({ ended: false, broken: true })
    }
  })

  test('S11 a missing [DONE] is no fault', async () => {
    await using world = await open(pair([{ do: 'no_done' }]))
    expect(await ask(world, true)).toMatchObject({ status: 200, text: REPLY, broken: false, trail: 'first=ok' })
  })

  test('S14 a fallback that takes no unfinished answer is asked with a question at the end', async () => {
    await using world = await open(pair([{ do: 'cut_clean', chunks: 5 }]), {
      settings: { streaming: { rescue: 'text' } },
    })
    await ask(world, true)
    expect(world.fakes.calls.at(-1)?.body).toMatchObject({ messages: [{}, { role: 'assistant' }, { role: 'user' }] })
  })
})

describe('over many requests', () => {
  test('S15 a primary that is down is asked seldom, and again once it is back', async () => {
    let now = Date.now()
    await using world = await open(pair([]), { clock: () => now, now: () => now })
    world.fakes.fault('primary', { do: 'overloaded' })
    for (let call = 0; call < 15; call++) {
      expect((await ask(world, call % 2 === 0)).text).toBe(REPLY)
      now += 2000
    }
    expect(world.fakes.calls.filter(({ provider }) => provider === 'primary').length).toBeLessThanOrEqual(6)
    world.fakes.clearFaults()
    const served: string[] = []
    for (let call = 0; call < 20; call++) {
      now += 5000
      served.push((await ask(world, false)).target)
    }
    expect(served.slice(-3)).toEqual(Array(3).fill('primary/first-model#1'))
  })

  test('S16 the model that served is named, and every token is counted once', async () => {
    await using world = await open(pair([{ do: 'overloaded', to: 1 }]))
    const answers = [await ask(world, false), await ask(world, true)]
    expect(answers.map(({ trail }) => trail)).toEqual(['first=overloaded; second=ok', 'first=ok'])
    const booked = await attempts(world)
    const tokens = booked.filter(({ ok }) => ok).map(({ usage }) => usage?.outputTokens)
    expect(tokens).toEqual(answers.map((answer) => answer.tokens))
    expect(booked.filter(({ ok }) => !ok).map(({ usage }) => usage)).toEqual([null])
  })
})

interface Booked {
  readonly ok: boolean
  readonly usage: { readonly outputTokens: number } | null
}

async function attempts(world: GatewayWorld): Promise<readonly Booked[]> {
  const headers = { authorization: `Bearer ${world.adminToken}` }
  const { requests } = (await (await fetch(`${world.origin}/api/requests`, { headers })).json()) as {
    requests: readonly Booked[]
  }
  return requests
}
