/** `keywise status`: every target with its health, its remaining limits and its spending. */

import { timeZoneProblem } from '../../domain/timeZone.ts'
import type { Engine } from '../../engine/engine.ts'
import { Summary } from '../../engine/memory/summary.ts'
import { hoursView } from '../../views/hours.ts'
import { type LimitStatus, type StatusView, statusView, type TargetStatus } from '../../views/status.ts'
import { budgetLine } from '../budgetLine.ts'
import { type CommandContext, type RunCommand, UsageError } from '../command.ts'
import { differenceLines } from '../differenceLines.ts'
import { age, clockText, decimal, dollars, duration, type Printer, plural, printer, wholeNumber } from '../output.ts'
import { untilStopped } from '../stop.ts'
import { withEngine } from '../withEngine.ts'
import { creditLine } from './credits.ts'
import { showHours } from './hours.ts'
import { storeLines } from './storeLines.ts'

const WATCH_MS = 2000

export const run: RunCommand = (context) =>
  withEngine(context, async (engine) => {
    if (context.options['refresh']) await askCredits(engine)
    show(engine, context)
    if (!context.options['watch']) return 0
    const timer = setInterval(() => show(engine, context), WATCH_MS)
    const code = await untilStopped(wholeNumber(context.options['seconds'], '--seconds'))
    clearInterval(timer)
    return code
  })

/** `--zone`, or the machine's own. */
function zoneFrom(option: unknown): string {
  if (typeof option !== 'string') return new Intl.DateTimeFormat().resolvedOptions().timeZone
  const problem = timeZoneProblem(option)
  if (problem !== null) throw new UsageError(`--zone: ${problem}`)
  return option
}

async function askCredits({ credits, registry }: Engine): Promise<void> {
  await Promise.all(credits.questions(registry.credentials).map((question) => credits.ask(question)))
}

function show(engine: Engine, { options, stdout, env }: CommandContext): void {
  const out = printer(stdout, env)
  if (options['hours']) {
    const shown = {
      zone: zoneFrom(options['zone']),
      asJson: options['json'] === true,
      again: options['watch'] === true,
    }
    return showHours(hoursView(engine), out, shown)
  }
  // A read-only command has no calls of its own to count; the gateway fills this with its own.
  const view = statusView(engine, new Summary().view())
  if (options['json']) return out.json(view)
  if (options['watch']) out.clear()
  printStatus(view, out)
}

function printStatus(view: StatusView, out: Printer): void {
  const now = Date.parse(view.generatedAt)
  const head = [
    '#',
    'target',
    'score',
    'health',
    'average',
    'p95',
    'ok/failed',
    'tokens',
    'cost',
    'limits left, or why not',
  ]
  out.table(
    head,
    view.targets.map((target) => rowOf(target, now, out)),
  )
  for (const line of parkedLines(view)) out.line(line)
  for (const line of differenceLines(view.targets.flatMap(({ differences }) => differences))) out.line(line)
  if (view.allClosed !== null) out.line(out.paint('yellow', view.allClosed.text))
  out.line()
  for (const provider of view.providers) out.line(providerLine(provider))
  for (const budget of view.budgets) out.line(budgetLine(budget, now, out))
  for (const credit of view.credits) out.line(creditLine(credit, now))
  for (const line of storeLines(view.store)) out.line(out.paint('yellow', line))
  for (const channel of view.alertChannels) out.line(alertLine(channel, out))
  for (const { degraded, text } of view.eventLoops) out.line(out.paint(degraded ? 'yellow' : 'dim', capital(text)))
}

const CHANNEL_COLOURS = { ok: 'dim', resting: 'yellow', off: 'red' } as const

function alertLine({ state, text, advice }: StatusView['alertChannels'][number], out: Printer): string {
  return out.paint(CHANNEL_COLOURS[state], `Alerts: ${text}${advice === null ? '' : `; ${advice}`}`)
}

const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1)

function rowOf(target: TargetStatus, now: number, out: Printer): string[] {
  const { status, successCount, failCount, avgResponseTime, p95ResponseTime } = target
  return [
    target.eligible ? String(target.rank) : '-',
    target.target,
    decimal(target.score),
    out.paint(COLOURS[status], healthOf(target)),
    duration(avgResponseTime),
    duration(p95ResponseTime),
    `${successCount}/${failCount}`,
    String(target.totalTokens),
    target.unpricedAttempts > 0 && target.costUsd === 0 ? '?' : dollars(target.costUsd),
    target.eligible ? limitsOf(target.limits, now) : (target.reason ?? ''),
  ]
}

const COLOURS = {
  working: 'green',
  failing: 'red',
  unreliable: 'red',
  unknown: 'dim',
  untested: 'dim',
  parked: 'yellow',
} as const

function healthOf({ status, parked, lastError }: TargetStatus): string {
  if (parked !== null) return `parked until ${clockText(parked.until)}`
  return status === 'failing' && lastError?.statusCode ? `failing (${lastError.statusCode})` : status
}

/** The two limits closest to exhaustion, as `12/30 requests a minute (header, 40 s ago)`. */
function limitsOf(limits: readonly LimitStatus[], now: number): string {
  const share = ({ limit, remaining }: LimitStatus) => (limit && remaining !== null ? remaining / limit : 2)
  return [...limits]
    .sort((a, b) => share(a) - share(b))
    .slice(0, 2)
    .map((limit) => limitText(limit, now))
    .join('; ')
}

function limitText({ limit, remaining, unit, window, source, checkedAt, published }: LimitStatus, now: number): string {
  const size = remaining === null ? `${limit ?? '?'}` : `${remaining}/${limit ?? '?'}`
  const per = window === 'none' ? '' : ` a ${window}`
  if (source === 'seed' && published?.asOf) return `${size} ${unit}${per} (as of ${published.checkedAt})`
  const when = checkedAt === null ? '' : `, ${age(now - Date.parse(checkedAt))} ago`
  return `${size} ${unit}${per} (${source === 'seed' ? 'published' : source}${when})`
}

/** Each park once, however many targets it covers. */
function parkedLines({ targets }: StatusView): string[] {
  const texts = new Set(targets.flatMap(({ parked }) => (parked === null ? [] : [parked.text])))
  return texts.size === 0 ? [] : ['', 'Parked:', ...[...texts].map((text) => `  ${text}`)]
}

function providerLine({ name, keys, targets, eligible, parked, costUsd }: StatusView['providers'][number]): string {
  const out = parked > 0 ? `, ${parked} parked` : ''
  return `${name}: ${plural(keys, 'key')}, ${plural(targets, 'target')}, ${eligible} ready${out}, ${dollars(costUsd)} spent`
}
