/** From the text of a facts file to its facts; says of each that is wrong where it stands and what is wrong. */

import { createHash } from 'node:crypto'
import type { z } from 'zod'
import { ConfigError } from '../../domain/errors.ts'
import { asArray, asNumber, asRecord } from '../../domain/json.ts'
import { findProvider } from '../../providers/catalog.ts'
import { showName } from '../showPath.ts'
import { day, FACT_KINDS, FACTS_VERSION, type Fact, MOST_FACTS, MOST_FACTS_BYTES } from './factSchema.ts'
import { factKeys } from './factWords.ts'

/** The facts of a file. */
interface FactSet {
  /** ISO date. */
  readonly published: string
  readonly facts: readonly Fact[]
  /** Facts that were left out, and why, one sentence each; not those of unknown providers. */
  readonly skipped: readonly string[]
}

const DAY_MS = 86_400_000
/** More wrong facts are only counted. */
const MOST_SHOWN = 10
/** Nobody knows for longer that a fact stays true. */
const MOST_YEARS = 5

/** `sha256:` and 64 hex digits, of the bytes as they were read. */
export function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`
}

/**
 * The facts of a file; `name` is the file's name in messages, `now` epoch milliseconds. Facts of unknown kinds and with
 * unknown fields are left out, because a later version may have them. Throws ConfigError for anything that is wrong.
 */
export function readFacts(bytes: Uint8Array, name: string, now: number): FactSet {
  const fail = (message: string) => new ConfigError(`${name}: ${message}`)
  if (bytes.length > MOST_FACTS_BYTES) throw fail('is larger than 8 MiB; is it a facts file?')
  const value = asRecord(parse(bytes, fail))
  if (value === undefined || !('keywise_facts' in value))
    throw fail('is not a facts file: it has no "keywise_facts"; docs/facts.md shows one')
  const version = asNumber(value['keywise_facts'])
  if (version === undefined) throw fail(`"keywise_facts" must be a number; this keywise reads ${FACTS_VERSION}`)
  if (version !== FACTS_VERSION) throw fail(`has version ${version} of the format; this keywise reads ${FACTS_VERSION}`)
  const published = day.safeParse(value['published'])
  if (!published.success) throw fail(`"published" ${wordingOf(published.error)}`)
  if (isAhead(published.data, now)) throw fail(`"published" is in the future (${published.data})`)
  const list = asArray(value['facts'])
  if (list === undefined) throw fail('"facts" must be a list')
  if (list.length > MOST_FACTS) throw fail(`has ${list.length} facts; at most ${MOST_FACTS} are read`)
  return { published: published.data, ...readAll(list, now, fail) }
}

type Fail = (message: string) => ConfigError

function parse(bytes: Uint8Array, fail: Fail): unknown {
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw fail('is not UTF-8 text')
  }
  try {
    return JSON.parse(text)
  } catch {
    throw fail('is not JSON')
  }
}

function readAll(list: readonly unknown[], now: number, fail: Fail): Pick<FactSet, 'facts' | 'skipped'> {
  const facts: Fact[] = []
  const skipped: string[] = []
  const wrong: string[] = []
  const placeOf = new Map<string, number>()
  list.forEach((item, index) => {
    const read = readOne(item, now)
    if ('wrong' in read) wrong.push(`facts[${index}]${read.wrong}`)
    else if ('skipped' in read) skipped.push(`facts[${index}] is left out: ${read.skipped}`)
    else {
      for (const key of factKeys(read.fact)) {
        const before = placeOf.get(key)
        if (before !== undefined) wrong.push(`facts[${index}] is about the same as facts[${before}]; keep one`)
        placeOf.set(key, index)
      }
      facts.push(read.fact)
    }
  })
  if (wrong.length === 0) return { facts, skipped }
  const more = wrong.length > MOST_SHOWN ? `\n  and ${wrong.length - MOST_SHOWN} more` : ''
  const shown = wrong.slice(0, MOST_SHOWN)
  throw fail(shown.length === 1 ? `${shown[0]}` : `\n  ${shown.join('\n  ')}${more}`)
}

type ReadFact = { readonly fact: Fact } | { readonly skipped: string } | { readonly wrong: string }

function readOne(item: unknown, now: number): ReadFact {
  const record = asRecord(item)
  const kind = record?.['kind']
  if (record === undefined || typeof kind !== 'string') return { wrong: ' must be an object with a "kind"' }
  if (!Object.hasOwn(FACT_KINDS, kind)) return { skipped: `this keywise knows no kind "${showName(kind)}"` }
  const result = tried(FACT_KINDS[kind as keyof typeof FACT_KINDS], record) // one of its keys, just checked
  if (result === null) return { wrong: ' holds an object where a text or a list belongs' }
  if (!result.success) return explained(result.error)
  const fact: Fact = { ...result.data, provider: canonical(result.data.provider) }
  const when = wrongDates(fact, now)
  return when === null ? { fact } : { wrong: when }
}

/** zod compares the `length` of whatever has one, and throws where that cannot be a number. */
function tried<S extends z.ZodType>(schema: S, record: unknown) {
  try {
    return schema.safeParse(record)
  } catch {
    return null
  }
}

/** An unknown field may change what the fact says, so that it is worth nothing without it. */
function explained(error: z.core.$ZodError): ReadFact {
  const issue = error.issues.find(({ code }) => code !== 'unrecognized_keys')
  if (issue !== undefined) return { wrong: `${pathOf(issue.path)} ${wording(issue)}` }
  const names = error.issues.flatMap((one) => (one.code === 'unrecognized_keys' ? one.keys : []))
  return { skipped: `this keywise does not know its field ${names.map((name) => `"${showName(name)}"`).join(', ')}` }
}

const pathOf = (path: readonly PropertyKey[]) => path.map((part) => `.${showName(String(part))}`).join('')

const wordingOf = (error: z.core.$ZodError) => (error.issues[0] === undefined ? 'is wrong' : wording(error.issues[0]))

function wording(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_type' && issue.message.endsWith('received undefined')) return 'is missing'
  const text = issue.message.replace(/^Invalid (?:input|option): /, '')
  return /^(?:expected|Too |Invalid)/.test(text) ? `is wrong: ${text}` : text
}

/** A clock of another time zone may be a day ahead. */
const isAhead = (date: string, now: number) => date > new Date(now + DAY_MS).toISOString().slice(0, 10)

function wrongDates({ checked, asOfAfter }: Fact, now: number): string | null {
  if (isAhead(checked, now)) return `.checked is in the future (${checked})`
  if (asOfAfter < checked) return `.as_of_after (${asOfAfter}) is before .checked (${checked})`
  const latest = `${String(Number(checked.slice(0, 4)) + MOST_YEARS).padStart(4, '0')}${checked.slice(4)}`
  return asOfAfter > latest ? `.as_of_after (${asOfAfter}) is more than ${MOST_YEARS} years after .checked` : null
}

/** `gemini` is `google`. */
function canonical(provider: string): string {
  return findProvider(provider)?.id ?? provider
}
