/** The order of the loop. What each failure leads to, row by row: test/cascade.test.ts. */

import { describe, expect, test } from 'vitest'
import { type Lab, openLab, own, trailOf } from '../../test/support/lab.ts'
import { prepare } from '../../test/support/openTestEngine.ts'
import { AbortedError, AllTargetsFailedError, BudgetExceededError } from '../domain/errors.ts'
import type { FakeFault } from '../lab/fake/scenario.ts'
import { cascade } from './cascade.ts'
import { prepareRequest } from './prepareRequest.ts'
import { readContext } from './request/readContext.ts'

const alphaThenBeta = (faults: readonly FakeFault[] = [], more: object = {}) => ({
  providers: { ...own('alpha', 1, ['m'], { faults, ...more }), ...own('beta', 1, ['m']) },
})

const start = ({ manager }: Lab, context: object = {}) => prepare(manager.engine, { prompt: 'Say hi', ...context })

describe('a request that is answered', () => {
  test('at the second target has both attempts, and the winner is the one that answered', async () => {
    const lab = await openLab(alphaThenBeta([{ do: 'server' }]))
    const { trail, winner, report, call } = await cascade(lab.manager.engine, start(lab))
    expect(trailOf(trail.attempts)).toBe('alpha/m#1=server; beta/m#1=ok')
    expect(winner.target.id).toBe('beta/m#1')
    expect(report).toBe(trail.attempts.at(-1))
    expect(call.ended?.outcome.ok).toBe(true)
  })

  test('as a stream is handed over at its first content, and recorded at its end', async () => {
    const lab = await openLab(alphaThenBeta())
    const { engine } = lab.manager
    const pending = prepareRequest(engine, readContext('Say hi', true).request)
    const { trail, report, recorded, call } = await cascade(engine, pending)
    expect(report).toBeNull()
    expect(trail.attempts).toEqual([])
    call.attach({ onChunks: () => true, onEnd: () => {} })
    const last = await recorded
    expect(last).toMatchObject({ ok: true, target: 'alpha/m#1' })
    expect(trail.attempts).toEqual([last])
  })

  test('leaves no hold behind, whoever failed before', async () => {
    const budgets = [{ scope: 'all', tokens: 100_000, per: 'day' }]
    const lab = await openLab(alphaThenBeta([{ do: 'server' }]), { settings: { budgets } })
    const { engine } = lab.manager
    const { report } = await cascade(engine, start(lab))
    const [view] = engine.learned.budgets.view(engine.now)
    expect(view).toMatchObject({ spent: report!.usage!.totalTokens, reserved: 0 })
  })
})

describe('a request that goes on', () => {
  test('asks nobody again who failed it before', async () => {
    const lab = await openLab(alphaThenBeta([{ do: 'server', to: 1 }]))
    const { engine } = lab.manager
    const pending = start(lab)
    const { trail } = await cascade(engine, pending)
    expect(lab.asked()).toEqual(['alpha/m#1', 'beta/m#1'])
    await cascade(engine, pending, trail)
    expect(lab.asked()).toEqual(['beta/m#1'])
    expect(trailOf(trail.attempts)).toBe('alpha/m#1=server; beta/m#1=ok; beta/m#1=ok')
  })
})

describe('a request that nobody answers', () => {
  test('ends with every attempt', async () => {
    const scenario = { providers: own('alpha', 3, ['m'], { faults: [{ do: 'auth_invalid' as const }] }) }
    const lab = await openLab(scenario)
    const error = await cascade(lab.manager.engine, start(lab)).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(AllTargetsFailedError)
    expect((error as AllTargetsFailedError).attempts.map(({ keyIndex }) => keyIndex)).toEqual([1, 2, 3])
  })

  test('calls nobody once the caller has left or the time is up', async () => {
    const lab = await openLab(alphaThenBeta())
    const { engine } = lab.manager
    const left = start(lab)
    left.cancellation.cancel()
    await expect(cascade(engine, left)).rejects.toThrow(AbortedError)
    const late = { ...start(lab), deadlineAt: engine.tools.monotonic() - 1 }
    await expect(cascade(engine, late)).rejects.toThrow(AllTargetsFailedError)
    expect(lab.asked()).toEqual([])
  })

  test('stops at a budget that says so, and goes elsewhere at one that does not', async () => {
    const settings = (onExceeded: string) => ({
      budgets: [{ scope: 'alpha', tokens: 1, per: 'day', on_exceeded: onExceeded }],
    })
    const strict = await openLab(alphaThenBeta(), { settings: settings('reject') })
    await expect(cascade(strict.manager.engine, start(strict))).rejects.toThrow(BudgetExceededError)
    expect(strict.asked()).toEqual([])
    const lenient = await openLab(alphaThenBeta(), { settings: settings('fallback') })
    expect((await cascade(lenient.manager.engine, start(lenient))).winner.target.id).toBe('beta/m#1')
  })

  test('judges and records each failure before the next call', async () => {
    const lab = await openLab(alphaThenBeta([{ do: 'billing' }]))
    const { engine } = lab.manager
    const parked: (string | undefined)[] = []
    engine.events.on('attempt', () => {
      const [alpha] = engine.registry.targets
      parked.push(engine.learned.parks.blocking(alpha!, engine.now)?.reason)
    })
    await cascade(engine, start(lab))
    expect(parked).toEqual(['billing', 'billing'])
    expect(lab.asked()).toEqual(['alpha/m#1', 'beta/m#1'])
  })
})

test('the only target is asked again after a pause, by a new decision', async () => {
  const pauses: number[] = []
  const sleep = (ms: number) => {
    pauses.push(ms)
    return Promise.resolve()
  }
  const lab = await openLab(
    { providers: own('alpha', 1, ['m'], { faults: [{ do: 'server', to: 1 }] }) },
    { manager: { sleep } },
  )
  const decided: (string | null)[] = []
  lab.manager.engine.events.on('decision', ({ chosen }) => void decided.push(chosen))
  const { trail } = await cascade(lab.manager.engine, start(lab))
  expect(trailOf(trail.attempts)).toBe('alpha/m#1=server; alpha/m#1=ok')
  expect(decided).toEqual(['alpha/m#1', 'alpha/m#1'])
  expect(pauses).toHaveLength(1)
})
