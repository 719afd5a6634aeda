/** A configuration as written: its value, and the position of each part in the file. */

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
import { readText } from './readText.ts'
import { type Path, showPath } from './showPath.ts'

export interface ConfigDocument {
  /** Absolute path; null when the configuration was passed as an object. */
  readonly file: string | null
  /** The name used in messages: `config/api-keys.json`, or `config` for an object. */
  readonly name: string
  /** The folder that `file:` values are relative to. */
  readonly folder: string
  /** A private copy whose objects have no prototype. */
  readonly value: Record<string, unknown>
  /** 1-based line and column of the part at `path`, or of its nearest existing parent. */
  position(path: Path): Position | null
}

interface Position {
  readonly line: number
  readonly column: number
}

const MOST_DEPTH = 64
const EXAMPLE = '{ "groq": { "api_key": "..." } }'
/** Names that would reach the prototype of an object filled by name. */
const REFUSED_NAMES = new Set(['__proto__', 'constructor', 'prototype'])

/** Reads and parses a file of JSON with comments; a ConfigError states what is wrong and where. */
export function readDocument(file: string, cwd: string): ConfigDocument {
  const path = resolve(cwd, file)
  const inside = relative(cwd, path)
  const name = inside.startsWith('..') || isAbsolute(inside) ? path : inside.replaceAll('\\', '/')
  return parseDocument(readText(path, name), { file: path, name })
}

/** Parses the text of a file; `name` is its name in messages. */
function parseDocument(text: string, from: { readonly file: string; readonly name: string }): ConfigDocument {
  const fail = failure(from, text)
  checkDepth(text, fail)
  const errors: ParseError[] = []
  const tree = parseTree(text, errors, { allowTrailingComma: true })
  const [first] = errors
  const endsEarly = first !== undefined && first.offset >= text.trimEnd().length
  if (!tree && (!first || endsEarly)) throw fail(0, `the file is empty; put at least ${EXAMPLE} into it`)
  if (first) {
    const what = endsEarly ? 'the file ends too early' : explain(first)
    throw fail(first.offset, `${what}; correct it here or restore the file`)
  }
  if (!tree) throw fail(0, `must hold an object: ${EXAMPLE}`)
  const value = asRecord(plainValue(tree, fail))
  if (!value) throw fail(tree.offset, `must hold an object: ${EXAMPLE}`)
  return {
    ...from,
    folder: dirname(from.file),
    value,
    position: (path) => positionAt(text, nodeNear(tree, path).offset),
  }
}

/** The document of a configuration passed as an object. */
export function documentOf(config: unknown, cwd: string): ConfigDocument {
  const value = asRecord(copyOf(config, [], 0))
  if (!value) throw new ConfigError(`config: must be an object such as ${EXAMPLE}`)
  return { file: null, name: 'config', folder: cwd, value, position: () => null }
}

type Fail = (offset: number, message: string, path?: Path) => ConfigError

function failure(from: { readonly file: string; readonly name: string }, text: string): Fail {
  return (offset, message, path) => {
    const position = positionAt(text, offset)
    const facts = { file: from.file, ...position, path: path ? showPath(path) : null }
    return new ConfigError(`${from.name}:${position.line}:${position.column}: ${message}`, facts)
  }
}

// The parser recurses per level, so a file of brackets would exhaust the stack; the scanner does not.
function checkDepth(text: string, fail: Fail): void {
  const scanner = createScanner(text, true)
  let depth = 0
  for (let token = scanner.scan(); token !== END; token = scanner.scan()) {
    if (token === OPEN_BRACE || token === OPEN_BRACKET) depth++
    else if (token === CLOSE_BRACE || token === CLOSE_BRACKET) depth--
    if (depth > MOST_DEPTH) throw fail(scanner.getTokenOffset(), `is nested more than ${MOST_DEPTH} levels deep`)
  }
}

// jsonc-parser's SyntaxKind is a const enum, which isolated modules cannot import; these are its values.
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
  return Object.create(null) as Record<string, unknown> // typed as any
}
