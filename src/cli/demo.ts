/** `keywise demo`: the core features on simulated providers, without keys, network or files. */

import { type DemoCall, type DemoScene, type DemoSummary, runDemo } from '../lab/demo.ts'
import type { RankedRow } from '../manager/apiManager.ts'
import { failureText } from '../observe/callLog.ts'
import type { RunCommand } from './command.ts'
import { decimal, duration, type Printer, printer, wholeNumber } from './output.ts'
import { curlLine } from './serve.ts'
import { untilStopped } from './stop.ts'
import { testedLine, tour } from './tour.ts'

export const run: RunCommand = async (context) => {
  const { options, stdout, stderr, env } = context
  if (options['tour']) return tour(context)
  const out = printer(stdout, env)
  const seconds = wholeNumber(options['seconds'], '--seconds')
  const controller = new AbortController()
  // How long the tests take depends on the machine; the seconds are those of the requests.
  const tested = Promise.withResolvers<void>()
  const stopping = untilStopped(seconds, tested.promise).finally(() => controller.abort())
  const silent = options['json'] === true
  if (!silent) out.lines('Simulated providers with realistic faults: no key, no network, nothing is written.\n')
  if (seconds === undefined) stderr.write('Press Ctrl-C to end the demo.\n')
  const summary = await runDemo({
    signal: controller.signal,
    show: (scene) => {
      if (scene.kind === 'tests') tested.resolve()
      if (!silent) printScene(scene, out)
    },
    ...(seconds !== undefined && { seconds }),
  }).finally(() => tested.resolve())
  if (silent) out.json({ generatedAt: new Date().toISOString(), ...summary })
  else printSummary(summary, out)
  return stopping
}

function printScene(scene: DemoScene, out: Printer): void {
  switch (scene.kind) {
    case 'gateway':
      out.line(`The gateway answers on ${scene.origin} as long as the demo runs:`)
      out.lines(`  ${curlLine(scene.origin, scene.token)}\n`)
      break
    case 'tests':
      for (const test of scene.report.tests) out.line(testedLine(test, out))
      out.lines(`\nTested ${scene.report.summary.total}: ${scene.report.summary.passed} work. Now requests come in.\n`)
      break
    case 'incident':
      out.line(out.paint('yellow', `⚡ ${scene.text}`))
      break
    case 'call':
      for (const line of callLines(scene.call, out)) out.line(line)
      break
    case 'ranking':
      out.line()
      printRanking(scene.rows, out)
      out.line()
  }
}

/** `✅ groq/openai/gpt-oss-120b#1 (score 0.89) 133 ms`, preceded by one line for each failed attempt. */
function callLines({ result, attempts, streamed, prompt }: DemoCall, out: Printer): string[] {
  const lines = attempts
    .filter((attempt) => !attempt.ok)
    .map((attempt) => `   ${out.paint('red', '❌')} ${attempt.target}  ${attempt.failureKind}: ${failureText(attempt)}`)
  const how = streamed ? 'streamed, ' : ''
  const answer =
    result === null
      ? `   ${out.paint('red', 'no target could answer')}`
      : `   ✅ ${result.provider}/${result.model}#${result.keyIndex}  score ${decimal(result.score)}, ${how}${duration(result.responseTime)}`
  return [out.paint('dim', `“${prompt}”`), ...lines, answer]
}

function printRanking(rows: readonly RankedRow[], out: Printer): void {
  out.table(
    ['#', 'target', 'score', 'reliability', 'speed', 'quality', 'recency', 'why'],
    rows.map(({ rank, target, score, terms, eligible, reason }) => [
      eligible ? String(rank) : '-',
      target,
      decimal(score),
      decimal(terms.reliability),
      decimal(terms.speed),
      decimal(terms.quality),
      decimal(terms.recency),
      reason ?? '',
    ]),
  )
}

function printSummary({ tests, session, rescued, failures, ranking }: DemoSummary, out: Printer): void {
  out.line()
  printRanking(ranking, out)
  out.line()
  out.line(out.paint('bold', 'What happened'))
  out.line(`  tests      ${tests.passed} of ${tests.total} targets work`)
  out.line(
    `  requests   ${session.requests}: ${session.successes} answered (${(session.successRate * 100).toFixed(1)} %), ${rescued} of them by another target after the first had failed`,
  )
  const kinds = Object.entries(failures).sort(([, a], [, b]) => b - a)
  out.line(`  failures   ${kinds.map(([kind, count]) => `${count} ${kind}`).join(', ') || 'none'}`)
  for (const [provider, { requests, successes }] of Object.entries(session.byProvider))
    out.line(`  ${provider.padEnd(10)} ${successes} of ${requests} attempts answered`)
  out.lines('\nNext: put your own keys into config/api-keys.json, then: keywise test')
}
