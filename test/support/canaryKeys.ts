/** Keys that must be nowhere: made up at run time in the forms of their services, and a search for any part of them. */

import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** Digits that look drawn by lot and are the same every time. */
function digits(seed: string, length: number, encoding: 'hex' | 'base64url'): string {
  let text = ''
  for (let block = 0; text.length < length; block++)
    text += createHash('sha256').update(`canary ${seed} ${block}`).digest(encoding)
  return text.slice(0, length)
}

export interface CanaryKey {
  readonly key: string
  /** What is secret of it. */
  readonly part: string
}

/** `prefix`: what all keys of the service begin with. */
export function canaryKey(
  prefix: string,
  seed: string,
  length = 40,
  encoding: 'hex' | 'base64url' = 'base64url',
): CanaryKey {
  // A letter in front, because tokens of bots and passwords in addresses do not begin with a sign.
  const part = `k${digits(seed, length - 1, encoding)}`
  return { key: prefix + part, part }
}

/** Every run of 8 characters of the secret parts, in small letters. */
export class CanarySearch {
  readonly #runs = new Map<string, string>()
  readonly #starts = new Set<string>()

  constructor(keys: readonly CanaryKey[]) {
    for (const { part } of keys) {
      const plain = part.toLowerCase()
      for (let at = 0; at + 8 <= plain.length; at++) this.#runs.set(plain.slice(at, at + 8), part)
      for (let at = 0; at + 4 <= plain.length; at++) this.#starts.add(plain.slice(at, at + 4))
    }
  }

  /** The runs in a text, in any case, white space left out. Empty is well. */
  in(text: string): string[] {
    const plain = text.toLowerCase().replace(/\s/g, '')
    const found: string[] = []
    // Each run holds four characters that begin at a fifth place.
    for (let at = 0; at + 4 <= plain.length; at += 5) {
      if (!this.#starts.has(plain.slice(at, at + 4))) continue
      for (let start = Math.max(0, at - 4); start <= at; start++)
        if (this.#runs.has(plain.slice(start, start + 8))) found.push(plain.slice(Math.max(0, start - 60), start + 30))
    }
    return found
  }

  /** The same in every file below a folder, by its path; `except`: paths that may hold them. */
  below(folder: string, except: readonly string[] = []): [path: string, found: string[]][] {
    return filesBelow(folder)
      .filter((path) => !except.includes(path))
      .map((path): [string, string[]] => [path, this.in(readFileSync(path, 'latin1'))])
      .filter(([, found]) => found.length > 0)
  }
}

export function filesBelow(folder: string): string[] {
  return readdirSync(folder)
    .map((name) => join(folder, name))
    .flatMap((path) => (statSync(path).isDirectory() ? filesBelow(path) : [path]))
}
