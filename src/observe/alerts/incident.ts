/** an incident as it is remembered in the store: one document per cause, whichever process saw it first. Pure. */

import { asArray, asNumber, asRecord, asString, type Json } from '../../domain/json.ts'
import { type Alert, readAlert } from './alert.ts'

/** `folded`: part of a greater incident that was told. `muted`: told too often of late. */
export type DeliveryState = 'told' | 'folded' | 'muted'

export interface Incident {
  /** The same for everybody who sees the same incident. */
  readonly key: string
  readonly alert: Alert
  readonly open: boolean
  readonly told: DeliveryState
  /** Epoch milliseconds at which it ends by itself (a budget's period); null when only something that happens ends it. */
  readonly until: number | null
  readonly overAt: number | null
  /** The alert that ended it, to know whose word it was. */
  readonly endedBy: string | null
  /** When it was told of late. */
  readonly times: readonly number[]
}

const HOUR_MS = 3_600_000
/** an incident that comes and goes is told so often within an hour, and then not until that hour is over. */
const MOST_PER_HOUR = 3

export const isOpen = (incident: Incident | undefined, now: number): incident is Incident =>
  incident?.open === true && (incident.until === null || now < incident.until)

/** The incident begins (again). */
export function begun(
  known: Incident | undefined,
  news: { readonly key: string; readonly alert: Alert; readonly until: number | null; readonly folded: boolean },
): Incident {
  const { key, alert, until, folded } = news
  const times = (known?.times ?? []).filter((at) => alert.at - at < HOUR_MS)
  const told = folded ? 'folded' : times.length >= MOST_PER_HOUR ? 'muted' : 'told'
  return {
    key,
    alert: told === 'told' && times.length === MOST_PER_HOUR - 1 ? lastFor(alert, times[0]! + HOUR_MS) : alert,
    open: true,
    told,
    until,
    overAt: null,
    endedBy: null,
    times: told === 'told' ? [...times, alert.at] : times,
  }
}

function lastFor(alert: Alert, until: number): Alert {
  const note = `it comes and goes: not told again before ${new Date(until).toISOString().slice(11, 16)} UTC`
  return { ...alert, why: alert.why === null ? note : `${alert.why}; ${note}` }
}

export const ended = (incident: Incident, overAt: number, endedBy: string): Incident => ({
  ...incident,
  open: false,
  overAt,
  endedBy,
})

/** As JSON; a `Trouble` is plain data. */
export const writeIncident = (incident: Incident): Json => ({ ...incident })

/** an incident as it was stored; undefined when it cannot be one. */
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
