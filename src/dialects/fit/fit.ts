/**
 * Fits a request to the service that is to answer it: what the service refuses is said in another way, what it cannot
 * be told at all and does not change the meaning is left out and named. The dialect's writer then writes the result.
 */

import type { ChatRequest } from '../../domain/chat.ts'
import { fitExtras } from './extras.ts'
import { fitMessages } from './messages.ts'
import { fitOptions } from './options.ts'
import { fitReasoning, unlessUnsigned } from './reasoning.ts'
import type { Fitted, Recipient } from './recipient.ts'
import { fitSampling } from './sampling.ts'
import { asStep, inSteps, type Step } from './steps.ts'
import { fitStop } from './stop.ts'
import { fitTools } from './tools.ts'

const STEPS: readonly Step[] = [
  fitTools,
  asStep(fitReasoning),
  asStep(fitSampling),
  fitStop,
  fitExtras,
  fitOptions,
  asStep(fitMessages),
  asStep(unlessUnsigned),
]

/** A request of another dialect than the recipient's, or of the library. */
export function fit(request: ChatRequest, recipient: Recipient): Fitted {
  return inSteps(request, recipient, STEPS)
}
