/** The lines a running keywise prints per call (contract section 6). One block a call, so that parallel calls do not mix. */

import type { AttemptReport } from '../domain/attempt.ts'
import type { Logger } from '../domain/logger.ts'

export interface CallStory {
  readonly cycle: number
  /** What was chosen first, with the score it had then; null when nothing could be tried. */
  readonly selected: { readonly provider: string; readonly model: string; readonly score: number } | null
  readonly maxAttempts: number
  readonly attempts: readonly AttemptReport[]
  /** Targets that were passed over on the way, in words. */
  readonly passed: readonly string[]
  /** How the providers' best scores moved by this call. */
  readonly moves: readonly ScoreMove[]
  readonly failed: string | null
}

export interface ScoreMove {
  readonly provider: string
  readonly before: number
  readonly after: number
  readonly reason: string
}

/** A move smaller than this is noise. */
const VISIBLE_MOVE = 0.0005

export function logCall(logger: Logger, story: CallStory): void {
  const lines = [`Cycle ${story.cycle}:`]
  if (story.selected !== null) {
    const { provider, model, score } = story.selected
    lines.push(`  Selected: ${provider} - ${model} (score: ${score.toFixed(2)})`)
  }
  for (const [index, attempt] of story.attempts.entries())
    lines.push(...attemptLines(attempt, index + 1, story.maxAttempts))
  for (const text of story.passed) lines.push(`  [-/${story.maxAttempts}] ${text}`)
  if (story.failed !== null) lines.push(`  ❌ ${story.failed}`)
  const moves = story.moves.filter((move) => Math.abs(move.after - move.before) >= VISIBLE_MOVE)
  if (moves.length > 0) lines.push('apiStats updated:', ...moves.map(moveLine))
  logger.info(lines.join('\n'))
}

/** `[1/5] Trying: groq - m`, and what became of it. */
export function attemptLines(attempt: AttemptReport, number: number, most: number): string[] {
  const trying = `  [${number}/${most}] Trying: ${attempt.provider} - ${attempt.model}`
  return [
    trying,
    attempt.ok ? `  ✅ Success in ${Math.round(attempt.latencyMs)}ms` : `  ❌ Failed: ${failureText(attempt)}`,
  ]
}

/** `429 Too Many Requests (parked until 08:00 UTC)` */
export function failureText(attempt: AttemptReport): string {
  const status =
    attempt.status === null
      ? (attempt.failureKind ?? 'failed')
      : `${attempt.status} ${STATUS_TEXT[attempt.status] ?? attempt.failureKind ?? ''}`.trim()
  return attempt.retryAt === null ? status : `${status} (parked until ${clock(attempt.retryAt)})`
}

/** `08:00 UTC`, with the date when it is not within a day. */
export function clock(iso: string): string {
  return `${iso.slice(11, 16)} UTC`
}

function moveLine(move: ScoreMove): string {
  return `  ${move.provider} score ${move.after > move.before ? 'increased' : 'decreased'} (${move.reason})`
}

// The names people know (RFC 9110 section 15, RFC 6585 section 4).
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
