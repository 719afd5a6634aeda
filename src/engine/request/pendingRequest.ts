/** One request on its way through the engine: what it needs, whose it is, and how long it may take. */

import type { ChatRequest, DialectId } from '../../domain/chat.ts'
import type { Failure } from '../../domain/failure.ts'
import type { Target } from '../../domain/target.ts'
import type { WorstCase } from '../../money/cost.ts'
import type { FreeQuota } from '../../money/freeQuota.ts'
import type { QuotaNeed } from '../../quota/limits/quotaNeed.ts'
import type { Needs } from '../../routing/eligible.ts'
import type { Call } from '../../upstream/call.ts'
import type { Enrolment } from '../experiments/experiments.ts'
import type { Selection } from './modelNames.ts'
import type { Operation } from './operation.ts'
import type { RequestPartsNeed } from './partsNeed.ts'
import type { Session } from './session.ts'
import type { WireBody } from './wireBody.ts'

export interface PendingRequest {
  /** `kw_…`; the decision's random draws are derived from it. */
  readonly id: string
  /** For a long body an outline with its long texts cut; see `whole`. */
  readonly request: ChatRequest
  /** The request with all its texts, needed to write it again. */
  readonly whole: () => ChatRequest
  readonly selection: Selection
  readonly needs: Needs
  /** An upper bound of the prompt's tokens, which budgets reserve. */
  readonly mostInputTokens: number
  /** What may be billed apart from plain tokens, which budgets reserve too; undefined for nothing. */
  readonly partsNeed?: RequestPartsNeed | undefined
  /** The number of answers requested in the client's dialect (`n`); budgets reserve for all of them. */
  readonly answers: number
  /** Targets of this dialect are asked first; null for no preference. */
  readonly prefers: DialectId | null
  readonly session: Session
  /** Epoch milliseconds; waiting requests are served in this order. */
  readonly arrivedAt: number
  /** Monotonic milliseconds by which the first content must arrive. */
  readonly deadlineAt: number
  /** Maximum attempts that cost time or quota. */
  readonly maxAttempts: number
  /** The user set `maxAttempts`: it then limits all upstream calls, including those refused at once. */
  readonly hardCap: boolean
  readonly task: string | null
  readonly labels: Readonly<Record<string, string>>
  /** Name of the gateway token; null for the library. */
  readonly token: string | null
  /** Which token of that name it is; null for the library. */
  readonly tokenId: string | null
  /** Whether another provider may be tried after one refused the content. */
  readonly retryFiltered: boolean
  /** The client's bytes, for upstreams that speak its dialect. */
  readonly wire: ClientWire | null
  /** The product that the client calls itself (`OpenAI/Python`); '' for the library and for keywise's own requests. */
  readonly clientKind: string
  /** The gateways that the request has passed, this one last; null for the library. */
  readonly via: string | null
  /** The account that has what the request refers to by id, which is asked first; null where none is known. */
  readonly heldBy: string | null
  /** What is asked for in the place of a chat; null for chat. */
  readonly operation: Operation | null
  /** A test or a probe: any answer proves that the target works, thoughts alone as well. */
  readonly anyAnswer: boolean
  readonly cancellation: Cancellation
  /**
   * What the request needs of each target, computed once for choosing and reserving at the same time (`at`). New
   * targets (another price, another configuration) are other objects; a copy of the request that says something else
   * needs a map of its own.
   */
  readonly holdNeeds: Map<Target, HoldNeed & { readonly at: number }>
  /** Its enrolment in an experiment; null when there is none. */
  readonly enrolment: Enrolment | null
}

/** The most a call of one target may consume of limits and budgets. */
export interface HoldNeed {
  readonly quota: QuotaNeed
  readonly worstCase: WorstCase
  /** The free quota that it may use of, and at most how much of it; absent for none. */
  readonly free?: { readonly quota: FreeQuota; readonly most: number } | undefined
}

export interface ClientWire {
  readonly dialect: DialectId
  /** Null when the request was changed and must be written again. */
  readonly body: WireBody | null
  /** Alternating names and values: headers only an upstream of the same dialect understands. */
  readonly headers: readonly string[]
}

/** Lets the caller cancel everything under way for a request: the running calls, a wait, further attempts. */
export class Cancellation {
  #cancelled = false
  #call: Call | null = null
  /** Calls that were still running when another one began beside them; null for most requests. */
  #others: Call[] | null = null
  #controller: AbortController | null = null

  get cancelled(): boolean {
    return this.#cancelled
  }

  /** Aborted when the caller leaves. Created on first use, since most requests never wait. */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController()
    if (this.#cancelled) this.#controller.abort()
    return this.#controller.signal
  }

  running(call: Call): void {
    if (this.#call !== null && this.#call.ended === null) {
      this.#others ??= []
      this.#others.push(this.#call)
    }
    this.#call = call
    if (this.#cancelled) call.abort()
  }

  /** `failure`: how the running calls end; default: the caller has left. */
  cancel(failure?: Failure): void {
    if (this.#cancelled) return
    this.#cancelled = true
    this.#controller?.abort()
    this.#call?.abort(failure)
    for (const call of this.#others ?? []) call.abort(failure)
  }
}
