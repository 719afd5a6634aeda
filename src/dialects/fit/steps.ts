/** Fitting a request one step after another, so that each knows one thing that services refuse. */

import type { ChatRequest } from '../../domain/chat.ts'
import { isEmpty } from '../../domain/json.ts'
import type { AnswerChanges } from './answerChanges.ts'
import { LeftOut } from './leftOut.ts'
import type { Fitted, Recipient } from './recipient.ts'

interface Done {
  /** The one that was given where nothing of it is refused. */
  readonly request: ChatRequest
  readonly answer?: AnswerChanges
}

export type Step = (request: ChatRequest, recipient: Recipient, leftOut: LeftOut) => Done

/** A step that changes nothing in the answer. */
export function asStep(change: (request: ChatRequest, recipient: Recipient, leftOut: LeftOut) => ChatRequest): Step {
  return (request, recipient, leftOut) => ({ request: change(request, recipient, leftOut) })
}

/** Each step is given what the one before made of the request. */
export function inSteps(asked: ChatRequest, recipient: Recipient, steps: readonly Step[]): Fitted {
  const leftOut = new LeftOut()
  let request = asked
  let changes: AnswerChanges | null = null
  for (const step of steps) {
    const done: Done = step(request, recipient, leftOut)
    request = done.request
    if (done.answer !== undefined && !isEmpty(done.answer)) changes = Object.assign({}, changes, done.answer)
  }
  return { request, leftOut: leftOut.names, answer: changes }
}
