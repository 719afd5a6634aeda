/**
 * Changes that keep most of a value's structure: what a faulty program, a hostile one or a broken line makes of a valid
 * request, answer or file.
 */

import type { Random } from './driver.ts'

type Fields = Record<string, unknown>

const isRecord = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const STRINGS: readonly string[] = [
  '',
  ' ',
  '\0',
  'null',
  '0',
  '-1',
  'NaN',
  '\ud800',
  'a\udc00b',
  '\u202eevil',
  '\u001b]0;pwn\u0007',
  'line\r\nbreak',
  '\ufeff',
  '__proto__',
  'constructor',
  'toString',
  '../../etc/passwd',
  '%00%ff',
  '{"a":',
  '[DONE]',
  'data: x\n\n',
  'x'.repeat(300),
  '𝄞'.repeat(70),
  '/'.repeat(200),
  'data:image/png;base64,',
  'data:;base64,====',
  '2026-13-45T99:99:99Z',
  '9'.repeat(400),
  '1e999',
]

const NUMBERS: readonly number[] = [
  0,
  -0,
  -1,
  1,
  0.5,
  2,
  255,
  1e3,
  65_536,
  2 ** 31,
  2 ** 32,
  2 ** 53,
  -(2 ** 53),
  1e21,
  1e308,
  -1e308,
  5e-324,
  1e-250,
]

/** A value of any type that stands nowhere in the original. */
export function strangeValue(random: Random): unknown {
  switch (random.below(10)) {
    case 0:
      return null
    case 1:
      return random.chance(0.5)
    case 2:
    case 3:
      return random.of(NUMBERS)
    case 4:
    case 5:
      return random.of(STRINGS)
    case 6:
      return random.of<unknown>([[], [null], [[]], [[[[]]]], ['x', 1, {}]])
    case 7:
      return random.of<unknown>([
        {},
        { type: 'x' },
        { toString: 1 },
        { length: 3 },
        { length: { valueOf: 1, toString: 1 } },
        { text: null },
        JSON.parse('{"then":1}'),
      ])
    case 8:
      return nested(random.of([3, 20, 64, 65, 150]), random.chance(0.5))
    default:
      return Array.from({ length: random.of([2, 17, 129]) }, () => random.of([0, 'a', null, {}]))
  }
}

function nested(depth: number, inLists: boolean): unknown {
  let value: unknown = 'deep'
  for (let level = 0; level < depth; level++) value = inLists ? [value] : { a: value }
  return value
}

/** A place inside of a value: what holds it, and under which name or number. */
interface Place {
  readonly parent: unknown[] | Fields
  readonly key: string | number
}

const MOST_PLACES = 4_000

function placesIn(value: unknown): Place[] {
  const places: Place[] = []
  const open: unknown[] = [value]
  while (open.length > 0 && places.length < MOST_PLACES) {
    const parent = open.pop()
    if (Array.isArray(parent)) {
      for (let key = 0; key < parent.length; key++) places.push({ parent, key })
      open.push(...(parent as unknown[]))
    } else if (isRecord(parent)) {
      for (const key of Object.keys(parent)) places.push({ parent, key })
      open.push(...Object.values(parent))
    }
  }
  return places
}

const at = ({ parent, key }: Place): unknown => (parent as Fields)[key] // a list has its numbers as names

function put({ parent, key }: Place, value: unknown): void {
  Object.defineProperty(parent, key, { value, enumerable: true, configurable: true, writable: true })
}

function remove({ parent, key }: Place): void {
  if (Array.isArray(parent)) parent.splice(Number(key), 1)
  else delete parent[key]
}

/** A copy with up to `most` changes, most often one or two; sometimes none. */
export function mutated(value: unknown, random: Random, most = 5): unknown {
  let copy = copyOf(value)
  for (let changes = random.size(most + 1); changes > 0; changes--) copy = change(copy, random)
  return copy
}

/** Unlike structuredClone, it keeps a name such as `__proto__` a name. */
export function copyOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(copyOf)
  if (!isRecord(value)) return value
  const copy: Fields = {}
  for (const [key, field] of Object.entries(value)) put({ parent: copy, key }, copyOf(field))
  return copy
}

function change(value: unknown, random: Random): unknown {
  const places = placesIn(value)
  if (places.length === 0) return strangeValue(random)
  const place = random.of(places)
  const { parent } = place
  switch (random.below(14)) {
    case 0:
    case 1:
      remove(place)
      break
    case 2:
    case 3:
    case 4:
      put(place, strangeValue(random))
      break
    case 5:
      // The value of another field: a string where a list stood, a part of another kind.
      put(place, copyOf(at(random.of(places))))
      break
    case 6:
      swap(place, random.of(places))
      break
    case 7:
      if (Array.isArray(parent)) parent.splice(Number(place.key), 0, copyOf(at(place)))
      else put({ parent, key: random.of(NAMES) }, at(place))
      break
    case 8:
      put(place, [at(place)])
      break
    case 9:
      put(place, { [random.of(NAMES)]: at(place) })
      break
    case 10:
      put(place, textOf(at(place), random))
      break
    case 11:
      if (Array.isArray(parent)) parent.reverse()
      else rename(place, random)
      break
    case 12:
      put(place, ofOtherType(at(place)))
      break
    default:
      if (Array.isArray(parent)) parent.push(...Array.from({ length: random.of([1, 5, 40]) }, () => copyOf(at(place))))
      else put({ parent, key: random.of(NAMES) }, strangeValue(random))
  }
  return value
}

/** Names that mean something to somebody. */
const NAMES = [
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'toJSON',
  'rawJSON',
  'length',
  'type',
  'id',
  'text',
  'content',
  'role',
  'name',
  'model',
  'error',
  'index',
  'stream',
  '0',
  '',
  'Type',
  'a.b',
  'x'.repeat(200),
] as const

function swap(one: Place, other: Place): void {
  const [first, second] = [copyOf(at(one)), copyOf(at(other))]
  put(one, second)
  put(other, first)
}

function rename(place: Place, random: Random): void {
  const value = at(place)
  const { parent, key } = place
  remove(place)
  const name = String(key)
  const other = random.of([name.toUpperCase(), `${name} `, name.slice(1), name.replace(/_(.)/, '$1'), random.of(NAMES)])
  put({ parent, key: other }, value)
}

function textOf(value: unknown, random: Random): unknown {
  if (typeof value !== 'string') return JSON.stringify(value) ?? 'undefined'
  const cut = random.below(value.length + 1)
  return random.of([
    value.slice(0, cut),
    value.slice(0, cut) + random.of(STRINGS) + value.slice(cut),
    value + value,
    value.toUpperCase(),
    value.repeat(random.of([2, 30])),
    value.split('').reverse().join(''),
  ])
}

function ofOtherType(value: unknown): unknown {
  if (typeof value === 'string') return Number.isFinite(Number(value)) ? Number(value) : [value]
  if (typeof value === 'number') return String(value)
  if (typeof value === 'boolean') return value ? 'true' : 0
  if (Array.isArray(value)) return { ...value }
  return isRecord(value) ? Object.values(value) : {}
}

/** JSON text of the value, and in one of `1 / broken` cases no longer JSON or no longer the same. */
export function mutatedText(value: unknown, random: Random, broken = 0.25): string {
  const text = JSON.stringify(value) ?? 'null'
  return random.chance(broken) ? brokenText(text, random) : text
}

function brokenText(text: string, random: Random): string {
  const cut = random.below(text.length + 1)
  switch (random.below(10)) {
    case 0:
      return text.slice(0, cut)
    case 1:
      return text + text
    case 2:
      return `${text.slice(0, cut)}${random.of([',', ':', '"', '{', '}', '[', ']', '\\', '\n', '\0', '//', '/*'])}${text.slice(cut)}`
    case 3:
      return text.slice(0, cut) + text.slice(Math.min(text.length, cut + 1 + random.below(8)))
    case 4:
      // A name twice: the last one counts for JSON.parse, the first for others.
      return text.replace(
        /\{"((?:[^"\\]|\\.)*)":/,
        (all, name) => `{"${name}":${random.of(['null', '1', '{}'])},${all.slice(1)}`,
      )
    case 5:
      return text.replaceAll(
        /:(-?\d+)/g,
        () => `:${random.of(['1e999', '-1e999', '9'.repeat(40), '0.10', '1e-400', '-0'])}`,
      )
    case 6:
      return `\ufeff${text}`
    case 7:
      return text.replace(/"/g, random.of(["'", '\u201c', '"']))
    case 8:
      return random.of(['[', '{"a":']).repeat(random.of([10, 150, 210, 2_000])) + text
    default:
      return random.of(['', ' ', 'null', '[]', '""', '0', '{}', 'true', '<html><title>502</title></html>'])
  }
}

/** The bytes of a text, in one of four cases no longer all UTF-8, or cut. */
export function mutatedBytes(text: string, random: Random): Buffer {
  const bytes = Buffer.from(text)
  if (bytes.length === 0 || !random.chance(0.25)) return bytes
  for (let changes = 1 + random.below(4); changes > 0; changes--)
    bytes[random.below(bytes.length)] = random.of([0, 0x0a, 0x0d, 0x20, 0x22, 0x80, 0xc3, 0xe2, 0xed, 0xf0, 0xfe, 0xff])
  return random.chance(0.3) ? bytes.subarray(0, random.below(bytes.length + 1)) : bytes
}

/** A list of which items are dropped, doubled, swapped, moved, or changed by `changeItem`. */
export function mutatedList<T>(items: readonly T[], random: Random, changeItem: (item: T) => T): T[] {
  const copy = [...items]
  for (let changes = random.size(5); changes > 0 && copy.length > 0; changes--) {
    const [from, to] = [random.below(copy.length), random.below(copy.length)]
    const [item, other] = [copy[from] as T, copy[to] as T] // below the length
    switch (random.below(7)) {
      case 0:
        copy.splice(from, 1)
        break
      case 1:
        copy.splice(to, 0, item)
        break
      case 2:
        copy[from] = other
        copy[to] = item
        break
      case 3:
        copy.splice(to, 0, ...copy.splice(from, 1))
        break
      case 4:
        copy.length = from
        break
      default:
        copy[from] = changeItem(item)
    }
  }
  return copy
}

/** Where to cut `length` bytes: nowhere, at every byte of a short one, or at random. */
export function cutsOf(length: number, random: Random): number[] {
  if (random.chance(0.2)) return []
  if (length < 400 && random.chance(0.1)) return Array.from({ length }, (_, index) => index + 1)
  const cuts = Array.from({ length: 1 + random.below(6) }, () => random.below(length + 1))
  return [...new Set(cuts)].sort((a, b) => a - b)
}

/** Copies with something taken away: whole branches first, then single fields, then what is simpler. */
export function* smallerValues(value: unknown): Generator<unknown> {
  if (typeof value === 'string') {
    if (value.length > 1) yield value.slice(0, value.length >> 1)
    if (value.length > 0) yield value.slice(1)
    return
  }
  const isList = Array.isArray(value)
  if (!isList && !isRecord(value)) return
  const places = isList ? value.map((_, key) => ({ key })) : Object.keys(value).map((key) => ({ key }))
  if (isList && value.length > 3) {
    yield value.slice(0, value.length >> 1)
    yield value.slice(value.length >> 1)
  }
  for (const { key } of places) {
    const copy = copyOf(value) as unknown[] | Fields // of a list or a record
    remove({ parent: copy, key })
    yield copy
  }
  for (const { key } of places) {
    const field = (value as Fields)[key] // its own name
    for (const smaller of smallerValues(field)) {
      const copy = copyOf(value) as unknown[] | Fields // of a list or a record
      put({ parent: copy, key }, smaller)
      yield copy
    }
  }
}

/** Texts with something taken away. */
export function* smallerTexts(text: string): Generator<string> {
  for (let size = text.length >> 1; size > 0; size >>= 1) {
    for (let from = 0; from < text.length; from += size) yield text.slice(0, from) + text.slice(from + size)
    if (text.length / size > 64) break
  }
  if (text.length <= 64) for (let at = 0; at < text.length; at++) yield text.slice(0, at) + text.slice(at + 1)
}

/** Lists with items taken away. */
export function* smallerLists<T>(items: readonly T[]): Generator<T[]> {
  for (let size = items.length >> 1; size > 0; size >>= 1)
    for (let from = 0; from < items.length; from += size) yield [...items.slice(0, from), ...items.slice(from + size)]
  if (items.length === 1) yield []
}
