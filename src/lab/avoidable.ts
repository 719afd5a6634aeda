/**
 * Counts avoidable errors: requests that got an error, an empty or a malformed answer although a healthy target that
 * they were allowed to use would have answered them in time. What a target would have done is the truth of the
 * simulated world, never what the product believes.
 */

/** What the caller of one request got. `left`: it went away by itself. `refused`: the request was its own fault. */
export type Received = 'answer' | 'error' | 'empty' | 'malformed' | 'left' | 'refused'

export interface AvoidableReport {
  /** Requests whose callers waited for the end, and whose fault it was not. */
  readonly requests: number
  /** Those of them that got no whole answer. */
  readonly failed: number
  /** Those of the failed ones that a healthy target would have answered. */
  readonly avoidable: number
}

export class AvoidableErrors {
  #requests = 0
  #failed = 0
  #avoidable = 0

  /** `couldAnswer` is asked only about failures: whether the world had a healthy, eligible target within the deadline. */
  saw(received: Received, couldAnswer: () => boolean): void {
    if (received === 'left' || received === 'refused') return
    this.#requests++
    if (received === 'answer') return
    this.#failed++
    if (couldAnswer()) this.#avoidable++
  }

  get report(): AvoidableReport {
    return { requests: this.#requests, failed: this.#failed, avoidable: this.#avoidable }
  }
}

/** Avoidable errors per million requests; 0 without a request. */
export function perMillion({ requests, avoidable }: AvoidableReport): number {
  return requests === 0 ? 0 : (avoidable / requests) * 1_000_000
}

/** The counts of several observations as one. */
export function addedUp(reports: readonly AvoidableReport[]): AvoidableReport {
  const sum = (count: (report: AvoidableReport) => number) => reports.reduce((total, one) => total + count(one), 0)
  return {
    requests: sum(({ requests }) => requests),
    failed: sum(({ failed }) => failed),
    avoidable: sum(({ avoidable }) => avoidable),
  }
}
