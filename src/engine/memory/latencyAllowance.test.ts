import { describe, expect, test } from 'vitest'
import { makeFailure, makeSuccess, makeTarget } from '../../../test/support/makeEvents.ts'
import type { AttemptEvent } from '../../domain/store.ts'
import type { Target } from '../../domain/target.ts'
import type { Needs } from '../../routing/eligible.ts'
import { LatencyAllowance } from './latencyAllowance.ts'

const NOON = Date.UTC(2026, 10, 23, 12)
const target = makeTarget()

/** A request, as far as its time depends on it. */
function request(stream: boolean, maxOutputTokens: number | null = null, inputTokens = 0) {
  const needs: Needs = {
    inputTokens,
    maxOutputTokens,
    abilities: ['chat'],
    model: null,
    provider: null,
    among: null,
    auto: true,
  }
  return { request: { model: 'm', messages: [], stream }, needs }
}
const PLAIN = request(false)
const STREAM = request(true)

function tokens(outputTokens: number): AttemptEvent['usage'] {
  return { inputTokens: 10, outputTokens, totalTokens: 10 + outputTokens, estimated: false }
}

type Facts = Partial<AttemptEvent>
const plain = (latencyMs: number, length: number): Facts => ({ latencyMs, usage: tokens(length) })
const stream = (firstTokenMs: number, latencyMs: number, length: number): Facts => ({
  streamed: true,
  firstTokenMs,
  latencyMs,
  usage: tokens(length),
})

function taught(facts: Facts, count = 20, of: Target = target): LatencyAllowance {
  const allowance = new LatencyAllowance()
  for (let index = 0; index < count; index++) allowance.fold(makeSuccess(of, NOON + index, facts))
  return allowance
}
const auto = (allowance: LatencyAllowance, pending = PLAIN, of: Target = target) =>
  allowance.firstTokenMs(of, pending, 'auto')

describe('a number in the settings', () => {
  test.each([1, 1500, 300_000])('holds for plain calls as for streams: %s', (setting) => {
    const allowance = taught(plain(500, 200))
    expect(allowance.firstTokenMs(target, PLAIN, setting, 60_000)).toBe(setting)
    expect(allowance.firstTokenMs(target, STREAM, setting, 60_000)).toBe(setting)
  })
})

describe('the time for a stream', () => {
  test('is a minute until twenty answers were seen', () => {
    expect(auto(taught(stream(500, 3000, 200), 19), STREAM)).toBe(60_000)
    expect(auto(taught(stream(500, 3000, 200), 20), STREAM)).toBe(5000)
  })

  test('is far above what the target usually takes, between 5 s and 2 minutes', () => {
    expect(auto(taught(stream(8000, 9000, 200)), STREAM)).toBeGreaterThan(14_000)
    expect(auto(taught(stream(8000, 9000, 200)), STREAM)).toBeLessThan(30_000)
    expect(auto(taught(stream(100_000, 110_000, 200)), STREAM)).toBe(120_000)
  })

  test('is longer for a long prompt', () => {
    expect(auto(taught(stream(500, 3000, 200)), request(true, null, 100_000))).toBe(25_000)
  })

  test('is not learned from plain answers', () => {
    expect(auto(taught(plain(500, 200)), STREAM)).toBe(60_000)
  })

  test('is at least what the provider needs', () => {
    expect(taught(stream(500, 3000, 200)).firstTokenMs(target, STREAM, 'auto', 90_000)).toBe(90_000)
  })
})

describe('the time for a plain answer', () => {
  test('before anything is learned is a minute and 10 ms per token', () => {
    expect(auto(new LatencyAllowance(), request(false, 100))).toBe(61_000)
    expect(auto(new LatencyAllowance(), request(false, 8000))).toBe(140_000)
    expect(auto(new LatencyAllowance())).toBe(100_960)
    expect(auto(new LatencyAllowance(), request(false, 1_000_000))).toBe(600_000)
  })

  test('counts no more tokens than the model can write', () => {
    const short = makeTarget({ profile: { maxOutputTokens: 1000 } })
    expect(auto(new LatencyAllowance(), PLAIN, short)).toBe(70_000)
    expect(auto(new LatencyAllowance(), request(false, 4000), short)).toBe(70_000)
  })

  test('is learned from streams: first content + tokens x twice the time per token', () => {
    // 500 ms to the first content, then 200 tokens in 1 s.
    const allowance = taught(stream(500, 1500, 200))
    expect(auto(allowance, request(false, 1000))).toBeCloseTo(5000 + 1000 * 2 * 5, 3)
    expect(auto(allowance)).toBeCloseTo(5000 + 4096 * 2 * 5, 3)
  })

  test('is learned from plain answers too', () => {
    // 2 s for 200 tokens.
    expect(auto(taught(plain(2000, 200)), request(false, 1000))).toBeCloseTo(5000 + 1000 * 2 * 10, 3)
  })

  test.each([
    { what: 'short plain answers', facts: plain(400, 20) },
    { what: 'short streams', facts: stream(300, 700, 19) },
    { what: 'long streams', facts: stream(300, 10_300, 1000) },
    { what: 'long plain answers', facts: plain(10_300, 1000) },
  ])('does not cut an answer of 4,000 tokens at the usual pace after $what', ({ facts }) => {
    const paceMs = 10
    expect(auto(taught(facts, 200))).toBeGreaterThan(300 + 4000 * paceMs)
    expect(auto(taught(facts, 200), request(false, 16_000))).toBeGreaterThan(300 + 16_000 * paceMs)
  })

  test('is short where little is asked for and the target is known to be quick', () => {
    expect(auto(taught(stream(500, 1500, 200)), request(false, 50))).toBeLessThan(6000)
  })

  test('learns nothing from the few tokens of a test', () => {
    expect(auto(taught({ ...plain(300, 200), source: 'test' }, 50), request(false, 0))).toBe(60_000)
  })

  test.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])('learns nothing from %s ms', (latencyMs) => {
    const allowance = taught({ latencyMs, firstTokenMs: latencyMs, usage: tokens(200) })
    expect(auto(allowance, request(false, 100))).toBe(61_000)
  })
})

describe('the 95th percentile', () => {
  test('is known after twenty answers of that kind', () => {
    expect(taught(plain(1000, 200), 19).p95Ms(target, false)).toBeNull()
    const allowance = taught(plain(1000, 200))
    expect(allowance.p95Ms(target, true)).toBeNull()
    expect(allowance.p95Ms(target, false)).toBeGreaterThan(1300)
    expect(allowance.p95Ms(target, false)).toBeLessThan(2000)
  })

  test('of a stream is about its first content', () => {
    expect(taught(stream(1000, 60_000, 200)).p95Ms(target, true)).toBeLessThan(2000)
  })
})

describe('a target that another one beat', () => {
  const beaten = (latencyMs: number, facts: Facts = {}) =>
    makeFailure(target, NOON, 'slower', { latencyMs, streamed: true, ...facts })

  test('takes at least as long as it was silent', () => {
    const allowance = taught(stream(1000, 2000, 200), 100)
    const before = allowance.p95Ms(target, true)!
    for (let index = 0; index < 10; index++) allowance.fold(beaten(4000))
    expect(allowance.p95Ms(target, true)).toBeGreaterThan(before)
  })

  test('that was silent for less than usual proves nothing', () => {
    const allowance = taught(stream(1000, 2000, 200), 100)
    const before = allowance.p95Ms(target, true)
    allowance.fold(beaten(100))
    expect(allowance.p95Ms(target, true)).toBe(before)
  })

  test('counts as slow as its content was, when that came', () => {
    const one = taught(stream(1000, 2000, 200), 100)
    one.fold(beaten(9000, { firstTokenMs: 3000 }))
    const other = taught(stream(1000, 2000, 200), 100)
    other.fold(beaten(3000))
    expect(one.p95Ms(target, true)).toBe(other.p95Ms(target, true))
  })
})

describe('a snapshot', () => {
  test('keeps what was learned', () => {
    const allowance = taught(stream(1000, 3000, 200), 30)
    for (let index = 0; index < 30; index++) allowance.fold(makeSuccess(target, NOON, plain(2000 + 100 * index, 150)))
    const copy = LatencyAllowance.fromJson(JSON.parse(JSON.stringify(allowance.toJson())))
    for (const pending of [PLAIN, STREAM, request(false, 50)])
      expect(auto(copy, pending)).toBe(auto(allowance, pending))
    for (const kind of [true, false]) expect(copy.p95Ms(target, kind)).toBe(allowance.p95Ms(target, kind))
  })

  test.each([
    null,
    'text',
    [null],
    [['id']],
    [[1, [], [], []]],
    [[target.stateId, [50, 'x', 1], [50], {}]],
    [[target.stateId, [-5, 1, 1], [0, 1, 1], [Number.NaN, 1, 1]]],
  ])('that is none is nothing learned: %j', (json) => {
    const allowance = LatencyAllowance.fromJson(json)
    expect(auto(allowance, STREAM)).toBe(60_000)
    expect(allowance.p95Ms(target, false)).toBeNull()
  })
})
