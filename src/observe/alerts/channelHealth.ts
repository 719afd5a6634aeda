/** How a channel does, for status, metrics, readiness and doctor. */

import { moment } from './alert.ts'
import type { Channel } from './channel.ts'
import type { ChannelState } from './channelState.ts'

/** Times are epoch milliseconds. */
export interface ChannelHealth {
  readonly name: string
  /**
   * `resting`: it failed and is tried again by itself. `off`: by its service's own word it is no longer good, so it is
   * tried only once a day.
   */
  readonly state: 'ok' | 'resting' | 'off'
  /** Since when it delivers nothing; null while it works. */
  readonly since: number | null
  /** In a row. */
  readonly failures: number
  readonly reason: string | null
  readonly advice: string | null
  readonly retryAt: number | null
  /** Alerts waiting for it; not those that it gets only if the other channels fail. */
  readonly waiting: number
  readonly deliveredAt: number | null
  /** Alerts that never went out by it, until it has said so itself. */
  readonly undelivered: number
  readonly isBackup: boolean
}

export function healthOf(channel: Channel, state: ChannelState, waiting: number): ChannelHealth {
  const { off, failures, since, reason, advice, remark, nextAt, deliveredAt, lost } = state
  const isWell = !off && failures === 0
  return {
    name: channel.name,
    state: off ? 'off' : isWell ? 'ok' : 'resting',
    since,
    failures,
    reason,
    advice: isWell ? remark : advice,
    retryAt: isWell ? null : nextAt,
    waiting,
    deliveredAt,
    undelivered: lost?.count ?? 0,
    isBackup: channel.backupAfterMs !== null,
  }
}

/** `telegram rests until 12:10 UTC after 3 failures since 12:00 UTC: answered 404; 2 alerts wait; …` */
export function healthText(health: ChannelHealth, now: number): string {
  const { name, state, since, failures, reason, waiting, deliveredAt, undelivered, retryAt, isBackup } = health
  const times = failures === 1 ? '1 failure' : `${failures} failures`
  const until = (retryAt ?? 0) > now ? moment(retryAt ?? now, now) : waiting > 0 ? 'the next try' : 'the next alert'
  const begun = since === null ? '' : ` since ${moment(since, now)}`
  const because = reason === null ? '' : `: ${reason}`
  const parts = [
    state === 'ok' ? `${name}${isBackup ? ' (backup)' : ''} works` : '',
    state === 'resting' ? `${name} rests until ${until} after ${times}${begun}${because}` : '',
    state === 'off' ? `${name} is off${begun}${because}` : '',
    waiting === 0 ? '' : waiting === 1 ? '1 alert waits' : `${waiting} alerts wait`,
    undelivered === 0 ? '' : `${undelivered} could not be delivered`,
    deliveredAt === null ? '' : `last delivered ${moment(deliveredAt, now)}`,
  ]
  return parts.filter((part) => part !== '').join('; ')
}
