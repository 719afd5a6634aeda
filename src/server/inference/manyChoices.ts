/**
 * Completions with several choices: a request of its own for each, at most a few at a time, and one answer of all. One
 * that fails fails the whole. A stream gets each choice as soon as it is whole, in their order.
 */

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AskedCompletion } from '../../dialects/completions/readCompletions.ts'
import { CompletionStreamWriter, DONE, sumOf, writeCompletions } from '../../dialects/completions/writeCompletion.ts'
import { promptEnvelope } from '../../dialects/openai/fields.ts'
import type { AttemptReport } from '../../domain/attempt.ts'
import type { ChatResponse } from '../../domain/chat.ts'
import { AbortedError } from '../../domain/errors.ts'
import { type Answered, cascade } from '../../engine/cascade.ts'
import { prepareRequest, requestId } from '../../engine/prepareRequest.ts'
import type { PendingRequest } from '../../engine/request/pendingRequest.ts'
import { decimalUsd, NANO_PER_USD } from '../../money/amount.ts'
import { chunksOf } from '../../upstream/chunksOf.ts'
import { clientFailure, headerText, trailOf } from '../clientError.ts'
import { clientHeaders } from '../clientHeaders.ts'
import { clientKind } from '../clientKind.ts'
import type { GatewayParts, RunningExchange } from '../handler.ts'
import { viaOf } from '../loopGuard.ts'
import { sendJson } from '../send.ts'
import { sendFailure } from '../sendFailure.ts'
import type { Token } from '../tokens.ts'
import { onceListed } from './onceListed.ts'

const AT_ONCE = 4

export class ManyChoices implements RunningExchange {
  readonly #id = requestId()
  readonly #parts: GatewayParts
  readonly #request: IncomingMessage
  readonly #response: ServerResponse
  readonly #token: Token
  readonly #asked: readonly AskedCompletion[]
  readonly #fields: unknown
  readonly #startedAt = performance.now()
  readonly #running = new Set<PendingRequest>()
  readonly #answers: ChatResponse[] = []
  readonly #attempts: AttemptReport[] = []
  /** Of each answer. */
  readonly #costs: Pick<AttemptReport, 'costUsd' | 'costAtLeastUsd'>[] = []
  /** What some target could not be told, of those that have answered. */
  readonly #leftOut = new Set<string>()
  #next = 0
  /** How many choices a stream has got. */
  #written = 0
  #hasEnded = false

  constructor(
    parts: GatewayParts,
    request: IncomingMessage,
    response: ServerResponse,
    token: Token,
    asked: readonly AskedCompletion[],
    fields: unknown,
  ) {
    this.#parts = parts
    this.#request = request
    this.#response = response
    this.#token = token
    this.#asked = asked
    this.#fields = fields
    parts.underWay.add(this)
    response.on('close', () => {
      parts.underWay.delete(this)
      this.#cancel()
    })
  }

  async run(): Promise<void> {
    try {
      await this.#parts.ready()
      await Promise.all(Array.from({ length: AT_ONCE }, () => this.#work()))
      await this.#parts.engine.store.kept()
      this.#finish()
    } catch (error) {
      this.#cancel()
      await this.#parts.engine.store.kept()
      this.#fail(error)
    }
  }

  breakOff(): void {
    this.#cancel()
  }

  #cancel(): void {
    this.#hasEnded = true
    for (const pending of this.#running) pending.cancellation.cancel()
  }

  async #work(): Promise<void> {
    while (this.#next < this.#asked.length && !this.#hasEnded) {
      const index = this.#next++
      this.#answers[index] = await this.#answerTo(this.#asked[index] as AskedCompletion) // in the list
      if (this.#isStream) this.#writeReady()
    }
    if (this.#hasEnded) throw new AbortedError()
  }

  get #isStream(): boolean {
    return this.#asked[0]?.request.stream === true
  }

  async #answerTo(asked: AskedCompletion): Promise<ChatResponse> {
    const { request } = asked
    const { engine, name } = this.#parts
    // The id in the header is that of the first, so that it can be rated and looked up.
    const id = asked === this.#asked[0] ? this.#id : undefined
    const { headers } = this.#request
    const options = {
      ...clientHeaders(headers, this.#fields),
      token: this.#token.name,
      tokenId: this.#token.id,
      clientKind: clientKind(headers['user-agent']),
      via: viaOf(headers, name),
    }
    const pending = await onceListed(engine, () => prepareRequest(engine, { ...request, stream: false }, options, id))
    if (this.#hasEnded) pending.cancellation.cancel()
    this.#running.add(pending)
    try {
      const answered = await cascade(engine, pending)
      return await this.#read(answered)
    } finally {
      this.#running.delete(pending)
    }
  }

  async #read({ recorded, trail, call, winner }: Answered): Promise<ChatResponse> {
    this.#costs.push(await recorded)
    this.#attempts.push(...trail.attempts)
    for (const part of winner.leftOut) this.#leftOut.add(part)
    const response = call.ended?.outcome.response
    if (response === undefined) throw new TypeError('a plain call was answered before it ended')
    return response
  }

  /** Every choice that is whole, up to the first that is not. */
  #writeReady(): void {
    for (let answer = this.#answers[this.#written]; answer !== undefined; answer = this.#answers[this.#written]) {
      if (!this.#response.headersSent)
        this.#response.writeHead(200, {
          'content-type': 'text/event-stream; charset=utf-8',
          'cache-control': 'no-cache',
          ...this.#headers(),
        })
      const writer = this.#writer(this.#written)
      // All choices are parts of one answer, with one id.
      const { id: _id, ...choice } = answer
      for (const chunk of chunksOf(choice)) if (chunk.type !== 'end') this.#response.write(writer.write(chunk))
      this.#written++
    }
  }

  #writer(index: number): CompletionStreamWriter {
    const asked = this.#asked[index] as AskedCompletion // in the list
    return new CompletionStreamWriter(asked, asked.request, { now: this.#parts.engine.now, id: this.#id }, index)
  }

  #finish(): void {
    if (this.#isStream)
      this.#response.end(this.#writer(0).usage(sumOf(this.#answers.flatMap(({ usage }) => usage ?? []))) + DONE)
    else {
      const answers = this.#answers.map((answer, index) => [this.#asked[index] as AskedCompletion, answer] as const)
      const facts = { now: this.#parts.engine.now, id: this.#id }
      const headers = { ...this.#headers(), ...this.#costHeader() }
      sendJson(this.#response, 200, writeCompletions(answers, this.#model, facts), headers)
    }
    this.#observe(200)
  }

  #fail(error: unknown): void {
    const failure = clientFailure(error, this.#id, this.#parts.engine.now)
    this.#attempts.push(...failure.attempts)
    if (this.#response.headersSent)
      this.#response.end(this.#writer(0).fail({ ...failure, message: `the answer broke off: ${failure.message}` }))
    else sendFailure(this.#response, { client: { writeError: promptEnvelope } }, failure)
    this.#observe(failure.status)
  }

  get #model(): string {
    return this.#asked[0]?.request.model ?? ''
  }

  #headers(): Record<string, string> {
    return {
      'x-keywise-request-id': this.#id,
      'x-keywise-target': headerText(this.#attempts.findLast(({ ok }) => ok)?.target ?? ''),
      'x-keywise-attempts': String(this.#attempts.length),
      'x-keywise-trail': trailOf(this.#attempts),
      ...(this.#leftOut.size > 0 && { 'x-keywise-left-out': headerText([...this.#leftOut].join(', ')) }),
    }
  }

  #costHeader(): Record<string, string> {
    const known = this.#costs.map(({ costUsd, costAtLeastUsd = 0 }) => costUsd ?? costAtLeastUsd)
    const sum = known.reduce((all, usd) => all + Math.round(usd * NANO_PER_USD), 0)
    if (this.#costs.every(({ costUsd }) => costUsd !== null)) return { 'x-keywise-cost-usd': decimalUsd(sum) }
    return sum > 0 ? { 'x-keywise-cost-at-least-usd': decimalUsd(sum) } : {}
  }

  #observe(status: number): void {
    this.#parts.observe({
      id: this.#id,
      dialect: 'openai',
      model: this.#model,
      token: this.#token.name,
      status,
      report: this.#attempts.at(-1) ?? null,
      attempts: this.#attempts,
      totalMs: performance.now() - this.#startedAt,
    })
  }
}
