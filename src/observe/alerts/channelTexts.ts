/** What people are told of the channels themselves. */

import { moment } from './alert.ts'
import type { ChannelState, Gap } from './channelState.ts'

/** `3 alerts of 10:05 to 12:40 UTC could not be delivered here.` */
export function gapNotes({ lost, covered }: Pick<ChannelState, 'lost' | 'covered'>, now: number): readonly string[] {
  const notes: string[] = []
  if (lost !== null) notes.push(`${alertsOf(lost, now)} could not be delivered here`)
  if (covered !== null) notes.push(`${alertsOf(covered, now)} came by another channel instead`)
  return notes
}

function alertsOf({ count, from, to }: Gap, now: number): string {
  if (count === 1) return `1 alert of ${moment(from, now)}`
  return `${count} alerts between ${moment(from, now)} and ${moment(to, now)}`
}

/** Why a backup channel gets an alert. `names`: the channels that should have delivered it, which are `off` or not. */
export function standInNote(names: readonly string[], off: boolean, waitedMs: number): string {
  const all = names.join(' and ')
  const [is, has] = names.length === 1 ? ['is', 'has'] : ['are', 'have']
  if (off) return `${all} ${is} off, so this comes here`
  const minutes = Math.round(waitedMs / 60_000)
  const span = minutes < 1 ? '' : minutes === 1 ? ' for 1 minute' : ` for ${minutes} minutes`
  return `${all} ${has} not delivered this${span}`
}

/** What became of a channel, for the other ones. */
export function announcement(name: string, state: ChannelState, others: readonly string[]) {
  const { off, reason, advice } = state
  return {
    event: 'channel_off' as const,
    what: `No alert is delivered by ${name}${off ? ' any more' : ''}`,
    why: reason,
    works: others.join(', '),
    returns: off
      ? 'not by itself; it is tried once a day, after a restart, and when its settings change'
      : 'it is tried again with growing pauses, at least once an hour',
    advice: advice === null ? null : `${advice}; "keywise doctor --alerts" tries it`,
  }
}

export function returnText(name: string, { lost }: Pick<ChannelState, 'lost'>, now: number) {
  return {
    event: 'channel_back' as const,
    what: `Alerts are delivered by ${name} again`,
    why: lost === null ? null : `${alertsOf(lost, now)} could not be delivered there`,
    works: null,
    returns: null,
    advice: null,
  }
}

export const AFTERMATH = {
  retry: '; it rests and will be retried with growing pauses, and its alerts wait',
  off: '; it is off, and tried again once a day, after a restart, when its settings change, or with "keywise doctor --alerts"',
} as const
