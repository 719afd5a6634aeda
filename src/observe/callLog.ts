/** The lines a running keywise prints per call. One block per call, so that parallel calls do not interleave. */

import type { AttemptReport } from '../domain/attempt.ts'
import type { Logger } from '../domain/logger.ts'
import { printable } from '../domain/printable.ts'

export interface CallStory {
  readonly cycle: number
  /** The first choice, with its score at that time; null when nothing could be tried. */
  readonly selected: { readonly provider: string; readonly model: string; readonly score: number } | null
  readonly maxAttempts: number
  readonly attempts: readonly AttemptReport[]
  /** Targets passed over on the way, and why. */
  readonly passed: readonly PassedOver[]
  /** How this call changed the providers' best scores. */
  readonly moves: readonly ScoreMove[]
  readonly failed: string | null
}

export interface PassedOver {
  /** Number of the attempt before which it was passed over, from 1. */
  readonly before: number
  /** `parked: daily limit of google project-b until 08:00 UTC (Pacific midnight)` */
  readonly text: string
}

export interface ScoreMove {
  readonly provider: string
  readonly before: number
  readonly after: number
  readonly reason: string
}

/** A smaller change is noise. */
const VISIBLE_MOVE = 0.0005

export function logCall(logger: Logger, story: CallStory): void {
  const lines = [`Cycle ${story.cycle}:`]
  if (story.selected !== null) {
    const { provider, model, score } = story.selected
    lines.push(`  Selected: ${provider} - ${model} (score: ${score.toFixed(2)})`)
  }
  for (const [index, attempt] of story.attempts.entries())
    lines.push(...passedLines(story, index + 1), ...attemptLines(attempt, index + 1, story.maxAttempts))
  lines.push(...passedLines(story, story.attempts.length + 1))
  if (story.failed !== null) lines.push(`  ❌ ${story.failed}`)
  const moves = story.moves.filter((move) => Math.abs(move.after - move.before) >= VISIBLE_MOVE)
  if (moves.length > 0) lines.push('apiStats updated:', ...moves.map(moveLine))
  logger.info(lines.map(printable).join('\n'))
}

function passedLines({ passed, maxAttempts }: CallStory, number: number): string[] {
  return passed.filter(({ before }) => before === number).map(({ text }) => `  [${number}/${maxAttempts}] ${text}`)
}

/** `[1/5] Trying: groq - m`, and its result. */
export function attemptLines(attempt: Omit<AttemptReport, 'why'>, number: number, most: number): string[] {
  const trying = `  [${number}/${most}] Trying: ${attempt.provider} - ${attempt.model}`
  return [
    trying,
    attempt.ok ? `  ✅ Success in ${Math.round(attempt.latencyMs)}ms` : `  ❌ Failed: ${failureText(attempt)}`,
  ]
}

/** `429 Too Many Requests (parked until 08:00 UTC)` */
export function failureText(attempt: Pick<AttemptReport, 'status' | 'failureKind' | 'retryAt'>): string {
  const status =
    attempt.status === null
      ? (attempt.failureKind ?? 'failed')
      : `${attempt.status} ${STATUS_TEXT[attempt.status] ?? attempt.failureKind ?? ''}`.trim()
  return attempt.retryAt === null ? status : `${status} (parked until ${utcClock(attempt.retryAt)})`
}

/** `08:00 UTC`, with the date unless it is within a day. */
function utcClock(iso: string): string {
  return `${iso.slice(11, 16)} UTC`
}

function moveLine(move: ScoreMove): string {
  return `  ${move.provider} score ${move.after > move.before ? 'increased' : 'decreased'} (${move.reason})`
}

// The usual reason phrases (RFC 9110 section 15, RFC 6585 section 4).
const STATUS_TEXT: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  402: 'Payment Required',
  403: 'Forbidden',
  404: 'Not Found',
  408: 'Request Timeout',
  409: 'Conflict',
  413: 'Content Too Large',
  415: 'Unsupported Media Type',
  422: 'Unprocessable Content',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
  529: 'Overloaded',
}
