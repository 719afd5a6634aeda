/** `keywise test`: the tester on a terminal, as lines, or as JSON. */

import { type TestOptions, testApiKeys } from '../../tester/apiKeyTester.ts'
import type { TestReport } from '../../tester/report.ts'
import type { TestPlan } from '../../tester/runOptions.ts'
import { openingText, type ProviderName, reportText } from '../../tester/summaryText.ts'
import type { CommandContext, ExitCode, RunCommand } from '../command.ts'
import { UsageError } from '../command.ts'
import { jsonText, wholeNumber } from '../output.ts'
import { openProgress, type Progress } from './progress.ts'

export const run: RunCommand = async (context) => {
  const { options, stdout, stderr, env } = context
  const progress = openProgress(stderr, env)
  const interruption = listenForInterrupt()
  let providers: readonly ProviderName[] = []
  const onPlan = (plan: TestPlan) => {
    providers = plan.providers
    if (!options['json']) stdout.write(`${openingText({ targets: plan.targets.length, cost: plan.cost })}\n`)
    progress.onPlan(plan)
  }
  try {
    const report = await testApiKeys({
      ...optionsOf(context),
      ...observed(progress),
      onPlan,
      signal: interruption.signal,
    })
    progress.close()
    stdout.write(options['json'] ? `${jsonText(report)}\n` : reportText(report, providers))
    return exitCodeOf(report)
  } finally {
    progress.close()
    interruption.stop()
  }
}

/** 0 all work · 3 some failed · 4 all failed · 1 nothing could be tested · 130 interrupted. */
function exitCodeOf({ interrupted, summary }: Pick<TestReport, 'interrupted' | 'summary'>): ExitCode {
  if (interrupted) return 130
  if (summary.total === 0) return 1
  if (summary.failed === 0) return 0
  return summary.passed === 0 ? 4 : 3
}

function optionsOf({ options, env, cwd }: CommandContext): TestOptions {
  const text = (name: string) => (typeof options[name] === 'string' ? { [name]: options[name] } : {})
  return {
    env,
    cwd,
    ...text('config'),
    ...text('store'),
    ...text('provider'),
    ...text('model'),
    ...text('out'),
    ...text('html'),
    ...text('facts'),
    ...number(options['key'], '--key', 'key'),
    ...number(options['concurrency'], '--concurrency', 'concurrency'),
    ...number(options['timeout'], '--timeout', 'timeoutMs'),
    all: options['all'] === true,
    abilities: options['abilities'] === true,
  }
}

/** A whole number, at least 1. */
function number(value: unknown, flag: string, name: 'key' | 'concurrency' | 'timeoutMs'): Partial<TestOptions> {
  const read = wholeNumber(value, flag)
  if (read === 0) throw new UsageError(`${flag} takes a number from 1 up, not 0`)
  return read === undefined ? {} : { [name]: read }
}

function observed(progress: Progress): Pick<TestOptions, 'logger' | 'onCall' | 'onWait' | 'onResult' | 'onSkip'> {
  const { onCall, onWait, onResult, onSkip, logger } = progress
  return { onCall, onWait, onResult, onSkip, logger }
}

/** The first Ctrl-C ends the run and keeps its results, the second ends the process. */
function listenForInterrupt(): { readonly signal: AbortSignal; readonly stop: () => void } {
  const controller = new AbortController()
  const interrupt = () => (controller.signal.aborted ? process.exit(130) : controller.abort())
  process.on('SIGINT', interrupt)
  process.on('SIGTERM', interrupt)
  const stop = () => {
    process.off('SIGINT', interrupt)
    process.off('SIGTERM', interrupt)
  }
  return { signal: controller.signal, stop }
}
