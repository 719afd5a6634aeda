/** Describes a park in words. */

import type { DayBoundary, FailureKind, LimitWindow } from '../../domain/failure.ts'
import type { Park } from '../../domain/park.ts'
import type { TargetRef } from '../../domain/store.ts'
import { nextDay, nextMonth } from '../dayBoundary.ts'

/** The name of each failure as the reason of a park. */
export const REASONS: { readonly [K in FailureKind]?: string } = {
  auth_invalid: 'refused key',
  auth_forbidden: 'no permission',
  billing: 'no credit',
  in_flight_budget: 'credit tied up in running requests',
  quota_day: 'daily limit',
  rate_minute: 'rate limit',
  zero_quota: 'no quota at all',
  overloaded: 'overload',
  server: 'server errors',
  timeout: 'timeouts',
  network: 'failing connections',
  model_not_found: 'unknown model',
}

const SUBJECTS: { readonly [S in Park['scope']]: (target: TargetRef) => string } = {
  target: (target) => `${target.provider}/${target.model}#${target.keyIndex}`,
  key: (target) => `${target.provider}#${target.keyIndex}`,
  account: account,
  'account-free': (target) => `the free models of ${account(target)}`,
  'account+model': (target) => `${account(target)} for ${target.model}`,
  'provider+model': (target) => `${target.provider}/${target.model}`,
  provider: (target) => target.provider,
}

/** Such as `daily limit of google project-b for gemini-x until 08:00 UTC (Pacific midnight)`. */
export function describePark(
  park: Omit<Park, 'text'>,
  window: LimitWindow | null,
  anchor: DayBoundary | undefined,
): string {
  const reason = park.reason === 'quota_day' && window === 'month' ? 'monthly limit' : REASONS[park.reason]
  const subject = SUBJECTS[park.scope](park.target)
  // A refused key does not come back by itself at that time.
  if (park.reason === 'auth_invalid') return `${reason} of ${subject}, checked again at ${clock(park)}`
  return `${reason ?? park.reason} of ${subject} until ${clock(park)}${why(park, anchor)}`
}

/** `google:project-b` is a label given by the user; `google@fingerprint` is a key on its own. */
function account(target: TargetRef): string {
  const label = `${target.provider}:`
  if (!target.account.startsWith(label)) return `${target.provider}#${target.keyIndex}`
  return `${target.provider} ${target.account.slice(label.length)}`
}

function clock({ since, until }: Omit<Park, 'text'>): string {
  const iso = new Date(until).toISOString()
  const time = until - since < 120_000 ? iso.slice(11, 19) : iso.slice(11, 16)
  return until - since < 86_400_000 ? `${time} UTC` : `${iso.slice(0, 10)} ${time} UTC`
}

/** Names the calendar when the park ends with it. Stated times are extended by up to a minute. */
function why({ since, until, stated }: Omit<Park, 'text'>, anchor: DayBoundary | undefined): string {
  const endsWith = (end: number) => stated && until >= end && until <= end + 60_000
  if (anchor === 'America/Los_Angeles' && endsWith(nextDay(anchor, since))) return ' (Pacific midnight)'
  if (endsWith(nextMonth(since))) return ' (end of the month)'
  if (endsWith(nextDay('UTC', since))) return ' (midnight UTC)'
  return ''
}
