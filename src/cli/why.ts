/** `keywise why`: the ranking with its terms, and the reason each excluded target is out. */

import { printable } from '../domain/printable.ts'
import type { Engine } from '../engine/engine.ts'
import { attemptLines } from '../observe/callLog.ts'
import { type RatingsRow, type WhyRequestView, type WhyView, whyRequestView, whyView } from '../views/why.ts'
import type { RunCommand } from './command.ts'
import { UsageError } from './command.ts'
import { decimal, type Printer, printer } from './output.ts'
import { withEngine } from './withEngine.ts'

export const run: RunCommand = (context) =>
  withEngine(context, async (engine) => {
    const { options, stdout, env } = context
    const { model, request } = options
    if (typeof model === 'string' && typeof request === 'string')
      throw new UsageError('--model and --request exclude each other: a request has its own model')
    const out = printer(stdout, env)
    if (typeof request === 'string') {
      const view = await requestView(engine, request)
      if (options['json']) out.json(view)
      else printRequest(view, out)
      return 0
    }
    const view = whyView(engine, typeof model === 'string' ? model : undefined)
    if (options['json']) out.json(view)
    else printWhy(view, out, options['terms'] === true)
    return 0
  })

/** What runs elsewhere writes the decisions of each second at its end. */
const WRITTEN_AFTER_MS = 1500
const LATELY_MS = 5000

/** A decision that another process has just made is waited for. */
async function requestView(engine: Engine, request: string): Promise<WhyRequestView> {
  const view = whyRequestView(engine, request)
  const newest = Math.max(...view.attempts.map(({ startedAt }) => Date.parse(startedAt)))
  if (view.decidedAt !== null || !(Math.abs(engine.now - newest) < LATELY_MS)) return view
  await new Promise((resolve) => setTimeout(resolve, WRITTEN_AFTER_MS))
  return whyRequestView(engine, request)
}

function printWhy(view: WhyView, out: Printer, withInputs: boolean): void {
  const first = view.chosen === null ? 'nothing can be called now' : `${view.chosen} would be tried first`
  out.line(`${view.model}: ${first}${view.chosen === null || view.cause === null ? '' : `: ${view.cause.text}`}`)
  if (view.allClosed) out.line(out.paint('yellow', view.allClosed.text))
  out.line()
  printRanking(view, out, withInputs)
  printRatings(view.ratings ?? [], out)
}

const SHOWN_RATINGS = 10

/** Those that count less than they are many. */
function printRatings(ratings: readonly RatingsRow[], out: Printer): void {
  const bounded = ratings.filter(({ given, counted }) => given > counted)
  if (bounded.length > 0) out.line()
  for (const { target, token, given, counted } of bounded.slice(0, SHOWN_RATINGS))
    out.line(
      `ratings of token ${printable(token)} on ${target}: ${given.toLocaleString('en')} this hour count as ${counted}`,
    )
}

function printRequest(view: WhyRequestView, out: Printer): void {
  out.line(`${view.requestId}, ${view.model}${view.decidedAt === null ? '' : `, decided ${view.decidedAt}`}`)
  if (view.chosen !== null) out.line(`chosen: ${view.chosen}${view.cause === null ? '' : `: ${view.cause.text}`}`)
  if (view.experiment !== null) out.line(`experiment ${view.experiment.name}: variant ${view.experiment.variant}`)
  for (const [index, attempt] of view.attempts.entries()) {
    const [trying = '', ...result] = attemptLines(attempt, index + 1, view.attempts.length)
    const isToldAbove = attempt.why === null || attempt.why === view.cause?.text
    for (const line of [isToldAbove ? trying : `${trying} (${attempt.why})`, ...result]) out.line(line)
  }
  out.line()
  if (view.ranking.length > 0) printRanking(view, out, false)
  else out.line('Its ranking was not kept: only the last 1,000 are, and under load not all.')
}

/** The reason of the chosen target stands above the table already. */
function printRanking({ ranking, cause }: WhyView, out: Printer, withInputs: boolean): void {
  out.table(
    ['#', 'target', 'value', 'score', 'reliable', 'speed', 'quality', 'recent', 'why'],
    ranking.map((row) => {
      const { reliability, speed, quality, recency } = row.terms
      const numbers = [row.value, row.score, reliability, speed, quality, recency].map((number) => decimal(number))
      return [
        row.eligible ? String(row.rank) : '-',
        row.target,
        ...numbers,
        row.reason === cause?.text ? '' : (row.reason ?? ''),
      ]
    }),
  )
  if (!withInputs) return
  out.line()
  for (const { target, inputs, priors = [] } of ranking) {
    out.line(target)
    for (const [term, input] of Object.entries(inputs ?? {}))
      out.line(`  ${term}: ${input}${priors.some((prior) => prior === term) ? ' (nothing observed yet)' : ''}`)
  }
}
