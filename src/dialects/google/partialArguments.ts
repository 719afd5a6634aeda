/**
 * Arguments that Vertex streams as (JSON path, value) pairs:
 * https://cloud.google.com/vertex-ai/generative-ai/docs/multimodal/function-calling
 */

import { asArray, asRecord, asString } from '../../domain/json.ts'
import { present } from '../../domain/present.ts'
import { objectToText } from '../fields/toolArguments.ts'
import { field } from './field.ts'

type Key = string | number
type Container = Record<string, unknown> | unknown[]

// Deeper than any tool's arguments, shallower than what overflows the stack of JSON.stringify.
const MAX_DEPTH = 64
/** `.name`, `[0]`, `['name']` or `["name"]`, one after the other. */
const STEP = /\.([^.[\]]+)|\[(\d{1,6})\]|\['([^']*)'\]|\["([^"]*)"\]/y

/** Objects without a prototype: a path may name `__proto__`, and then it is a key like any other. */
function newObject(): Record<string, unknown> {
  return Object.create(null)
}

export class PartialArguments {
  /** What came whole; an object is also the root, to which pieces are added. */
  readonly #whole: unknown
  readonly #root: Record<string, unknown> = newObject()
  /** The path whose string the next piece continues. */
  #openPath: string | undefined

  /** Begins with what came whole. */
  constructor(args: unknown) {
    this.#whole = args
    for (const [name, value] of Object.entries(asRecord(args) ?? {})) this.#root[name] = value
  }

  add(pieces: unknown): void {
    for (const raw of asArray(pieces) ?? []) {
      const piece = asRecord(raw)
      const path = asString(field(piece, 'jsonPath', 'json_path'))
      if (piece && path !== undefined) this.#set(path, piece)
    }
  }

  /** The arguments as JSON text. */
  text(): string {
    return objectToText(Object.keys(this.#root).length === 0 ? this.#whole : this.#root)
  }

  #set(path: string, piece: Record<string, unknown>): void {
    const value = valueIn(piece)
    const keys = parsePath(path)
    if (value === undefined || !keys) return
    const goesOn = this.#openPath === path
    this.#openPath = field(piece, 'willContinue', 'will_continue') === true ? path : undefined
    put(this.#root, keys, (before) =>
      goesOn && typeof before === 'string' && typeof value === 'string' ? before + value : value,
    )
  }
}

function valueIn(piece: Record<string, unknown>): unknown {
  if (field(piece, 'nullValue', 'null_value') !== undefined) return null
  return (
    field(piece, 'stringValue', 'string_value') ??
    field(piece, 'numberValue', 'number_value') ??
    field(piece, 'boolValue', 'bool_value')
  )
}

/** Undefined for a path that is none. */
function parsePath(path: string): readonly Key[] | undefined {
  if (!path.startsWith('$')) return undefined
  const keys: Key[] = []
  STEP.lastIndex = 1
  while (STEP.lastIndex < path.length) {
    const match = STEP.exec(path)
    if (!match || keys.length === MAX_DEPTH) return undefined
    keys.push(match[2] === undefined ? (match[1] ?? match[3] ?? match[4] ?? '') : Number(match[2]))
  }
  return keys.length > 0 ? keys : undefined
}

function put(root: Container, keys: readonly Key[], change: (before: unknown) => unknown): void {
  let node = root
  for (const [step, key] of keys.slice(0, -1).entries()) {
    const place = placeIn(node, key)
    let child = read(node, place)
    if (!isContainer(child)) {
      child = typeof keys[step + 1] === 'number' ? [] : newObject()
      write(node, place, child)
    }
    node = child as Container // just made or checked
  }
  const place = placeIn(node, present(keys.at(-1)))
  write(node, place, change(read(node, place)))
}

/** An index beyond the end means the end: a list has no holes, and a hostile index makes no giant. */
function placeIn(node: Container, key: Key): Key {
  return Array.isArray(node) ? Math.min(Number(key) || 0, node.length) : String(key)
}

function isContainer(value: unknown): value is Container {
  return Array.isArray(value) || asRecord(value) !== undefined
}

function read(node: Container, place: Key): unknown {
  return Object.hasOwn(node, place) ? (node as Record<Key, unknown>)[place] : undefined // a list is indexed alike
}

function write(node: Container, place: Key, value: unknown): void {
  // What came whole has a prototype, so `__proto__` must not be assigned there.
  Object.defineProperty(node, place, { value, writable: true, enumerable: true, configurable: true })
}
