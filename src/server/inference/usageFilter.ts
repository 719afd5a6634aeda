/**
 * Usage in a stream of chat chunks that is passed on as bytes. keywise asks the upstream for it; a client that did not
 * gets the stream that it would have got.
 */

/** Changes whole events. */
export interface UsageFilter {
  pass(events: Buffer): Buffer
  /** What is still held when the stream has ended well. */
  end(): Buffer
}

const EMPTY = Buffer.alloc(0)
const EVENT = /[\s\S]*?(?:\r\n\r\n|\n\n|\r\r)/g

/**
 * In every chunk before the last, wherever usage was asked for: https://platform.openai.com/docs/api-reference/chat-streaming
 * Inside a text these quotes are escaped, so that the bytes are a field of the chunk.
 */
const NULLS = [',"usage":null', ', "usage": null', ',"usage": null', '"usage":null,', '"usage": null, '].map((text) =>
  Buffer.from(text),
)

/** Without any usage. */
export const withoutUsage: UsageFilter = {
  pass: (events) => withoutUsageEvent(withoutNulls(events)),
  end: () => EMPTY,
}

/** With the usage in the chunk that has the finish reason, in which it comes by itself from some upstreams. */
export class UsageInFinish implements UsageFilter {
  #finish: string | null = null

  pass(events: Buffer): Buffer {
    let passed = ''
    for (const event of eventsIn(withoutNulls(events))) passed += this.#passOne(event)
    return Buffer.from(passed)
  }

  end(): Buffer {
    return Buffer.from(this.#take())
  }

  #passOne(event: string): string {
    const finish = this.#take()
    if (isUsageEvent(event)) return finish === '' ? '' : withUsage(finish, event)
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

function withoutNulls(events: Buffer): Buffer {
  if (!events.includes('"usage"')) return events
  let rest = events
  for (const field of NULLS) if (rest.includes(field)) rest = without(rest, field)
  return rest
}

function without(bytes: Buffer, piece: Buffer): Buffer {
  const kept: Buffer[] = []
  let from = 0
  for (let at = bytes.indexOf(piece); at >= 0; at = bytes.indexOf(piece, from)) {
    kept.push(bytes.subarray(from, at))
    from = at + piece.length
  }
  return Buffer.concat([...kept, bytes.subarray(from)])
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

function withUsage(finish: string, event: string): string {
  try {
    const chunk = { ...dataOf(finish), usage: dataOf(event)['usage'] }
    return `data: ${JSON.stringify(chunk)}\n\n`
  } catch {
    return finish // an event in a form that is not OpenAI's: the answer is worth more than its usage
  }
}

function dataOf(event: string): Record<string, unknown> {
  return JSON.parse(event.slice(event.indexOf('{'))) as Record<string, unknown> // spread into another object
}
