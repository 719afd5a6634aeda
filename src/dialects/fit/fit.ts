/**
 * Fits a request to the service that is to answer it: what the service refuses is said in another way, what it cannot
 * be told at all and does not change the meaning is left out and named. The dialect's writer then writes the result.
 */

import type { ChatRequest } from '../../domain/chat.ts'
import type { AnswerChanges } from './answerChanges.ts'
import { fitExtras } from './extras.ts'
import { LeftOut } from './leftOut.ts'
import { fitMessages } from './messages.ts'
import { fitOptions } from './options.ts'
import { fitReasoning, unlessUnsigned } from './reasoning.ts'
import type { Fitted, Recipient } from './recipient.ts'
import { fitSampling } from './sampling.ts'
import { fitStop } from './stop.ts'
import { fitTools } from './tools.ts'

/** A request of another dialect than the recipient's, or of the library. */
export function fit(request: ChatRequest, recipient: Recipient): Fitted {
  const leftOut = new LeftOut()
  const tools = fitTools(request, recipient, leftOut)
  const reasoning = fitReasoning(tools.request, recipient, leftOut)
  const sampled = fitSampling(reasoning, recipient, leftOut)
  const stop = fitStop(sampled, recipient)
  const extras = fitExtras(stop.request, recipient, leftOut)
  const options = fitOptions(extras.request, recipient, leftOut)
  const spoken = fitMessages(options.request, recipient)
  const fitted = unlessUnsigned(spoken, recipient)
  return {
    request: fitted,
    leftOut: leftOut.names,
    answer: together([tools.answer, stop.answer, options.answer, extras.answer]),
  }
}

/** Null for no changes at all, as for most requests. */
function together(all: readonly (AnswerChanges | undefined)[]): AnswerChanges | null {
  const some = all.filter((changes) => changes !== undefined && Object.keys(changes).length > 0)
  return some.length === 0 ? null : Object.assign({}, ...some)
}
