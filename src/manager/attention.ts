/** What follows from an attempt besides learning: lists read anew, keys checked, quality judged by itself, alarms raised. */

import type { ChatRequest, ChatResponse } from '../domain/chat.ts'
import type { Failure } from '../domain/failure.ts'
import type { Verdict } from '../routing/judge.ts'
import type { Ask } from './ask.ts'
import type { Engine } from './engine.ts'
import { refOf } from './record.ts'
import { selfScore } from './selfScore.ts'
import type { Try } from './try.ts'

export class Attention {
  #engine: Engine | null = null
  /** Model names for which everything failed, and since when; for the one "recovered" of each. */
  readonly #down = new Map<string, number>()

  attach(engine: Engine): void {
    this.#engine = engine
  }

  /** Something failed; whatever can be mended off the request's path is begun. */
  failed(attempt: Try, failure: Failure, _verdict: Verdict): void {
    const engine = this.#engine
    if (engine === null) return
    if (failure.kind === 'model_not_found') void engine.parts.lists.readNow(attempt.seat)
  }

  /** An answer came: judged by what can be seen without a person, and told when it ends an outage. */
  answered(attempt: Try, ask: Ask, response: ChatResponse): void {
    const engine = this.#engine
    if (engine === null) return
    const score = selfScore(ask.request, response)
    if (score !== null) {
      engine.parts.mind.remember({
        kind: 'quality',
        at: engine.now,
        origin: engine.parts.store.origin,
        id: engine.parts.mind.eventId(),
        target: refOf(attempt.target),
        requestId: ask.id,
        score,
        task: ask.task,
        source: 'self',
      })
      if (ask.enrolment?.trial != null) engine.parts.experiments.report(ask.enrolment.trial, ask.id, 'quality', score)
    }
    this.#recovered(engine, ask, attempt)
  }

  /** Every target failed for a request. */
  exhausted(engine: Engine, ask: Ask): void {
    if (!this.#down.has(ask.selection.name)) this.#down.set(ask.selection.name, engine.now)
  }

  #recovered(engine: Engine, ask: Ask, attempt: Try): void {
    if (this.#down.size === 0) return
    const { name } = ask.selection
    const since = this.#down.get(name)
    if (since === undefined) return
    this.#down.delete(name)
    engine.parts.events.emit('recovered', {
      model: name,
      target: attempt.target.id,
      since: new Date(since).toISOString(),
    })
  }
}

/** Whether a request asked for a form that an answer can be held against. */
export type SelfScored = Pick<ChatRequest, 'tools' | 'responseFormat'>
