/**
 * A gateway over five targets for many minutes: one call in ten fails; then four of the five fail always; then all.
 * Counts and heap only: how fast the machine is changes nothing but the time it takes.
 */

import type { ServerResponse } from 'node:http'
import { AvoidableErrors, type AvoidableReport } from '../../../src/lab/avoidable.ts'
import { type FakeWorld, type InterceptedCall, startFakeProviders } from '../../../src/lab/fake/fakeProviders.ts'
import { fakeKey } from '../labCall.ts'
import { askSoak } from './askSoak.ts'
import { SoakFates, type SoakFault, spoil } from './fates.ts'
import type { HeapState, SoakState } from './gateway.ts'
import { GatewayProcess } from './gatewayProcess.ts'

export interface LongRunOptions {
  /** Minutes of requests, as long as the machine keeps up. */
  readonly minutes: number
  readonly perSecond: number
  readonly onProgress?: (text: string) => void
}

/** The heap after a collection, when nothing was under way. */
export interface HeapSample extends HeapState {
  /** Requests since the first. */
  readonly requests: number
  /** Since the first request. */
  readonly seconds: number
}

export interface LongRunResult {
  /** While one call in ten fails. */
  readonly faults: AvoidableReport
  /** While one of five targets is healthy. */
  readonly oneHealthy: AvoidableReport
  /** While none is, once the first requests have found that out. */
  readonly outage: { readonly requests: number; readonly upstreamCalls: number; readonly answered: number }
  /** Of the first part, after its warm-up. */
  readonly samples: readonly HeapSample[]
  readonly before: SoakState
  readonly after: SoakState
  readonly seconds: number
  readonly requests: number
  /** What callers got instead of an answer, up to three texts of each phase. */
  readonly examples: readonly string[]
}

const IDS = ['p1', 'p2', 'p3', 'p4', 'p5']
const MODEL = 'm'
type LastingFault = Exclude<SoakFault, 'limited'>
/** How each target fails where it fails always; the third is the healthy one. */
const BROKEN: readonly LastingFault[] = ['reset', 'error', 'malformed', 'empty', 'cut']
/** Without those who answer with HTTP 200: they are asked last, but not left alone. */
const OUTAGE: readonly LastingFault[] = ['reset', 'error', 'silence', 'error', 'reset']
const HEALTHY = 'p3'
/** Shares of the time. The rest is the first part. */
const ONE_HEALTHY_SHARE = 0.15
const OUTAGE_SHARE = 0.1
/** Of the first part: until every table that is bounded by its length or its age is full. */
const WARM_UP_SHARE = 0.3
/** Each of them waits for a target as long as callers have patience, so that more would take very long. */
const MOST_IN_OUTAGE = 300
/** Requests that find out that there is an outage. */
const FIND_OUT = 100
const SAMPLES = 40
const MOST_AT_ONCE = 100
const LEAVES_EVERY = 100

export async function longRun(options: LongRunOptions): Promise<LongRunResult> {
  const upstream = new Upstreams()
  const providers = Object.fromEntries(IDS.map((id) => [id, { keys: { [fakeKey(id)]: {} }, models: { [MODEL]: {} } }]))
  const world = await startFakeProviders(
    { providers },
    { instead: (call, response) => upstream.decide(call, response) },
  )
  const settings = { budgets: [{ scope: 'all', usd: 1_000_000, per: 'day' }], streaming: { rescue: 'text' } }
  const gateway = await GatewayProcess.start({ ...world.config(), settings })
  try {
    return await new LongRun(options, gateway, upstream, world).run()
  } finally {
    await gateway.close()
    await world.close()
  }
}

/** What the five targets do just now. */
class Upstreams {
  mode: 'faults' | 'oneHealthy' | 'outage' = 'faults'
  /** With five targets, resting for a second after one call in seventy would be far more than one failure in ten. */
  readonly fates = new SoakFates(
    IDS.map((id) => `${id}/${MODEL}`),
    false,
  )
  calls = 0

  decide(call: InterceptedCall, response: ServerResponse): boolean {
    this.calls++
    if (this.mode === 'faults') return this.fates.decide(call, response)
    if (this.mode === 'oneHealthy' && call.provider === HEALTHY) return false
    const faults = this.mode === 'outage' ? OUTAGE : BROKEN
    return spoil(response, faults[IDS.indexOf(call.provider)] ?? 'error', call.stream)
  }
}

class LongRun {
  readonly #options: LongRunOptions
  readonly #gateway: GatewayProcess
  readonly #upstreams: Upstreams
  readonly #world: FakeWorld
  readonly #examples: string[] = []
  #begun = 0
  #next = 0

  constructor(options: LongRunOptions, gateway: GatewayProcess, upstreams: Upstreams, world: FakeWorld) {
    this.#options = options
    this.#gateway = gateway
    this.#upstreams = upstreams
    this.#world = world
  }

  async run(): Promise<LongRunResult> {
    const { minutes, perSecond } = this.#options
    const total = Math.round(minutes * 60 * perSecond)
    const before = await this.#gateway.state()
    this.#begun = performance.now()
    const samples: HeapSample[] = []
    const faults = new AvoidableErrors()
    const first = total * (1 - ONE_HEALTHY_SHARE - OUTAGE_SHARE)
    await this.#send(Math.round(first * WARM_UP_SHARE), faults, 'faults')
    for (let sample = 0; sample < SAMPLES; sample++) {
      await this.#send(Math.round((first * (1 - WARM_UP_SHARE)) / SAMPLES), faults, 'faults')
      samples.push({ ...(await this.#gateway.heap()), requests: this.#next, seconds: this.#seconds })
      this.#options.onProgress?.(progress(samples.at(-1)))
    }
    this.#upstreams.mode = 'oneHealthy'
    const oneHealthy = new AvoidableErrors()
    await this.#send(Math.round(total * ONE_HEALTHY_SHARE), oneHealthy, 'oneHealthy')
    const outage = await this.#outage(Math.min(MOST_IN_OUTAGE, Math.round(total * OUTAGE_SHARE)))
    const after = await this.#gateway.quiet(before)
    return {
      ...{ faults: faults.report, oneHealthy: oneHealthy.report, outage, samples, before, after },
      ...{ seconds: this.#seconds, requests: this.#next, examples: this.#examples },
    }
  }

  async #outage(count: number): Promise<LongRunResult['outage']> {
    this.#upstreams.mode = 'outage'
    await this.#send(FIND_OUT, new AvoidableErrors(), 'outage')
    const before = this.#upstreams.calls
    const seen = new AvoidableErrors()
    await this.#send(count, seen, 'outage')
    const { requests, failed } = seen.report
    return { requests, answered: requests - failed, upstreamCalls: this.#upstreams.calls - before }
  }

  get #seconds(): number {
    return (performance.now() - this.#begun) / 1000
  }

  /** Begins so many requests in time, and waits for the last. */
  async #send(count: number, observer: AvoidableErrors, phase: string): Promise<void> {
    const began = performance.now()
    const running = new Set<Promise<void>>()
    for (let sent = 0; sent < count; sent++) {
      const early = began + (sent * 1000) / this.#options.perSecond - performance.now()
      if (early > 1) await new Promise((resolve) => setTimeout(resolve, early))
      while (running.size >= MOST_AT_ONCE) await Promise.race(running)
      const one = this.#one(observer, phase).finally(() => running.delete(one))
      running.add(one)
      if (sent % 500 === 0) this.#world.forget()
    }
    await Promise.all(running)
  }

  async #one(observer: AvoidableErrors, phase: string): Promise<void> {
    const request = this.#next++
    const leaves = phase === 'faults' && request % LEAVES_EVERY === 7
    const { received, text } = await askSoak(this.#gateway.origin, request, leaves)
    observer.saw(received, () => phase === 'oneHealthy' || this.#upstreams.fates.couldAnswer(request))
    if (received === 'answer' || received === 'left' || phase === 'outage') return
    const count = this.#examples.filter((one) => one.startsWith(phase)).length
    if (count < 3) this.#examples.push(`${phase}: ${received}: ${text.slice(0, 300)}`)
  }
}

const mb = (bytes: number) => (bytes / 1e6).toFixed(2)

function progress(sample: HeapSample | undefined): string {
  if (sample === undefined) return ''
  const { requests, seconds, heapBytes, rssBytes, eventLoop } = sample
  return `${requests} requests, ${seconds.toFixed(0)} s: heap ${mb(heapBytes)} MB, rss ${mb(rssBytes)} MB, event loop ${eventLoop.p50Ms}/${eventLoop.p99Ms}/${eventLoop.maxMs} ms`
}
