/** An incident as stored: one document per cause, whichever process saw it first. Pure. */

import { asArray, asNumber, asRecord, asString, type Json } from '../../domain/json.ts'
import { type Alert, moment, readAlert } from './alert.ts'

/**
 * `folded`: included in a broader incident that was reported. `muted`: reported too often recently, so it waits until it
 * has lasted or the hour is over.
 */
type DeliveryState = 'told' | 'folded' | 'muted'

export interface Incident {
  /** Identical in every process that sees the same incident. */
  readonly key: string
  /** As it was reported last, or is to be reported. */
  readonly alert: Alert
  readonly open: boolean
  readonly told: DeliveryState
  /** Epoch milliseconds at which it ends by itself (a budget's period); null when only another event ends it. */
  readonly until: number | null
  readonly overAt: number | null
  /** A unique mark set by the call that closed it, so that only this call reports the end. */
  readonly endedBy: string | null
  /** When it was reported within the last hour. */
  readonly times: readonly number[]
  /** Epoch milliseconds at which it opened this time. */
  readonly openedAt: number
  /** Its openings with less than an hour between, the present one included. */
  readonly bout: { readonly since: number; readonly count: number }
}

const HOUR_MS = 3_600_000
/** A flapping incident is reported at most this often per hour, unless it lasts. */
const MOST_PER_HOUR = 3
/** What has lasted so long is no flapping. */
const LASTS_MS = 600_000

export const isOpen = (incident: Incident | undefined, now: number): incident is Incident =>
  incident?.open === true && (incident.until === null || now < incident.until)

interface Beginning {
  readonly key: string
  readonly alert: Alert
  readonly until: number | null
  readonly folded: boolean
}

/** The incident opens (again). */
export function begun(known: Incident | undefined, { key, alert, until, folded }: Beginning): Incident {
  const { at } = alert
  const incident: Incident = {
    key,
    alert,
    open: true,
    told: folded ? 'folded' : 'muted',
    until,
    overAt: null,
    endedBy: null,
    times: recent(known?.times ?? [], at),
    openedAt: at,
    bout: boutOf(known, alert),
  }
  return folded || mutedUntil(incident, at) !== null ? incident : reported(incident, alert)
}

/** The incident is reported now, with that alert. */
export const reported = (incident: Incident, alert: Alert): Incident => ({
  ...incident,
  alert,
  told: 'told',
  times: [...recent(incident.times, alert.at), alert.at],
})

/** The alert of an incident just reported: it says when it came late, and when it is the last for a while. */
export function reportOf(incident: Incident): Alert {
  const { alert, openedAt, bout } = incident
  const until = mutedUntil(incident, alert.at)
  const times = bout.count === 2 ? 'once' : `${bout.count - 1} times`
  const notes = [
    ...(alert.at !== openedAt && bout.count > 1
      ? [`it came and went ${times} since ${moment(bout.since, alert.at)}`]
      : []),
    ...(until === null
      ? []
      : [`not reported again before ${moment(until, alert.at)} unless it lasts ${LASTS_MS / 60_000} minutes`]),
  ]
  return notes.length === 0 ? alert : { ...alert, flapping: notes.join('; ') }
}

/** Until when it is reported no more because it came too often; null when it may be reported. */
export function mutedUntil({ times }: Incident, now: number): number | null {
  const oldest = recent(times, now).at(-MOST_PER_HOUR)
  return oldest === undefined ? null : oldest + HOUR_MS
}

/** Whether it has been open for so long that it is reported however often it came. A clock set back counts as long. */
export const hasLasted = ({ openedAt }: Incident, now: number): boolean => Math.abs(now - openedAt) >= LASTS_MS

/** Times ahead of the clock are of one that was set back since: by them it would be muted for too long. */
const recent = (times: readonly number[], now: number) => times.filter((at) => at <= now && now - at < HOUR_MS)

function boutOf(known: Incident | undefined, { at, since }: Alert): Incident['bout'] {
  const last = known?.overAt ?? known?.openedAt
  const goesOn = known !== undefined && last !== undefined && Math.abs(at - last) < HOUR_MS
  return goesOn ? { since: known.bout.since, count: known.bout.count + 1 } : { since, count: 1 }
}

export const ended = (incident: Incident, overAt: number, endedBy: string): Incident => ({
  ...incident,
  open: false,
  overAt,
  endedBy,
})

/** As JSON; an `Incident` is plain data. */
export const writeIncident = (incident: Incident): Json => ({ ...incident })

/** Reads a stored incident; undefined if it is not a valid one. */
export function readIncident(value: unknown): Incident | undefined {
  const record = asRecord(value)
  const key = asString(record?.['key'])
  const alert = readAlert(record?.['alert'])
  if (record === undefined || key === undefined || alert === undefined) return undefined
  const told = record['told']
  const openedAt = asNumber(record['openedAt']) ?? alert.at
  const bout = asRecord(record['bout'])
  return {
    key,
    alert,
    open: record['open'] === true,
    told: told === 'folded' || told === 'muted' ? told : 'told',
    until: asNumber(record['until']) ?? null,
    overAt: asNumber(record['overAt']) ?? null,
    endedBy: asString(record['endedBy']) ?? null,
    times: (asArray(record['times']) ?? []).filter((at) => typeof at === 'number'),
    openedAt,
    bout: { since: asNumber(bout?.['since']) ?? alert.since, count: asNumber(bout?.['count']) ?? 1 },
  }
}
