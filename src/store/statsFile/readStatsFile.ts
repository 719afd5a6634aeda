/** Reads an `apiStats.json` of any origin: written by keywise, by its predecessor, or by hand. */

import { asNumber, asRecord, asString } from '../../domain/json.ts'
import type { StatsError, StatsRow } from '../tally.ts'

export interface StatsFileContents {
  readonly rows: readonly StatsRow[]
  /** Top-level fields keywise does not own; they are preserved when the file is written. */
  readonly extra: Readonly<Record<string, unknown>>
  /** What was left out and where, for people; at most 50 entries. */
  readonly problems: readonly string[]
  /** The text is not a JSON object at all: none of it is usable, and it must not be overwritten. */
  readonly isCorrupted: boolean
}

const OURS = new Set(['lastUpdated', 'providers', 'rankings'])
const MAX_PROBLEMS = 50
/** Maximum length of a provider or model name that is accepted, and of an error text that is kept. */
const MAX_TEXT = 300
/** A month, longer than any plausible response time. */
const MAX_LATENCY_MS = 30 * 24 * 3_600_000

/** Never throws: implausible values are left out and named in `problems`. */
export function readStatsFile(text: string): StatsFileContents {
  const file = asRecord(parse(text))
  if (file === undefined) return { rows: [], extra: {}, problems: ['the file is not a JSON object'], isCorrupted: true }
  const problems = new Problems()
  const providers = problems.record(file['providers'], 'providers')
  const rows = Object.entries(providers ?? {}).flatMap(([name, entry]) => readKey(name, entry, problems))
  const extra = Object.fromEntries(Object.entries(file).filter(([name]) => !OURS.has(name)))
  return { rows, extra, problems: problems.list, isCorrupted: false }
}

function readKey(name: string, entry: unknown, problems: Problems): StatsRow[] {
  const path = `providers.${shown(name)}`
  const key = problems.record(entry, path)
  if (key === undefined) return []
  // `google_key2` names both where the fields are missing.
  const parts = /^(.{1,300})_key([1-9]\d{0,5})$/.exec(name)
  const provider = asString(key['provider']) ?? parts?.[1]
  const keyIndex = positiveInteger(key['keyIndex']) ?? positiveInteger(Number(parts?.[2]))
  if (provider === undefined || !isName(provider) || keyIndex === undefined) {
    problems.add(path, 'has no provider and key index; name it like "groq_key1"')
    return []
  }
  const lastTested = problems.time(key['lastTested'], `${path}.lastTested`)
  const models = problems.record(key['models'], `${path}.models`)
  return Object.entries(models ?? {}).flatMap(([model, entry]) => {
    const row = readModel(entry, `${path}.models.${shown(model)}`, problems)
    if (row === undefined || !isName(model)) return []
    return [{ provider, keyIndex, model, ...row, lastTested }]
  })
}

function readModel(
  entry: unknown,
  path: string,
  problems: Problems,
): Omit<StatsRow, 'provider' | 'keyIndex' | 'model' | 'lastTested'> | undefined {
  const model = problems.record(entry, path)
  if (model === undefined) return undefined
  const number = (name: string, max: number) => problems.number(model[name], `${path}.${name}`, max)
  const count = (name: string) => Math.floor(number(name, Number.MAX_SAFE_INTEGER) ?? 0)
  const successCount = count('successCount')
  const score = number('qualityScore', 1)
  // A score without a count was reported at least once.
  const qualityCount = score === undefined ? 0 : Math.max(1, count('qualityScoreCount'))
  return {
    successCount,
    failCount: count('failCount'),
    totalLatencyMs: (number('avgResponseTime', MAX_LATENCY_MS) ?? 0) * successCount,
    totalTokens: count('totalTokensUsed'),
    qualitySum: (score ?? 0) * qualityCount,
    qualityCount,
    lastSuccess: problems.time(model['lastSuccess'], `${path}.lastSuccess`),
    lastError: readError(model['lastError'], `${path}.lastError`, problems),
  }
}

/** An object, a plain string, or nothing. */
function readError(value: unknown, path: string, problems: Problems): StatsError | null {
  if (value === undefined || value === null || value === '') return null
  if (typeof value === 'string') return { at: null, message: value.slice(0, MAX_TEXT), status: null }
  const error = problems.record(value, path)
  if (error === undefined) return null
  return {
    at: problems.time(error['timestamp'], `${path}.timestamp`),
    message: (asString(error['error']) ?? '').slice(0, MAX_TEXT),
    status: problems.number(error['statusCode'], `${path}.statusCode`, 999) ?? null,
  }
}

/**
 * Checks values one by one and records those that are implausible. Null and absent mean "not stated", not a problem.
 */
class Problems {
  readonly list: string[] = []

  add(path: string, what: string): void {
    if (this.list.length < MAX_PROBLEMS) this.list.push(`${path} ${what}`)
  }

  record(value: unknown, path: string): Record<string, unknown> | undefined {
    const record = asRecord(value)
    if (record === undefined) this.add(path, 'is not an object; it was left out')
    return record
  }

  number(value: unknown, path: string, max: number): number | undefined {
    if (value === undefined || value === null) return undefined
    const number = asNumber(value)
    if (number !== undefined && number >= 0 && number <= max) return number
    this.add(path, `is not a number from 0 to ${max}; it was left out`)
    return undefined
  }

  time(value: unknown, path: string): number | null {
    if (value === undefined || value === null || value === '') return null
    const time = typeof value === 'string' ? Date.parse(value) : asNumber(value)
    // The range of a JavaScript date, from 1970 on.
    if (time !== undefined && time >= 0 && time <= 8.64e15) return Math.floor(time)
    this.add(path, 'is not a time; it was left out')
    return null
  }
}

function positiveInteger(value: unknown): number | undefined {
  const number = asNumber(value)
  return number !== undefined && Number.isSafeInteger(number) && number > 0 ? number : undefined
}

function isName(text: string): boolean {
  return text.length > 0 && text.length <= MAX_TEXT
}

function shown(name: string): string {
  return name.length > 80 ? `${name.slice(0, 80)}…` : name
}

function parse(text: string): unknown {
  try {
    // Editors on Windows write a byte order mark.
    return JSON.parse(text.replace(/^\uFEFF/, ''))
  } catch {
    return undefined
  }
}
