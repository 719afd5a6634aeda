/** Time per decision and per lesson, in pools of 10 to 10,000 targets. */

import { Router, type RoutingRequest } from '../src/routing/choose.ts'
import { ROUTING } from '../src/routing/settings.ts'
import { makeFailure, makeSuccess, makeTarget } from '../test/support/makeEvents.ts'

const NOON = Date.UTC(2026, 10, 23, 12)

function benchTarget(number: number) {
  return makeTarget({
    provider: `provider${number % 20}`,
    model: `model${number}`,
    profile: {
      price: { input: number % 7, output: number % 11 },
      qualityPrior: 0.6 + (number % 40) / 100,
    },
  })
}

function answer(target: ReturnType<typeof makeTarget>, at: number, number: number) {
  if (number % 9 === 0) return makeFailure(target, at)
  return makeSuccess(target, at, {
    latencyMs: 500 + (number % 37) * 60,
    firstTokenMs: 200 + (number % 13) * 40,
    streamed: true,
    usage: { inputTokens: 100, outputTokens: 120, totalTokens: 220, estimated: false },
  })
}

function request(number: number): RoutingRequest {
  return {
    id: `request-${number}`,
    profile: 'balanced',
    task: null,
    stream: true,
    inputTokens: 500,
    expectedOutputTokens: null,
    session: { stateId: null },
    firstTurn: true,
    mayExplore: true,
    ineligible: (_target, index) =>
      index % 10 === 3 ? { code: 'parked', reason: 'blocked: 429', until: NOON + 1000 } : null,
  }
}

/** Best of several rounds, in microseconds per decision; a second of traffic fits into one sweep. */
function measure(size: number): { readonly decideUs: number; readonly foldUs: number } {
  const router = new Router({ settings: ROUTING, random: () => 0.5 })
  const targets = Array.from({ length: size }, (_, number) => benchTarget(number))
  router.setTargets(targets)
  for (let number = 0; number < size * 5; number++)
    router.fold(answer(targets[number % size]!, NOON - size * 5 + number, number))
  const rounds = size > 1000 ? 300 : 5000
  let decideUs = Number.POSITIVE_INFINITY
  let foldUs = Number.POSITIVE_INFINITY
  const events = Array.from({ length: rounds }, (_, number) => answer(targets[number % size]!, NOON, number))
  for (let repeat = 0; repeat < 12; repeat++) {
    const begin = performance.now()
    for (let number = 0; number < rounds; number++) router.decide(request(number), NOON)
    const middle = performance.now()
    for (const event of events) router.fold(event)
    const end = performance.now()
    decideUs = Math.min(decideUs, ((middle - begin) * 1000) / rounds)
    foldUs = Math.min(foldUs, ((end - middle) * 1000) / rounds)
  }
  return { decideUs, foldUs }
}

export function benchDecide(): string[] {
  return [10, 100, 200, 1000, 10_000].map((size) => {
    const { decideUs, foldUs } = measure(size)
    return `${size} targets: choose ${decideUs.toFixed(2)} µs, learn ${foldUs.toFixed(2)} µs`
  })
}
