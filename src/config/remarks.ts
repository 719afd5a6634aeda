/** The configuration's messages: errors and remarks that name their location, and never a secret. */

import { ConfigError } from '../domain/errors.ts'
import type { ConfigDocument } from './document.ts'
import { type Path, showPath } from './showPath.ts'

/** The error about one part: `config/api-keys.json:12:5: "groq.api_keys[1]" is empty; remove it or paste a key`. */
export function complain(document: ConfigDocument, path: Path, message: string): ConfigError {
  const position = document.position(path)
  const facts = { file: document.file, path: path.length === 0 ? null : showPath(path), ...position }
  return new ConfigError(`${placeOf(document, path)} ${message}`, facts)
}

/** Maximum number of remarks collected; no one reads a thousand. */
const MOST_REMARKS = 50

/** Warnings about a configuration that is usable nevertheless. */
export class Remarks {
  readonly document: ConfigDocument
  readonly #said = new Set<string>()
  #left = 0

  constructor(document: ConfigDocument) {
    this.document = document
  }

  /** Records a remark about one part, once. */
  add(path: Path, message: string): void {
    // Finding the position parses the file up to it, so it is skipped for remarks that will not be shown.
    if (this.#said.size >= MOST_REMARKS) this.#left++
    else this.addText(`${placeOf(this.document, path)} ${message}`)
  }

  /** Records a remark that names its own location. */
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
