/** One provider in trouble, whatever the trouble, must not use up the attempts of a request that another can answer. */

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { FakeFault } from '../src/lab/fake/scenario.ts'
import { openLab, own } from './support/lab.ts'

/** The failures that are not the request's own fault, or may be answered elsewhere all the same. */
const TROUBLES = [
  { do: 'rate_minute' },
  { do: 'rate_minute', retry_after: 0.02 },
  { do: 'rate_minute', retry_after: 60 },
  { do: 'quota_day' },
  { do: 'quota_day', retry_after: 7200 },
  { do: 'billing' },
  { do: 'in_flight_budget', retry_after: 30 },
  { do: 'auth_invalid' },
  { do: 'auth_forbidden' },
  { do: 'overloaded' },
  { do: 'server' },
  { do: 'model_not_found' },
  { do: 'context_too_long' },
  { do: 'unsupported' },
  { do: 'too_large_for_limit' },
  { do: 'zero_quota' },
  { do: 'reset' },
  { do: 'html' },
  { do: 'empty' },
  { do: 'error_in_200' },
  { do: 'redirect' },
  { do: 'says_nothing' },
  { do: 'only_thinks' },
  { do: 'unknown_tool' },
] as const satisfies readonly FakeFault[]

const names = (count: number) => Array.from({ length: count }, (_, index) => `m${index}`)

describe('the trouble of one provider', () => {
  test.each([
    'priority',
    'score',
    'learned',
    'round-robin',
  ])('six models at their limit: another provider is asked third at the latest (%s)', async (strategy) => {
    const lab = await openLab(
      { providers: { ...own('alpha', 1, names(6)), ...own('beta', 1, ['m']) } },
      { settings: { routing: { strategy } } },
    )
    for (let call = 0; call < 14; call++) await lab.call()
    lab.world.fault('alpha', { do: 'rate_minute', retry_after: 60 })
    const { result, trail } = await lab.call()
    expect(result?.provider, trail).toBe('beta')
    expect(trail.split('; ').length).toBeLessThanOrEqual(3)
  })

  test.each([
    'priority',
    'score',
    'learned',
    'round-robin',
  ])('as many providers as attempts, all but the last in trouble: each is asked once (%s)', async (strategy) => {
    const troubled = { faults: [{ do: 'server' as const }] }
    const lab = await openLab(
      {
        providers: {
          ...own('alpha', 2, ['m', 'n'], troubled),
          ...own('beta', 2, ['m', 'n'], troubled),
          ...own('gamma', 2, ['m', 'n'], troubled),
          ...own('delta', 2, ['m', 'n'], troubled),
          ...own('omega', 1, ['m']),
        },
      },
      { settings: { routing: { strategy } } },
    )
    for (let call = 0; call < 5; call++) {
      const { result, trail } = await lab.call()
      expect(result?.provider, trail).toBe('omega')
    }
  })

  test('answers come from the healthy provider within the allowed attempts, in every world', async () => {
    const world = fc.record({
      trouble: fc.constantFrom(...TROUBLES),
      keys: fc.integer({ min: 1, max: 6 }),
      models: fc.integer({ min: 1, max: 6 }),
      dialect: fc.constantFrom('openai', 'openai-responses', 'anthropic', 'google'),
      strategy: fc.constantFrom('priority', 'score', 'learned', 'round-robin'),
      maxAttempts: fc.integer({ min: 2, max: 5 }),
      isHardCap: fc.boolean(),
      isAlias: fc.boolean(),
      stream: fc.boolean(),
      /** Calls that still work, so that the provider in trouble is known and preferred. */
      warmUp: fc.integer({ min: 0, max: 4 }),
    })
    await fc.assert(
      fc.asyncProperty(world, async (facts) => {
        const alpha = own('alpha', facts.keys, names(facts.models), { dialect: facts.dialect })
        const lab = await openLab(
          { providers: { ...alpha, ...own('beta', 1, ['m']) } },
          {
            settings: {
              ...(facts.isHardCap && { max_attempts: facts.maxAttempts }),
              routing: { strategy: facts.strategy },
              models: { both: [...names(facts.models).map((name) => `alpha/${name}`), 'beta/m'] },
            },
            manager: { sleep: () => Promise.resolve() },
          },
        )
        const context = {
          prompt: 'hi',
          ...(facts.isAlias && { model: 'both' }),
          ...(!facts.isHardCap && { maxAttempts: facts.maxAttempts }),
        }
        for (let call = 0; call < facts.warmUp; call++) await lab.call(context)
        lab.world.fault('alpha', facts.trouble)
        for (let call = 0; call < 2; call++) {
          const told = await (facts.stream ? lab.stream(context) : lab.call(context))
          expect(told.error?.message ?? 'answered').toBe('answered')
          expect(told.result?.content, told.trail).not.toBe('')
          expect(told.attempts.length).toBeLessThanOrEqual(facts.maxAttempts)
        }
        await lab.manager.close()
        await lab.world.close()
      }),
      { numRuns: 60 },
    )
  })
})
