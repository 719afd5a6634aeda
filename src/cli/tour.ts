/** `keywise demo --tour`: the original's three days in half a minute, built from the manager's real decisions. */

import { isoOrNull } from '../domain/isoTime.ts'
import { runTour, type TourResult, type TourScene } from '../lab/tour.ts'
import type { RankedRow } from '../manager/apiManager.ts'
import { failureText } from '../observe/callLog.ts'
import type { TestResult } from '../tester/testResult.ts'
import type { CommandContext, ExitCode } from './command.ts'
import { decimal, type Printer, printer, wholeNumber } from './output.ts'

const SECONDS = 30
/** Scenes of the tour; each gets the same share of the time. */
const SCENES = 26

export async function tour({ options, stdout, env }: CommandContext): Promise<ExitCode> {
  const out = printer(stdout, env)
  const seconds = wholeNumber(options['seconds'], '--seconds') ?? SECONDS
  const silent = options['json'] === true
  const pauseMs = silent ? 0 : (seconds * 1000) / SCENES
  const result = await runTour({
    show: (scene) => (silent ? undefined : printScene(scene, out)),
    pause: () => new Promise((resolve) => setTimeout(resolve, pauseMs)),
  })
  if (silent) out.json(summaryOf(result))
  return 0
}

function summaryOf({ report, calls, ranking, groqParkedUntil }: TourResult): object {
  return {
    generatedAt: new Date().toISOString(),
    tests: report.summary,
    calls: calls.map(({ at, result }) => ({
      at: new Date(at).toISOString(),
      target: result.attempts.at(-1)?.target,
      score: result.score,
      attempts: result.attempts,
    })),
    parkedUntil: isoOrNull(groqParkedUntil),
    ranking,
    chosen: ranking.find((row) => row.eligible)?.target ?? null,
  }
}

function printScene(scene: TourScene, out: Printer): void {
  switch (scene.kind) {
    case 'day':
      out.lines(`\n${out.paint('bold', `Day ${scene.day}`)}  ${scene.text}`)
      break
    case 'tests':
      for (const test of scene.report.tests) out.line(testedLine(test, out))
      break
    case 'note':
      out.line(out.paint('yellow', `  ⚡ ${scene.text}`))
      break
    case 'call':
      for (const line of callLines(scene, out)) out.line(line)
      break
    case 'ranking':
      for (const line of whyLines(scene.rows)) out.line(line)
  }
}

/** `  ✅ groq/openai/gpt-oss-120b#1  1200 ms`, or why it does not work. */
export function testedLine({ target, status, responseTime, advice, error }: TestResult, out: Printer): string {
  if (status === 'success') return `  ✅ ${target}  ${Math.round(responseTime)} ms`
  return `  ${out.paint('red', '❌')} ${target}  ${advice ?? error ?? 'failed'}`
}

function callLines({ at, result }: Extract<TourScene, { kind: 'call' }>, out: Printer): string[] {
  const time = new Date(at).toISOString().slice(11, 16)
  const failed = result.attempts.filter((attempt) => !attempt.ok)
  return [
    ...failed.map((attempt) => `  ${time}  ${out.paint('red', '❌')} ${attempt.target}  ${failureText(attempt)}`),
    `  ${time}  ✅ ${result.provider}/${result.model}#${result.keyIndex}  score ${decimal(result.score)}`,
  ]
}

/** The best target of each provider with the terms of its score, and where the first two differ most. */
function whyLines(rows: readonly RankedRow[]): string[] {
  const best = rows.filter((row, place) => rows.findIndex((one) => one.provider === row.provider) === place)
  const lines = best.map(({ provider, score, terms, reason }) => {
    const { reliability, speed, quality, recency } = terms
    const sum = `0.4 x ${decimal(reliability)} reliability + 0.3 x ${decimal(speed)} speed + 0.2 x ${decimal(quality)} quality + 0.1 x ${decimal(recency)} recency`
    return `  ${provider.padEnd(10)} ${decimal(score)} = ${sum}${reason === null ? '' : `  (${reason})`}`
  })
  const [first, second] = best
  if (first === undefined || second === undefined) return lines
  return [...lines, `  ${first.provider} is asked before ${second.provider}: ${leads(first, second).join(', ')}`]
}

/** The terms in which a target is ahead: `more reliable (0.98 against 0.94)`. */
function leads(first: RankedRow, second: RankedRow): string[] {
  const words = {
    reliability: 'more reliable',
    speed: 'faster',
    quality: 'better answers',
    recency: 'proved more recently',
  }
  return (Object.keys(words) as (keyof typeof words)[]) // our own literal, so its keys are known
    .filter((term) => first.terms[term] > second.terms[term] + 0.005)
    .map((term) => `${words[term]} (${decimal(first.terms[term])} against ${decimal(second.terms[term])})`)
}
