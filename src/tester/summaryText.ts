/** The report for people: one block per provider with its results, a summary, the fastest targets, and next steps. */

import type { FailureKind } from '../domain/failure.ts'
import { PROVABLE } from './abilities.ts'
import type { TestReport } from './report.ts'
import type { SkippedTest, TestResult } from './testResult.ts'

/** A provider of a run. */
export interface ProviderName {
  /** As in `config/api-keys.json`. */
  readonly id: string
  /** `Google Gemini` */
  readonly name: string
  /** More than one key is configured, so each is named. */
  readonly severalKeys: boolean
}

/** The first lines, which are known before the first call. */
export function openingText(plan: { readonly targets: number; readonly cost: TestReport['cost'] }): string {
  const { targets, cost } = plan
  const unknown = cost.unknownPrice === 0 ? '' : `, ${cost.unknownPrice} of unknown price`
  return `Testing ${count(targets, 'model')}...\nEstimated cost: at most ${usd(cost.estimatedUsd)} (limit ${usd(cost.maxUsd)}${unknown})\n`
}

/** Everything after the opening. */
export function reportText(report: TestReport, providers: readonly ProviderName[]): string {
  const present = providers.filter(({ id }) => [...report.tests, ...report.skipped].some((one) => one.provider === id))
  const lines = [
    '🔍 API Key Tester - Comprehensive Test Suite',
    '='.repeat(60),
    ...present.flatMap((provider) => ['', ...block(provider, report)]),
    '',
    'Results:',
    ...present.map((provider) => resultLine(provider, report)),
    '',
    ...summary(report),
    ...changes(report),
    ...nextSteps(report),
  ]
  return `${lines.join('\n')}\n`
}

function block(provider: ProviderName, report: TestReport): string[] {
  const tests = report.tests.filter((test) => test.provider === provider.id)
  const skipped = report.skipped.filter((test) => test.provider === provider.id)
  return [`📊 Testing ${provider.name} API...`, ...testLines(provider, tests), ...skippedLines(provider, skipped)]
}

function testLines(provider: ProviderName, tests: readonly TestResult[]): string[] {
  const lines: string[] = []
  const told = new Set<string>()
  for (const test of tests) {
    if (test.finding === null) lines.push(...oneTest(provider, test))
    else if (!told.has(test.finding)) {
      told.add(test.finding)
      lines.push(
        ...oneFinding(
          provider,
          tests.filter((other) => other.finding === test.finding),
        ),
      )
    }
  }
  return lines
}

function oneTest(provider: ProviderName, test: TestResult): string[] {
  const name = nameOf(provider, test)
  if (test.status === 'failed') return [`  ❌ ${name}`, `     ${failureReasonOf(test)}`]
  const note = test.note === undefined ? '' : ` (${test.note})`
  return [`  ✅ ${name}`, `     Response time: ${Math.round(test.responseTime)}ms${note}`, ...abilityLine(test)]
}

/** One cause, however many targets it stops. */
function oneFinding(provider: ProviderName, tests: readonly TestResult[]): string[] {
  const [first] = tests
  if (first === undefined) return []
  if (tests.length === 1) return oneTest(provider, first)
  const keys = new Set(tests.map(({ keyIndex }) => keyIndex))
  const key = provider.severalKeys && keys.size === 1 ? `Key${first.keyIndex} - ` : ''
  return [`  ❌ ${provider.id} - ${key}all ${tests.length} models`, `     ${failureReasonOf(first)}`]
}

function abilityLine({ abilities }: TestResult): string[] {
  if (abilities === undefined) return []
  const proofs = PROVABLE.flatMap((ability) => {
    const proof = abilities[ability]
    if (proof === undefined) return []
    const note = proof.ok === true || proof.note === undefined ? '' : ` (${proof.note})`
    return [`${ability} ${proof.ok === null ? '❔' : proof.ok ? '✅' : '❌'}${note}`]
  })
  return proofs.length === 0 ? [] : [`     Abilities: ${proofs.join(', ')}`]
}

/** Many targets share a reason, so each is printed once with the targets it concerns. */
function skippedLines(provider: ProviderName, skipped: readonly SkippedTest[]): string[] {
  const byReason = Map.groupBy(skipped, ({ reason }) => reason)
  return [...byReason].flatMap(([reason, tests]) => {
    const shown = tests.slice(0, 3).map((test) => nameOf(provider, test).slice(provider.id.length + 3))
    const more = tests.length > shown.length ? ` and ${tests.length - shown.length} more` : ''
    return [`  ➖ ${provider.id} - skipped: ${shown.join(', ')}${more}`, `     ${reason}`]
  })
}

function nameOf(
  { id, severalKeys }: ProviderName,
  test: { readonly keyIndex: number; readonly model: string },
): string {
  return severalKeys ? `${id} - Key${test.keyIndex} - ${test.model}` : `${id} - ${test.model}`
}

/** `404 model_not_found: retired by the provider on 2026-08-16; use openai/gpt-oss-120b` */
export function failureReasonOf({ statusCode, failureKind, error }: TestResult): string {
  const status = statusCode === null || statusCode === undefined ? '' : `${statusCode} `
  return `${status}${failureKind}: ${oneLine(error ?? '')}`
}

const oneLine = (text: string) => text.replace(/\s+/g, ' ').trim()

function resultLine({ id, name }: ProviderName, report: TestReport): string {
  const tests = report.tests.filter((test) => test.provider === id)
  const passed = tests.filter(({ status }) => status === 'success').length
  const sign = passed > 0 || tests.length === 0 ? '✅' : '❌'
  const skipped = report.skipped.filter((test) => test.provider === id).length
  const notes = [...whyFailed(tests), ...(skipped > 0 ? [`${count(skipped, 'model')} skipped`] : [])]
  return `  ${name}: ${passed}/${tests.length} ${sign}${notes.length === 0 ? '' : ` (${notes.join(', ')})`}`
}

function whyFailed(tests: readonly TestResult[]): string[] {
  const failed = tests.filter(({ status }) => status === 'failed')
  const words = Map.groupBy(failed, ({ failureKind }) => (failureKind === null ? 'failed' : WORDS[failureKind]))
  return [...words].map(([word, group]) => `${count(group.length, 'model')} ${word}`)
}

const WORDS: { readonly [K in FailureKind]: string } = {
  auth_invalid: 'with a refused key',
  auth_forbidden: 'forbidden',
  billing: 'without credit',
  in_flight_budget: 'held back',
  quota_day: 'out of quota for the day',
  rate_minute: 'rate limited',
  zero_quota: 'without any quota',
  too_large_for_limit: 'whose limit is too small',
  overloaded: 'overloaded',
  server: 'with server errors',
  timeout: 'timed out',
  network: 'unreachable',
  model_not_found: 'not served',
  context_too_long: 'whose context window is too small',
  content_filter: 'filtered',
  empty: 'answering nothing',
  malformed: 'answering something else',
  unsupported: 'of another kind',
  bad_request: 'refusing the request',
  client_gone: 'interrupted',
  slower: 'slower than others',
}

function summary({
  summary: { total, passed, failed, skipped, passRate },
  fastest,
  interrupted,
  cost,
}: TestReport): string[] {
  return [
    ...(interrupted ? ['⏹ Interrupted; these are the results so far.', ''] : []),
    '📊 TEST SUMMARY',
    `Total Tests: ${total}`,
    `Passed: ${passed} ✅`,
    `Failed: ${failed} ❌`,
    `Pass Rate: ${(passRate * 100).toFixed(1)}%`,
    ...(skipped > 0 ? [`Skipped: ${skipped} ➖`] : []),
    ...(fastest === null
      ? []
      : ['', `⚡ Fastest: ${fastest.provider} - ${fastest.model} (${Math.round(fastest.responseTime)}ms)`]),
    `Cost: ${usd(cost.spentUsd)}`,
  ]
}

function changes({ changes: found }: TestReport): string[] {
  if (found === null) return []
  const since = found.since === null ? '' : ` (${found.since.slice(0, 16).replace('T', ' ')} UTC)`
  const { newlyWorking, newlyFailing } = found
  if (newlyWorking.length + newlyFailing.length === 0) return ['', `Since the last run${since}: nothing changed.`]
  return [
    '',
    `Since the last run${since}:`,
    ...newlyWorking.map((target) => `  ✅ works now: ${target}`),
    ...newlyFailing.map((target) => `  ❌ fails now: ${target}`),
  ]
}

function nextSteps({ advice }: TestReport): string[] {
  if (advice.length === 0) return []
  const lines = advice.map(({ text, targets }, index) => {
    const size = targets.length > 1 ? ` [${targets.length} models]` : ''
    return `  ${index + 1}. ${oneLine(text)}${size}`
  })
  return ['', 'What to do next:', ...lines]
}

const count = (number: number, thing: string) => `${number} ${thing}${number === 1 ? '' : 's'}`

/** `$0.0042`: as many digits as it takes to show a non-zero amount. */
function usd(amount: number): string {
  return amount === 0 || amount >= 0.01 ? `$${amount.toFixed(2)}` : `$${amount.toPrecision(2)}`
}
