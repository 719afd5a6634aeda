/** Takes the usage event out of a piece of an OpenAI stream, for clients that did not ask for it. */

const EVENT_END = /\r?\n\r?\n/

/** The bytes without events whose `choices` are empty. `piece` begins at the start of an event. */
export function withoutUsage(piece: Buffer): Buffer {
  if (!piece.includes('"choices":[]') && !piece.includes('"choices": []')) return piece
  const events = piece.toString('utf8').split(EVENT_END)
  const rest = events.pop() ?? ''
  const kept = events.filter((event) => !/"choices":\s*\[\]/.test(event) || !event.includes('"usage"'))
  return Buffer.from(kept.map((event) => `${event}\n\n`).join('') + rest)
}
