/** An incident as stored: one document per cause, whichever process saw it first. Pure. */

import { asArray, asNumber, asRecord, asString, type Json } from '../../domain/json.ts'
import { type Alert, readAlert } from './alert.ts'

/** `folded`: included in a broader incident that was reported. `muted`: reported too often recently. */
type DeliveryState = 'told' | 'folded' | 'muted'

export interface Incident {
  /** Identical in every process that sees the same incident. */
  readonly key: string
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
}

const HOUR_MS = 3_600_000
/** A flapping incident is reported at most this often per hour. */
const MOST_PER_HOUR = 3

export const isOpen = (incident: Incident | undefined, now: number): incident is Incident =>
  incident?.open === true && (incident.until === null || now < incident.until)

/** The incident opens (again). */
export function begun(
  known: Incident | undefined,
  news: { readonly key: string; readonly alert: Alert; readonly until: number | null; readonly folded: boolean },
): Incident {
  const { key, alert, until, folded } = news
  const times = (known?.times ?? []).filter((at) => alert.at - at < HOUR_MS)
  const told = folded ? 'folded' : times.length >= MOST_PER_HOUR ? 'muted' : 'told'
  return {
    key,
    alert:
      told === 'told' && times.length === MOST_PER_HOUR - 1 ? lastFor(alert, (times[0] ?? alert.at) + HOUR_MS) : alert,
    open: true,
    told,
    until,
    overAt: null,
    endedBy: null,
    times: told === 'told' ? [...times, alert.at] : times,
  }
}

function lastFor(alert: Alert, until: number): Alert {
  const note = `flapping: not reported again before ${new Date(until).toISOString().slice(11, 16)} UTC`
  return { ...alert, why: alert.why === null ? note : `${alert.why}; ${note}` }
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
  return {
    key,
    alert,
    open: record['open'] === true,
    told: told === 'folded' || told === 'muted' ? told : 'told',
    until: asNumber(record['until']) ?? null,
    overAt: asNumber(record['overAt']) ?? null,
    endedBy: asString(record['endedBy']) ?? null,
    times: (asArray(record['times']) ?? []).filter((at) => typeof at === 'number'),
  }
}
