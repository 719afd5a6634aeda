import { describe, expect, test } from 'vitest'
import type { KeywiseError } from '../src/domain/errors.ts'
import type { FakeFault } from '../src/lab/fake/scenario.ts'
import type { CallStream, StreamEvent } from '../src/manager/callStream.ts'
import { type Lab, openLab, own, trailOf } from './support/lab.ts'
import { until } from './support/labCall.ts'

const DIALECTS = ['openai', 'openai-responses', 'anthropic', 'google'] as const

interface Heard {
  readonly events: readonly StreamEvent[]
  readonly text: string
  readonly error: KeywiseError | null
}

async function hear(stream: CallStream<unknown>): Promise<Heard> {
  const events: StreamEvent[] = []
  let error: KeywiseError | null = null
  try {
    for await (const event of stream) events.push(event)
  } catch (thrown) {
    error = thrown as KeywiseError // whatever it is, the test looks at its code
  }
  return { events, text: events.map((event) => (event.type === 'text-delta' ? event.text : '')).join(''), error }
}

const SHORT_MS = 250
/** Short only where a silence has to be waited for, so that a busy machine breaks nothing else. */
const TIMEOUTS: { readonly [F in FakeFault['do']]?: object } = {
  silence: { first_token_ms: SHORT_MS },
  stall: { first_token_ms: SHORT_MS },
  cut_stall: { idle_ms: SHORT_MS },
}

const two = (dialect: (typeof DIALECTS)[number], ...faults: FakeFault[]) =>
  openLab(
    { providers: { ...own('alpha', 1, ['m'], { dialect, faults }), ...own('beta', 1, ['m'], { dialect }) } },
    { settings: { timeouts: Object.assign({}, ...faults.map((fault) => TIMEOUTS[fault.do])) } },
  )

const settled = (lab: Lab) => until(() => lab.world.inFlight() === 0)

for (const dialect of DIALECTS) {
  describe(dialect, () => {
    test('a stream arrives whole: text, usage, end, and the result', async () => {
      const lab = await two(dialect)
      const stream = lab.manager.streamWithFallback('Say hi')
      const { events, text, error } = await hear(stream)
      expect(error).toBeNull()
      expect(text).toContain('answering "Say hi"')
      expect(events.at(-1)).toMatchObject({ type: 'end', finishReason: 'stop' })
      expect(events.filter((event) => event.type === 'end')).toHaveLength(1)
      const result = await stream.result
      expect(result).toMatchObject({ content: text, provider: 'alpha', finishReason: 'stop' })
      expect(result.usage.estimated).toBe(false)
    })

    for (const fault of [
      'server',
      'rate_minute',
      'html',
      'empty',
      'error_in_200',
      'reset',
      'silence',
      'stall',
    ] as const) {
      test(`${fault} before the first content goes on to the next target`, async () => {
        const lab = await two(dialect, { do: fault })
        const stream = lab.manager.streamWithFallback('Say hi')
        const { text, error } = await hear(stream)
        expect(error).toBeNull()
        expect(text).toContain('answering')
        const { attempts, provider } = await stream.result
        expect(provider).toBe('beta')
        expect(trailOf(attempts)).toMatch(/^alpha\/m#1=\w+; beta\/m#1=ok$/)
        await settled(lab)
      })
    }

    for (const fault of ['cut_reset', 'cut_clean', 'cut_error', 'bad_chunk'] as const) {
      test(`${fault} with no content yet goes on to the next target`, async () => {
        const lab = await two(dialect, { do: fault, chunks: 0 })
        const stream = lab.manager.streamWithFallback('Say hi')
        expect((await hear(stream)).error).toBeNull()
        expect((await stream.result).provider).toBe('beta')
      })
    }

    for (const fault of ['cut_reset', 'cut_clean', 'cut_stall', 'cut_error', 'bad_chunk'] as const) {
      test(`${fault} after content throws, and nothing ends like a complete answer`, async () => {
        const lab = await two(dialect, { do: fault, chunks: 3 })
        const stream = lab.manager.streamWithFallback('Say hi')
        const { events, text, error } = await hear(stream)
        expect(text).not.toBe('')
        expect(error).toMatchObject({ code: 'ALL_TARGETS_FAILED' })
        expect(events.some((event) => event.type === 'end')).toBe(false)
        await expect(stream.result).rejects.toBe(error)
        expect(error?.attempts).toHaveLength(1)
        expect(error?.attempts[0]).toMatchObject({ target: 'alpha/m#1', ok: false })
        expect(error?.attempts[0]?.usage?.outputTokens).toBeGreaterThan(0)
        expect(lab.manager.getSessionSummary()).toMatchObject({ requests: 1, successes: 0, failures: 1 })
        await settled(lab)
      })
    }

    test('a short thought is no content yet: one that breaks off is replaced', async () => {
      const lab = await openLab({
        providers: {
          ...own('alpha', 1, ['m'], {
            dialect,
            models: { m: { thinks: 40 } },
            faults: [{ do: 'cut_reset', chunks: 2 }],
          }),
          ...own('beta', 1, ['m'], { dialect }),
        },
      })
      const { events, error } = await hear(lab.manager.streamWithFallback('Say hi'))
      expect(events.some((event) => event.type === 'reasoning-delta')).toBe(false)
      expect(error).toBeNull()
      expect(lab.asked()).toEqual(['alpha/m#1', 'beta/m#1'])
    })

    test('a tool call arrives once and whole', async () => {
      const lab = await two(dialect)
      const tools = [{ name: 'weather', parameters: { type: 'object', properties: { city: { type: 'string' } } } }]
      const { events } = await hear(lab.manager.streamWithFallback({ prompt: 'What is the weather?', tools }))
      expect(events.filter((event) => event.type === 'tool-call')).toMatchObject([
        { name: 'weather', arguments: '{"city":"text"}' },
      ])
      expect(events.at(-1)).toMatchObject({ type: 'end', finishReason: 'tool_calls' })
    })
  })
}

describe('readers', () => {
  const slow = () =>
    openLab(
      {
        providers: own('alpha', 1, ['m'], {
          models: { m: { reply: 'word '.repeat(400_000) } },
        }),
      },
      { settings: { timeouts: { idle_ms: 400 } } },
    )

  test('who leaves early cancels the upstream', async () => {
    const lab = await openLab({
      providers: own('alpha', 1, ['m'], { models: { m: { reply: 'x'.repeat(5000), tokens_per_second: 200 } } }),
    })
    const stream = lab.manager.streamWithFallback('hi')
    for await (const event of stream) if (event.type === 'text-delta') break
    await settled(lab)
    await expect(stream.result).rejects.toMatchObject({ code: 'ABORTED' })
    expect(lab.manager.rankTargets()[0]).toMatchObject({ eligible: true })
    expect(lab.manager.engine.store.attempts({ limit: 5 })).toMatchObject([{ ok: false }])
  })

  test('a signal ends a running stream with an AbortError', async () => {
    const lab = await openLab({
      providers: own('alpha', 1, ['m'], { models: { m: { reply: 'x'.repeat(5000), tokens_per_second: 200 } } }),
    })
    const controller = new AbortController()
    const stream = lab.manager.streamWithFallback({ prompt: 'hi', signal: controller.signal })
    const iterator = stream[Symbol.asyncIterator]()
    await iterator.next()
    controller.abort()
    const rest = { [Symbol.asyncIterator]: () => iterator, result: stream.result }
    const { error } = await hear(rest)
    expect(error).toMatchObject({ code: 'ABORTED', name: 'AbortError' })
    await settled(lab)
  })

  test('a slow reader holds the upstream back, keeps memory bounded, is not taken for a silent upstream, and gets all', async () => {
    const lab = await slow()
    const stream = lab.manager.streamWithFallback('hi')
    const reader = stream[Symbol.asyncIterator]()
    const first = await reader.next()
    expect(first.value).toMatchObject({ type: 'text-delta' })
    // Longer than the idle time: the silence is the reader's.
    await new Promise((resolve) => setTimeout(resolve, 700))
    expect(lab.world.inFlight()).toBe(1)
    let length = first.value?.type === 'text-delta' ? first.value.text.length : 0
    for (let next = await reader.next(); !next.done; next = await reader.next())
      if (next.value.type === 'text-delta') length += next.value.text.length
    expect(length).toBe(2_000_000)
    expect((await stream.result).content).toHaveLength(2_000_000)
  })

  test('the result alone can be awaited', async () => {
    const lab = await openLab({ providers: own('alpha', 1, ['m'], { models: { m: { reply: 'y'.repeat(100_000) } } }) })
    expect((await lab.manager.streamWithFallback('hi').result).content).toHaveLength(100_000)
  })

  test('a failed stream that nobody looks at is no unhandled rejection', async () => {
    const lab = await openLab({ providers: own('alpha', 1, ['m'], { faults: [{ do: 'bad_request' }] }) })
    lab.manager.streamWithFallback('hi')
    await until(() => lab.world.calls.length === 1)
    await settled(lab)
  })
})
