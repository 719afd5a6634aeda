/**
 * Usage in a stream of chat chunks that is passed on as bytes. keywise asks the upstream for it; a client that did not
 * gets the stream that it would have got.
 */

import { asRecord } from '../../domain/json.ts'

/** Changes whole events. */
export interface UsageFilter {
  pass(events: Buffer): Buffer
  /** What is still held when the stream has ended well. */
  end(): Buffer
}

const EMPTY = Buffer.alloc(0)
const EVENT = /[\s\S]*?(?:\r\n\r\n|\n\n|\r\r)/g

const USAGE = Buffer.from('"usage"')
const NULL = Buffer.from('null')
const [SPACE, COMMA, COLON] = Buffer.from(' ,:')

/** Without any usage. */
export const withoutUsage: UsageFilter = {
  pass: (events) => {
    const { rest, hasUsage } = withoutNulls(events)
    return hasUsage ? withoutUsageEvent(rest) : rest
  },
  end: () => EMPTY,
}

/** With the usage in the chunk that has the finish reason, in which it comes by itself from some upstreams. */
export class UsageInFinish implements UsageFilter {
  readonly #names: readonly string[]
  #finish: string | null = null

  /** `names` lead to the field for it. */
  constructor(names: readonly string[]) {
    this.#names = names
  }

  pass(events: Buffer): Buffer {
    let passed = ''
    for (const event of eventsIn(withoutNulls(events).rest)) passed += this.#passOne(event)
    return Buffer.from(passed)
  }

  end(): Buffer {
    return Buffer.from(this.#take())
  }

  #passOne(event: string): string {
    const finish = this.#take()
    if (isUsageEvent(event)) return finish === '' ? '' : withUsage(finish, event, this.#names)
    if (!/"finish_reason": ?"/.test(event) || /"usage": ?\{/.test(event)) return finish + event
    this.#finish = event
    return finish
  }

  #take(): string {
    const finish = this.#finish ?? ''
    this.#finish = null
    return finish
  }
}

/**
 * Every chunk before the last has a null where usage was asked for:
 * https://platform.openai.com/docs/api-reference/chat-streaming. Inside a text these quotes are escaped, so that the bytes
 * are a field. `hasUsage`: there is one that is no null.
 */
function withoutNulls(events: Buffer): { readonly rest: Buffer; readonly hasUsage: boolean } {
  const kept: Buffer[] = []
  let from = 0
  let hasUsage = false
  for (let at = events.indexOf(USAGE); at >= 0; at = events.indexOf(USAGE, at + USAGE.length)) {
    const value = valueAt(events, at + USAGE.length)
    if (events.subarray(value, value + NULL.length).equals(NULL)) {
      const [start, end] = fieldAround(events, at, value + NULL.length)
      kept.push(events.subarray(from, start))
      from = end
    } else hasUsage = true
  }
  return { rest: from === 0 ? events : Buffer.concat([...kept, events.subarray(from)]), hasUsage }
}

function valueAt(bytes: Buffer, at: number): number {
  let value = at
  while (bytes[value] === COLON || bytes[value] === SPACE) value++
  return value
}

/** With the comma before it; the first field of an object has it behind. */
function fieldAround(bytes: Buffer, at: number, end: number): readonly [number, number] {
  let before = at - 1
  while (bytes[before] === SPACE) before--
  if (bytes[before] === COMMA) return [before, end]
  let behind = end
  while (bytes[behind] === SPACE || bytes[behind] === COMMA) behind++
  return [at, behind]
}

/** Only the event that nothing but usage is in: Azure's first chunk has no choice either. */
function withoutUsageEvent(events: Buffer): Buffer {
  if (!events.includes('"choices":[]') && !events.includes('"choices": []')) return events
  const kept = eventsIn(events).filter((event) => !isUsageEvent(event))
  return Buffer.from(kept.join(''))
}

const eventsIn = (events: Buffer): readonly string[] => events.toString('utf8').match(EVENT) ?? []

function isUsageEvent(event: string): boolean {
  return /"choices": ?\[\]/.test(event) && /"usage": ?\{/.test(event)
}

function withUsage(finish: string, event: string, names: readonly string[]): string {
  try {
    const chunk = withField(dataOf(finish), names, dataOf(event)['usage'])
    return `data: ${JSON.stringify(chunk)}\n\n`
  } catch {
    return finish // an event in a form that is not OpenAI's: the answer is worth more than its usage
  }
}

function withField(fields: Fields, [name = '', ...rest]: readonly string[], value: unknown): Fields {
  return { ...fields, [name]: rest.length === 0 ? value : withField(asRecord(fields[name]) ?? {}, rest, value) }
}

type Fields = Record<string, unknown>

function dataOf(event: string): Fields {
  return JSON.parse(event.slice(event.indexOf('{'))) as Fields // spread into another object
}
