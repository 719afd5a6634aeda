/** Masks a key that is in pieces in the texts of several events. */

import { CONTENT } from './contentFields.ts'
import { type Place, placesOf } from './keyPlaces.ts'

const MASK = Buffer.from('…')

/** A field with a text, as JSON has it. */
const FIELD = /"(\w{1,30})"\s*:\s*"((?:[^"\\]|\\.)*)"/g

/** First and behind the last byte of a part of a place. */
interface Range {
  readonly start: number
  readonly end: number
  readonly place: Place
}

/**
 * `waiting` without the key, null where it is not found. `before`: what has gone of the event that it goes on with.
 * `begun`: so many characters of the key have gone.
 */
export function maskContent(before: Buffer, waiting: Buffer, key: string, begun: number): Buffer | null {
  const all = before.length === 0 ? waiting : Buffer.concat([before, waiting])
  const fields = new Map<string, { text: string; parts: [place: number, byte: number][] }>()
  // Each character is a byte.
  for (const { 0: whole, 1: name = '', 2: value = '', index } of all.toString('latin1').matchAll(FIELD)) {
    if (!CONTENT.has(name)) continue
    const field = fields.get(name) ?? { text: '', parts: [] }
    fields.set(name, field)
    const start = index + whole.length - 1 - value.length
    field.parts.push([field.text.length, start])
    field.text += value
  }
  const ranges = [...fields.values()].flatMap(({ text, parts }) =>
    placesOf(key, text, begun).flatMap((place) => rangesOf(place, parts, text.length)),
  )
  const hidden = ranges.filter(({ end }) => end > before.length)
  return hidden.length === 0 ? null : without(all, hidden, before.length)
}

/** The bytes of a place in a text that is made of parts. */
function rangesOf(place: Place, parts: readonly (readonly [place: number, byte: number])[], length: number): Range[] {
  return parts.flatMap(([from, byte], index) => {
    const until = parts[index + 1]?.[0] ?? length
    const [first, last] = [Math.max(place[0], from), Math.min(place[1], until)]
    return first < last ? [{ start: byte + first - from, end: byte + last - from, place }] : []
  })
}

/** With a mask where each place begins, or where what is left of it does. */
function without(all: Buffer, ranges: readonly Range[], from: number): Buffer {
  const kept: Buffer[] = []
  const masked = new Set<Place>()
  let at = from
  for (const { start, end, place } of ranges.toSorted((one, other) => one.start - other.start)) {
    kept.push(all.subarray(at, Math.max(at, start)))
    if (!masked.has(place)) kept.push(MASK)
    masked.add(place)
    at = Math.max(at, end)
  }
  return Buffer.concat([...kept, all.subarray(at)])
}
