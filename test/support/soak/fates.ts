/** What becomes of each call of the soak: known beforehand, so that it is known which errors were avoidable. */

import type { ServerResponse } from 'node:http'
import { Dice, mix32 } from '../../../src/domain/random.ts'
import type { InterceptedCall } from '../../../src/lab/fake/fakeProviders.ts'

/** One in ten calls meets one of these. */
const SOAK_FAULTS = ['reset', 'error', 'empty', 'malformed', 'silence', 'cut', 'limited'] as const
export type SoakFault = (typeof SOAK_FAULTS)[number]

const CHANCE = 0.1
/** A request that wanders through this many failures still has attempts left. */
const MOST_FAULTS = 3
const SILENCE_MS = 300
/** The stated wait, which the target then really keeps. */
const REST_MS = 1_000

export class SoakFates {
  readonly #targets: readonly string[]
  readonly #rests: boolean
  readonly #restsUntil = new Map<string, number>()
  /** Answers 429 that were said, and those of them that a call met inside a stated wait. */
  limited = 0
  tooEarly = 0

  /** `targets` as `provider/model`. `rests`: whether a target that stated a wait refuses every call during it. */
  constructor(targets: readonly string[], rests = true) {
    this.#targets = targets
    this.#rests = rests
  }

  /** Whether any target would answer the request now, or after a wait that callers have patience for. */
  couldAnswer(request: number): boolean {
    return this.#targets.some((_, place) => fateOf(request, place, this.#targets.length) === null)
  }

  /** Spoils the call if its fate wants it; false leaves it to the simulated provider. */
  decide({ provider, model, stream, body }: InterceptedCall, response: ServerResponse): boolean {
    const request = numberOf(body)
    const name = `${provider}/${model}`
    const now = performance.now()
    if (now < (this.#restsUntil.get(name) ?? 0)) {
      this.tooEarly++
      return this.#limit(response)
    }
    const fate = fateOf(request, this.#targets.indexOf(name), this.#targets.length)
    if (fate === null) return false
    if (fate !== 'limited') return spoil(response, fate, stream)
    if (this.#rests) this.#restsUntil.set(name, now + REST_MS)
    return this.#limit(response)
  }

  #limit(response: ServerResponse): boolean {
    this.limited++
    return say(response, 429, JSON.stringify(errorBody('Rate limit reached.', 'rate_limit_exceeded')), {
      'retry-after': String(REST_MS / 1000),
    })
  }
}

export const promptOf = (request: number) => `Tell me about number ${request}.`

function numberOf(body: unknown): number {
  return Number(/Tell me about number (\d+)\./.exec(JSON.stringify(body))?.[1] ?? -1)
}

/** Depends on request and target alone. The place of the first target asked is drawn, so that none is favoured. */
function fateOf(request: number, target: number, targets: number): SoakFault | null {
  const dice = new Dice(mix32(0x50a4, request))
  const first = Math.floor(dice.uniform() * targets)
  for (let step = 0, faults = 0; step < targets && faults < MOST_FAULTS; step++) {
    const fault = dice.uniform() < CHANCE ? SOAK_FAULTS[Math.floor(dice.uniform() * SOAK_FAULTS.length)]! : null
    if (fault !== null) faults++
    if ((first + step) % targets === target) return fault
  }
  return null
}

/** An answer without text: in a stream, and whole. */
const NOTHING_SAID = JSON.stringify({
  id: 'soak',
  object: 'chat.completion',
  created: 0,
  model: 'm',
  choices: [{ index: 0, message: { role: 'assistant', content: '' }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 5, completion_tokens: 0, total_tokens: 5 },
})
const chunk = (delta: object, finish: string | null = null) =>
  `data: ${JSON.stringify({ id: 'soak', object: 'chat.completion.chunk', created: 0, model: 'm', choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`

/** Answers the call with that fault. */
export function spoil(response: ServerResponse, fault: Exclude<SoakFault, 'limited'>, stream: boolean): true {
  switch (fault) {
    case 'reset':
      response.socket?.resetAndDestroy()
      return true
    case 'error':
      return say(response, 500, JSON.stringify(errorBody('Something broke.', null)))
    case 'empty':
      return stream
        ? say(response, 200, `${chunk({ role: 'assistant' })}${chunk({}, 'stop')}data: [DONE]\n\n`, EVENTS)
        : say(response, 200, NOTHING_SAID)
    case 'malformed':
      return stream
        ? say(response, 200, 'data: {"id":"soak","choi\n\n', EVENTS)
        : say(response, 200, '{"id":"soak","choi')
    case 'silence':
      setTimeout(() => response.destroy(), SILENCE_MS)
      return true
    case 'cut':
      response.writeHead(200, stream ? EVENTS : { 'content-type': 'application/json', 'content-length': 500 })
      response.write(stream ? chunk({ role: 'assistant', content: 'Number ' }) : '{"id":"soak",')
      setImmediate(() => response.destroy())
      return true
  }
}

const EVENTS = { 'content-type': 'text/event-stream' }
const errorBody = (message: string, code: string | null) => ({
  error: { message, type: 'server_error', param: null, code },
})

function say(response: ServerResponse, status: number, text: string, headers: Readonly<Record<string, string>> = {}) {
  const length = Buffer.byteLength(text)
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': length, ...headers })
  response.end(text)
  return true as const
}
