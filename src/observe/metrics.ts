/**
 * Counters and histograms of a running gateway, in Prometheus' text format, as served at `/metrics` (docs/gateway.md).
 */

import type { AttemptReport } from '../domain/attempt.ts'
import { NANO_PER_USD } from '../money/amount.ts'

type Labels = Readonly<Record<string, string>>

// https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
const escaped = (value: string) => value.replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/\n/g, '\\n')

function write(name: string, labels: Labels, value: number): string {
  const inner = Object.entries(labels).map(([key, text]) => `${key}="${escaped(text)}"`)
  return `${name}${inner.length > 0 ? `{${inner.join(',')}}` : ''} ${value}\n`
}

/** One series of a counter. */
interface Series {
  readonly labels: Labels
  value: number
}

class Counter {
  readonly #values = new Map<string, Series>()
  readonly #name: string
  readonly #help: string
  readonly #per: number

  /** `per`: the number of counted units in one displayed unit. */
  constructor(name: string, help: string, per = 1) {
    this.#name = name
    this.#help = help
    this.#per = per
  }

  /** The series with these labels; frequent callers keep it. */
  cell(labels: Labels): Series {
    const key = JSON.stringify(labels)
    const known = this.#values.get(key)
    if (known !== undefined) return known
    const cell = { labels, value: 0 }
    this.#values.set(key, cell)
    return cell
  }

  text(): string {
    const counted = [...this.#values.values()].filter(({ value }) => value > 0)
    const rows = counted.map(({ labels, value }) => write(this.#name, labels, value / this.#per))
    return `# HELP ${this.#name} ${this.#help}\n# TYPE ${this.#name} counter\n${rows.join('')}`
  }
}

/** Seconds; from a cache hit to a thinking model. */
const SECONDS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120]
const OVERHEAD_SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5]

class Histogram {
  readonly #counts: number[]
  readonly #bounds: readonly number[]
  readonly #name: string
  readonly #help: string
  #sum = 0
  #count = 0

  constructor(name: string, help: string, bounds: readonly number[]) {
    this.#name = name
    this.#help = help
    this.#bounds = bounds
    this.#counts = bounds.map(() => 0)
  }

  observe(value: number): void {
    if (!Number.isFinite(value)) return
    this.#sum += value
    this.#count++
    const place = this.#bounds.findIndex((bound) => value <= bound)
    if (place >= 0) this.#counts[place] = (this.#counts[place] ?? 0) + 1
  }

  text(): string {
    let below = 0
    const rows = this.#bounds.map((bound, place) => {
      below += this.#counts[place] ?? 0
      return write(`${this.#name}_bucket`, { le: String(bound) }, below)
    })
    rows.push(
      write(`${this.#name}_bucket`, { le: '+Inf' }, this.#count),
      write(`${this.#name}_sum`, {}, this.#sum),
      write(`${this.#name}_count`, {}, this.#count),
    )
    return `# HELP ${this.#name} ${this.#help}\n# TYPE ${this.#name} histogram\n${rows.join('')}`
  }
}

/** A value read whenever the metrics are requested. */
export interface Gauge {
  readonly name: string
  readonly help: string
  readonly rows: readonly { readonly labels: Labels; readonly value: number }[]
}

/** The series of one target's attempts with the same result. */
interface TargetCells {
  readonly attempts: Series
  readonly input: Series
  readonly output: Series
  readonly cost: Series
}

type ByTwo<T> = Map<string, Map<string, T>>

/** Two lookups by existing strings are faster than one by a concatenated key. */
function found<T>(map: ByTwo<T>, first: string, second: string, make: (second: string) => T): T {
  let inner = map.get(first)
  if (inner === undefined) {
    inner = new Map()
    map.set(first, inner)
  }
  let value = inner.get(second)
  if (value === undefined) {
    value = make(second)
    inner.set(second, value)
  }
  return value
}

export class Metrics {
  readonly #byProtocol: ByTwo<Series> = new Map()
  readonly #byTarget: ByTwo<TargetCells> = new Map()
  readonly #requests = new Counter('keywise_requests_total', 'Requests answered, by protocol and outcome.')
  readonly #attempts = new Counter('keywise_attempts_total', 'Upstream calls, by target and outcome.')
  readonly #tokens = new Counter('keywise_tokens_total', 'Tokens, by direction.')
  readonly #cost = new Counter('keywise_cost_usd_total', 'Known cost in USD.', NANO_PER_USD)
  readonly #duration = new Histogram(
    'keywise_attempt_duration_seconds',
    'From dispatch to the end of an upstream call.',
    SECONDS,
  )
  readonly #firstToken = new Histogram(
    'keywise_time_to_first_token_seconds',
    'From dispatch to the first content.',
    SECONDS,
  )
  readonly #overhead = new Histogram(
    'keywise_gateway_overhead_seconds',
    'Time of a request spent outside the upstream.',
    OVERHEAD_SECONDS,
  )

  request(protocol: string, status: number, overheadMs: number | null): void {
    const outcome = status < 400 ? 'ok' : status === 499 ? 'client_gone' : String(status)
    found(this.#byProtocol, protocol, outcome, () => this.#requests.cell({ protocol, outcome })).value++
    if (overheadMs !== null) this.#overhead.observe(Math.max(0, overheadMs) / 1000)
  }

  attempt(report: AttemptReport): void {
    const { ok, failureKind, usage, costUsd, latencyMs, firstTokenMs } = report
    const cells = found(this.#byTarget, report.target, ok ? 'ok' : (failureKind ?? 'failed'), (outcome) =>
      this.#cellsOf(report, outcome),
    )
    cells.attempts.value++
    this.#duration.observe(latencyMs / 1000)
    if (firstTokenMs !== null) this.#firstToken.observe(firstTokenMs / 1000)
    if (usage !== null) {
      cells.input.value += usage.inputTokens
      cells.output.value += usage.outputTokens
    }
    const nanoUsd = Math.round((costUsd ?? 0) * NANO_PER_USD)
    if (nanoUsd > 0) cells.cost.value += nanoUsd
  }

  #cellsOf({ provider, model, keyIndex }: AttemptReport, outcome: string): TargetCells {
    return {
      attempts: this.#attempts.cell({ provider, model, key: String(keyIndex), outcome }),
      input: this.#tokens.cell({ provider, model, direction: 'input' }),
      output: this.#tokens.cell({ provider, model, direction: 'output' }),
      cost: this.#cost.cell({ provider, model }),
    }
  }

  text(gauges: readonly Gauge[]): string {
    const counted = [
      this.#requests,
      this.#attempts,
      this.#tokens,
      this.#cost,
      this.#duration,
      this.#firstToken,
      this.#overhead,
    ]
    const read = gauges.map(
      ({ name, help, rows }) =>
        `# HELP ${name} ${help}\n# TYPE ${name} gauge\n${rows.map(({ labels, value }) => write(name, labels, value)).join('')}`,
    )
    return counted.map((one) => one.text()).join('') + read.join('')
  }
}
