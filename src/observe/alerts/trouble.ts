/** A trouble as it is remembered in the store: one document per cause, whichever process saw it first. Pure. */

import { asArray, asNumber, asRecord, asString, type Json } from '../../domain/json.ts'
import { type Alert, readAlert } from './alert.ts'

/** `folded`: part of a greater trouble that was told. `muted`: told too often of late. */
export type Told = 'told' | 'folded' | 'muted'

export interface Trouble {
  /** The same for everybody who sees the same trouble. */
  readonly key: string
  readonly alert: Alert
  readonly open: boolean
  readonly told: Told
  /** Epoch milliseconds at which it ends by itself (a budget's period); null when only something that happens ends it. */
  readonly until: number | null
  readonly overAt: number | null
  /** The alert that ended it, to know whose word it was. */
  readonly endedBy: string | null
  /** When it was told of late. */
  readonly times: readonly number[]
}

const HOUR_MS = 3_600_000
/** A trouble that comes and goes is told so often within an hour, and then not until that hour is over. */
const MOST_PER_HOUR = 3

export const isOpen = (trouble: Trouble | undefined, now: number): trouble is Trouble =>
  trouble?.open === true && (trouble.until === null || now < trouble.until)

/** The trouble begins (again). */
export function begun(
  known: Trouble | undefined,
  news: { readonly key: string; readonly alert: Alert; readonly until: number | null; readonly folded: boolean },
): Trouble {
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

export const ended = (trouble: Trouble, overAt: number, endedBy: string): Trouble => ({
  ...trouble,
  open: false,
  overAt,
  endedBy,
})

/** As JSON; a `Trouble` is plain data. */
export const writeTrouble = (trouble: Trouble): Json => ({ ...trouble })

/** A trouble as it was stored; undefined when it cannot be one. */
export function readTrouble(value: unknown): Trouble | undefined {
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
