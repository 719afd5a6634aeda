import { describe, expect, test } from 'vitest'
import { openGateway } from './support/gatewayWorld.ts'
import { openLab, own } from './support/lab.ts'

/** An account that can pay for answers of this many tokens, and refuses longer ones as OpenRouter does. */
function payingFor(affordable: number, provider = 'alpha') {
  return (asked: string, body: unknown) => {
    const fields = body as Record<string, unknown> // our own client writes objects
    const most = Number(fields['max_tokens'] ?? fields['max_completion_tokens'] ?? 64_000)
    if (asked !== provider || most <= affordable) return null
    const message = `This needs more credits, or fewer max_tokens. You requested up to ${most} tokens, but can only afford ${affordable}.`
    return { status: 402, body: { error: { message, code: 402 } } }
  }
}

const limitsOf = (calls: readonly { readonly body: unknown }[]) =>
  calls.map(({ body }) => {
    const fields = body as Record<string, unknown>
    return [fields['max_tokens'], fields['max_completion_tokens']].filter((limit) => limit !== undefined)
  })

describe('an account that can pay for less than what was asked for', () => {
  test('is asked again for as much as it can pay, and stays available', async () => {
    const lab = await openLab({ providers: { ...own('alpha', 1, ['m']), ...own('beta', 1, ['m']) } })
    lab.world.refuseIf(payingFor(3000))
    const { trail, attempts } = await lab.call({ prompt: 'Write a book' })
    expect(trail).toBe('alpha/m#1=too_large_for_limit; alpha/m#1=ok')
    expect(attempts[0]?.status).toBe(402)
    expect(limitsOf(lab.world.calls)).toEqual([[], [3000]])
    expect((await lab.call({ prompt: 'Say hi', maxTokens: 500 })).trail).toBe('alpha/m#1=ok')
    expect((await lab.call({ prompt: 'Say hi', maxTokens: 9000 })).trail).toBe(
      'alpha/m#1=too_large_for_limit; alpha/m#1=ok',
    )
  })

  test('raises no alert of an empty account', async () => {
    const lab = await openLab({ providers: own('alpha', 1, ['m']) })
    const alerts: unknown[] = []
    lab.manager.on('alert', (alert) => void alerts.push(alert))
    lab.world.refuseIf(payingFor(3000))
    await lab.call()
    expect(alerts).toEqual([])
  })

  test('is asked again once only', async () => {
    const lab = await openLab({ providers: { ...own('alpha', 1, ['m']), ...own('beta', 1, ['m']) } })
    let affordable = 4000
    lab.world.refuseIf((provider, body) => payingFor(affordable--)(provider, body))
    expect((await lab.call()).trail).toBe('alpha/m#1=too_large_for_limit; alpha/m#1=too_large_for_limit; beta/m#1=ok')
  })

  test('is left alone where too little is affordable, and others answer in full', async () => {
    const lab = await openLab({ providers: { ...own('alpha', 1, ['m']), ...own('beta', 1, ['m']) } })
    lab.world.refuseIf(payingFor(40))
    expect((await lab.call()).trail).toBe('alpha/m#1=too_large_for_limit; beta/m#1=ok')
    expect((await lab.call({ prompt: 'Say hi', maxTokens: 30 })).trail).toBe('alpha/m#1=ok')
  })

  test('answers a client of the gateway, whichever name its limit has, streamed or not', async () => {
    await using world = await openGateway({ providers: own('alpha', 1, ['m']) })
    world.fakes.refuseIf(payingFor(3000))
    for (const limit of [{ max_completion_tokens: 20_000 }, { max_tokens: 20_000 }, {}])
      for (const stream of [false, true]) {
        world.fakes.forget()
        const body = { model: 'm', messages: [{ role: 'user', content: 'x' }], stream, ...limit }
        const answer = await world.ask('/v1/chat/completions', body)
        expect(answer.status).toBe(200)
        await answer.text()
        expect(limitsOf(world.fakes.calls)).toEqual([Object.values(limit), [3000]])
      }
  })

  test.each([
    ['/v1/responses', { input: 'x', max_output_tokens: 20_000 }],
    ['/v1/messages', { messages: [{ role: 'user', content: 'x' }], max_tokens: 20_000 }],
    [
      '/v1beta/models/m:generateContent',
      { contents: [{ role: 'user', parts: [{ text: 'x' }] }], generationConfig: { maxOutputTokens: 20_000 } },
    ],
  ])('answers a client at %s, whose own limit is called otherwise', async (path, body) => {
    await using world = await openGateway({ providers: own('alpha', 1, ['m']) })
    world.fakes.refuseIf(payingFor(3000))
    const answer = await world.ask(path, { model: 'm', ...body })
    expect([answer.status, await answer.text()]).toEqual([200, expect.stringContaining('This is m')])
    expect(limitsOf(world.fakes.calls)).toEqual([[20_000], [3000]])
  })

  test('is found wherever and however it says so', async () => {
    const error = { message: 'This needs more credits. You requested up to 64,000 tokens, but can only afford 3,000.' }
    const capacity = { message: 'More credits are required. 64000 token capacity required, 3000 available.', code: 402 }
    for (const [status, body] of [
      [402, error.message],
      [200, { error: { ...error, code: 402 } }],
      [402, { error: { error: capacity, code: 402 } }],
    ] as const) {
      const lab = await openLab({ providers: own('alpha', 1, ['m']) })
      lab.world.refuseIf((_, asked) => (payingFor(3000)('alpha', asked) === null ? null : { status, body }))
      expect((await lab.call()).trail).toBe('alpha/m#1=too_large_for_limit; alpha/m#1=ok')
      expect((await lab.stream()).trail).toBe('alpha/m#1=too_large_for_limit; alpha/m#1=ok')
      expect(limitsOf(lab.world.calls)).toEqual([[], [3000], [], [3000]])
    }
  })

  test.each([
    ['a prompt that costs more than the credit', { message: 'Prompt tokens limit exceeded: 9,000 > 8,000', code: 402 }],
    [
      'a request that may not be under way beside others',
      {
        message: 'This request would exceed your in-flight budget.',
        code: 402,
        metadata: { reason: 'weight_exceeds_budget', limit_source: 'openrouter_credits' },
      },
    ],
  ])('is asked for the next request after it refused %s', async (_, error) => {
    const lab = await openLab({ providers: { ...own('alpha', 1, ['m']), ...own('beta', 1, ['m']) } })
    lab.world.refuseIf((provider, body) =>
      provider === 'alpha' && JSON.stringify(body).includes('long') ? { status: 402, body: { error } } : null,
    )
    expect((await lab.call('A long prompt')).trail).toBe('alpha/m#1=too_large_for_limit; beta/m#1=ok')
    expect((await lab.call('Say hi')).trail).toBe('alpha/m#1=ok')
  })

  test('is an empty account where no size would do', async () => {
    const lab = await openLab({ providers: { ...own('alpha', 1, ['m']), ...own('beta', 1, ['m']) } })
    const error = { message: 'Insufficient Balance', type: 'unknown_error', param: null, code: 'invalid_request_error' }
    lab.world.refuseIf((provider) => (provider === 'alpha' ? { status: 402, body: { error } } : null))
    expect((await lab.call()).trail).toBe('alpha/m#1=billing; beta/m#1=ok')
    expect((await lab.call()).trail).toBe('beta/m#1=ok')
  })
})
