/** A configuration as it was written: its value, and where in the file each part of it stands. */

import { readFileSync, statSync } from 'node:fs'
import { dirname, isAbsolute, relative, resolve } from 'node:path'
import {
  createScanner,
  findNodeAtLocation,
  type Node,
  type ParseError,
  parseTree,
  printParseErrorCode,
} from 'jsonc-parser'
import { ConfigError } from '../domain/errors.ts'
import { asArray, asRecord } from '../domain/json.ts'
import { redactShapes } from '../domain/redact.ts'

export type Path = readonly (string | number)[]

export interface ConfigDocument {
  /** Absolute; null when the configuration was handed over as an object. */
  readonly file: string | null
  /** How messages call it: `config/api-keys.json`, or `config` for an object. */
  readonly name: string
  /** Against which `file:` values are resolved. */
  readonly folder: string
  /** A copy of our own; its objects have no prototype. */
  readonly value: Record<string, unknown>
  /** 1-based line and column of the part at `path`, or of what is nearest above it. */
  position(path: Path): Position | null
}

export interface Position {
  readonly line: number
  readonly column: number
}

const MOST_BYTES = 4 * 1024 * 1024
const MOST_DEPTH = 64
/** Would reach the prototype of an object that is filled by name. */
const REFUSED_NAMES = new Set(['__proto__', 'constructor', 'prototype'])

/** Reads and parses a file of JSON with comments; ConfigError says what is wrong with it, and where. */
export function readDocument(file: string, cwd: string): ConfigDocument {
  const path = resolve(cwd, file)
  const inside = relative(cwd, path)
  const name = inside.startsWith('..') || isAbsolute(inside) ? path : inside.replaceAll('\\', '/')
  return parseDocument(readText(path, name), { file: path, name })
}

/** Parses the text of a file; `name` is what messages call it. */
export function parseDocument(text: string, from: { readonly file: string; readonly name: string }): ConfigDocument {
  const fail = failure(from, text)
  checkDepth(text, fail)
  const errors: ParseError[] = []
  const tree = parseTree(text, errors, { allowTrailingComma: true })
  const first = errors[0]
  if (first) {
    const what = first.offset >= text.trimEnd().length ? 'the file ends too early' : explain(first)
    throw fail(first.offset, `${what}; correct it here or restore the file`)
  }
  if (!tree) throw fail(0, 'the file is empty; put at least { "groq": { "api_key": "..." } } into it')
  const value = asRecord(plainValue(tree, fail))
  if (!value) throw fail(tree.offset, 'must hold an object in braces: { "groq": { "api_key": "..." } }')
  return {
    ...from,
    folder: dirname(from.file),
    value,
    position: (path) => positionAt(text, nodeNear(tree, path).offset),
  }
}

/** The document of a configuration that a program hands over as an object. */
export function documentOf(config: unknown, cwd: string): ConfigDocument {
  const value = asRecord(copyOf(config, [], 0))
  if (!value) throw new ConfigError('config: must be an object such as { groq: { api_key: "..." } }')
  return { file: null, name: 'config', folder: cwd, value, position: () => null }
}

/** The error of one part: `config/api-keys.json:12:5: "groq.api_keys[1]" is empty; remove it or paste a key`. */
export function complain(document: ConfigDocument, path: Path, message: string): ConfigError {
  const position = document.position(path)
  const facts = { file: document.file, path: path.length === 0 ? null : showPath(path), ...position }
  return new ConfigError(`${placeOf(document, path)} ${message}`, facts)
}

/** Most remarks that are collected; a file of a thousand mistakes is not read to its end by anybody. */
const MOST_REMARKS = 50

/** What a person should know about a configuration that can be used all the same. */
export class Remarks {
  readonly document: ConfigDocument
  readonly #said = new Set<string>()
  #left = 0

  constructor(document: ConfigDocument) {
    this.document = document
  }

  /** Remembers a remark about one part, once. */
  add(path: Path, message: string): void {
    // Finding the place reads the file up to it, so it is not done for what nobody will see.
    if (this.#said.size >= MOST_REMARKS) this.#left++
    else this.addText(`${placeOf(this.document, path)} ${message}`)
  }

  /** Remembers a remark that names its own place. */
  addText(text: string): void {
    this.#said.add(text)
  }

  list(): readonly string[] {
    return this.#left === 0 ? [...this.#said] : [...this.#said, `${this.document.name}: and ${this.#left} more remarks`]
  }
}

function placeOf(document: ConfigDocument, path: Path): string {
  const position = document.position(path)
  const at = position === null ? '' : `:${position.line}:${position.column}`
  return path.length === 0 ? `${document.name}${at}:` : `${document.name}${at}: "${showPath(path)}"`
}

/** `groq.api_keys[1].key`; names that look like secrets are masked. */
export function showPath(path: Path): string {
  return path
    .map((part, index) => {
      if (typeof part === 'number') return `[${part}]`
      const shown = showName(part)
      return index === 0 ? shown : `.${shown}`
    })
    .join('')
}

/** A name as it may stand in a message: a key pasted in the wrong place does not come out again. */
export function showName(name: string): string {
  const secretive = name.length > 80 || /[A-Za-z0-9]{20}|[0-9a-f]{8}-[0-9a-f]{4}-/i.test(name)
  return secretive ? '…' : redactShapes(name).replace(/\p{Cc}/gu, '�')
}

function readText(path: string, name: string): string {
  const facts = { file: path }
  let bytes: Buffer
  try {
    const about = statSync(path)
    if (!about.isFile()) throw new ConfigError(`${name}: is not a regular file; give the path of the keys file`, facts)
    if (about.size > MOST_BYTES) throw new ConfigError(`${name}: is larger than 4 MiB; is it the keys file?`, facts)
    bytes = readFileSync(path)
  } catch (error) {
    if (error instanceof ConfigError) throw error
    throw new ConfigError(`${name}: ${whyUnreadable(error)}`, { ...facts, cause: error })
  }
  return decode(bytes, name, facts)
}

function whyUnreadable(error: unknown): string {
  const code = String(asRecord(error)?.['code'] ?? error)
  if (code === 'ENOENT' || code === 'ENOTDIR') return 'there is no such file; correct the path or create it'
  if (code === 'EACCES' || code === 'EPERM') return 'may not be read by this user; correct its permissions'
  return `cannot be read (${code})`
}

function decode(bytes: Buffer, name: string, facts: { file: string }): string {
  const utf16 = (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff)
  if (utf16) throw new ConfigError(`${name}: is saved as UTF-16; save it as UTF-8`, facts)
  if (bytes.includes(0)) throw new ConfigError(`${name}: is a binary file, not JSON; is it the keys file?`, facts)
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new ConfigError(`${name}: is not UTF-8 text; save it as UTF-8`, facts)
  }
}

type Fail = (offset: number, message: string, path?: Path) => ConfigError

function failure(from: { readonly file: string; readonly name: string }, text: string): Fail {
  return (offset, message, path) => {
    const position = positionAt(text, offset)
    const facts = { file: from.file, ...position, path: path ? showPath(path) : null }
    return new ConfigError(`${from.name}:${position.line}:${position.column}: ${message}`, facts)
  }
}

// The parser calls itself for every level, so a file of brackets would exhaust the stack; the scanner does not.
function checkDepth(text: string, fail: Fail): void {
  const scanner = createScanner(text, true)
  let depth = 0
  for (let token = scanner.scan(); token !== END; token = scanner.scan()) {
    if (token === OPEN_BRACE || token === OPEN_BRACKET) depth++
    else if (token === CLOSE_BRACE || token === CLOSE_BRACKET) depth--
    if (depth > MOST_DEPTH) throw fail(scanner.getTokenOffset(), `is nested more than ${MOST_DEPTH} levels deep`)
  }
}

// jsonc-parser's SyntaxKind is a const enum, which isolated modules cannot read: these are its values.
const [OPEN_BRACE, CLOSE_BRACE, OPEN_BRACKET, CLOSE_BRACKET, END] = [1, 2, 3, 4, 17]

function explain(error: ParseError): string {
  const words = printParseErrorCode(error.error)
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .toLowerCase()
  return words.endsWith('expected') ? `is not valid JSON here: ${words}` : `is not valid JSON: ${words}`
}

function positionAt(text: string, offset: number): Position {
  const before = text.slice(0, offset)
  const lineStart = before.lastIndexOf('\n') + 1
  let line = 1
  for (let at = before.indexOf('\n'); at !== -1; at = before.indexOf('\n', at + 1)) line++
  return { line, column: offset - lineStart + 1 }
}

function nodeNear(tree: Node, path: Path): Node {
  for (let length = path.length; length > 0; length--) {
    const node = findNodeAtLocation(tree, path.slice(0, length))
    if (node) return node
  }
  return tree
}

function plainValue(node: Node, fail: Fail, path: Path = []): unknown {
  if (node.type === 'array')
    return (node.children ?? []).map((child, index) => plainValue(child, fail, [...path, index]))
  if (node.type !== 'object') return node.value
  const value = emptyObject()
  for (const property of node.children ?? []) {
    const [key, child] = property.children ?? []
    const name = String(key?.value)
    const at = [...path, name]
    if (REFUSED_NAMES.has(name)) throw fail(property.offset, `"${name}" cannot be a name; choose another one`, at)
    if (name in value) throw fail(property.offset, `"${showPath(at)}" stands here twice; merge the two`, at)
    value[name] = child && plainValue(child, fail, at)
  }
  return value
}

function copyOf(value: unknown, path: Path, depth: number): unknown {
  const at = path.length === 0 ? 'config:' : `config: "${showPath(path)}"`
  const facts = { path: path.length === 0 ? null : showPath(path) }
  if (depth > MOST_DEPTH) throw new ConfigError(`${at} is nested more than ${MOST_DEPTH} levels deep`, facts)
  const list = asArray(value)
  if (list) return list.map((item, index) => copyOf(item, [...path, index], depth + 1))
  const record = asRecord(value)
  if (record) return copyOfRecord(record, path, depth)
  const plain = value === null || value === undefined || ['string', 'number', 'boolean'].includes(typeof value)
  if (!plain) throw new ConfigError(`${at} must be plain data, not a ${typeof value}`, facts)
  return value
}

function copyOfRecord(record: Record<string, unknown>, path: Path, depth: number): Record<string, unknown> {
  const copy = emptyObject()
  for (const [name, field] of Object.entries(record)) {
    if (REFUSED_NAMES.has(name)) throw new ConfigError(`config: "${name}" cannot be a name; choose another one`)
    if (field !== undefined) copy[name] = copyOf(field, [...path, name], depth + 1)
  }
  return copy
}

function emptyObject(): Record<string, unknown> {
  return Object.create(null) as Record<string, unknown> // Object.create says any
}
