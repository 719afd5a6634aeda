/**
 * Finds the key that was used where a model spells it out over several events of a stream, and masks it there. What may
 * be its beginning waits until it is known how it goes on: nearly never, because four characters of it must be there.
 */

import { ByteBuffer } from '../../domain/byteBuffer.ts'
import type { ChatChunk } from '../../domain/chat.ts'
import { type Place, placesOf } from './keyPlaces.ts'
import { maskContent } from './maskContent.ts'

const MASK = '…'
/** So many characters of the key may pass before anything waits: fewer end many an innocent word. */
const LEAST_BEGUN = 4
/** More never waits: of a key that is spelled with so much in between, what comes then is masked. */
const MOST_WAITING = 256 * 1024

export interface StreamPiece {
  readonly chunks: readonly ChatChunk[]
  /** Null where nothing came but what was read of earlier bytes. */
  readonly bytes: Buffer | null
}

export class SpelledKey {
  /** What is secret of the key. */
  readonly #key: string
  /** What of the key each text ends with; only of texts that do. */
  readonly #begun = new Map<string, string>()
  /** The same before the first piece that waits: it has gone. */
  #gone: ReadonlyMap<string, string> = NOTHING
  #chunks: ChatChunk[] = []
  readonly #bytes = new ByteBuffer()
  #isWaiting = false
  #isFound = false
  /** A whole call repeats what was found in its pieces, whose bytes have gone. */
  #isRepeated = false
  /** What has gone of the event that the next bytes go on with. */
  readonly #before = new ByteBuffer()

  constructor(key: string) {
    this.#key = key
  }

  /**
   * What may go on, nearly always the piece itself; null while it waits. `startsEvent`: its bytes do. Throws where the key
   * is in bytes in a way that no mask can be put in its place.
   */
  push(piece: StreamPiece, startsEvent: boolean): StreamPiece | null {
    const before = this.#begun.size === 0 ? NOTHING : new Map(this.#begun)
    const waits = this.#look(piece.chunks)
    if (!waits && !this.#isWaiting && !this.#isFound && !this.#isRepeated) return this.#passed(piece, startsEvent)
    if (!this.#isWaiting) {
      this.#gone = before
      if (startsEvent) this.#before.clear()
    }
    this.#isWaiting = true
    for (const chunk of piece.chunks) this.#chunks.push(chunk)
    if (piece.bytes !== null) this.#bytes.append(piece.bytes)
    return waits && this.#bytes.length <= MOST_WAITING ? null : this.end()
  }

  /** What waits, of a stream that is over. */
  end(): StreamPiece | null {
    if (!this.#isWaiting) return null
    const hasKey = this.#isFound || this.#isRepeated
    const chunks = hasKey ? maskChunks(this.#chunks, this.#key, this.#gone) : this.#chunks
    const waiting = this.#bytes.length === 0 ? null : this.#bytes.take()
    const bytes = waiting !== null && this.#isFound ? this.#maskBytes(waiting) : waiting
    this.#chunks = []
    this.#isWaiting = false
    this.#isFound = false
    this.#isRepeated = false
    return this.#passed({ chunks, bytes }, false)
  }

  #maskBytes(waiting: Buffer): Buffer {
    const begun = Math.max(0, ...[...this.#gone.values()].map(({ length }) => length))
    const masked = maskContent(this.#before.view(), waiting, this.#key, begun)
    if (masked === null) throw new Error('the stream spells out the key that it was asked with')
    return masked
  }

  #passed(piece: StreamPiece, startsEvent: boolean): StreamPiece {
    if (startsEvent) this.#before.clear()
    if (piece.bytes !== null && this.#before.length <= MOST_WAITING) this.#before.hold(piece.bytes)
    return piece
  }

  /** Whether one of the texts may go on with the key. */
  #look(chunks: readonly ChatChunk[]): boolean {
    for (const chunk of chunks) {
      const text = textOf(chunk)
      if (text !== null) this.#lookAt(chunk, text)
      else if (chunk.type === 'tool-call') this.#isRepeated ||= chunk.arguments.includes(this.#key)
      else if (chunk.type === 'finish' || chunk.type === 'end' || chunk.type === 'error') this.#begun.clear()
    }
    if (this.#begun.size === 0) return false
    for (const begun of this.#begun.values()) if (begun.length >= LEAST_BEGUN) return true
    return false
  }

  #lookAt(chunk: ChatChunk, text: string): void {
    const name = this.#begun.size === 0 ? '' : nameOf(chunk)
    const all = (name === '' ? '' : (this.#begun.get(name) ?? '')) + text
    if (all.length >= this.#key.length && all.includes(this.#key)) this.#isFound = true
    const begun = beginningAtEnd(all, this.#key)
    if (begun !== '') this.#begun.set(nameOf(chunk), begun)
    else if (name !== '') this.#begun.delete(name)
  }
}

const NOTHING: ReadonlyMap<string, string> = new Map()

/** The longest end of the text that the key begins with, shorter than the key. */
function beginningAtEnd(text: string, key: string): string {
  const first = key.charAt(0)
  let at = text.indexOf(first, Math.max(0, text.length - key.length + 1))
  for (; at >= 0; at = text.indexOf(first, at + 1)) if (key.startsWith(text.slice(at))) return text.slice(at)
  return ''
}

/** What is said piece by piece; null for anything else. */
function textOf(chunk: ChatChunk): string | null {
  switch (chunk.type) {
    case 'text-delta':
    case 'reasoning-delta':
      return chunk.text
    case 'tool-call-delta':
      return chunk.arguments
    case 'other':
      return textOf(chunk.chunk)
    default:
      return null
  }
}

/** Of which of the texts it is a piece. */
function nameOf(chunk: ChatChunk): string {
  if (chunk.type === 'other') return `${chunk.index} ${nameOf(chunk.chunk)}`
  return chunk.type === 'tool-call-delta' ? `${chunk.type} ${chunk.index}` : chunk.type
}

function withText(chunk: ChatChunk, text: string): ChatChunk {
  switch (chunk.type) {
    case 'text-delta':
    case 'reasoning-delta':
      return { ...chunk, text }
    case 'tool-call-delta':
      return { ...chunk, arguments: text }
    case 'other':
      return { ...chunk, chunk: withText(chunk.chunk, text) }
    default:
      return chunk
  }
}

/** `gone`: what of the key each text had ended with before. */
function maskChunks(
  chunks: readonly ChatChunk[],
  key: string,
  gone: ReadonlyMap<string, string>,
): readonly ChatChunk[] {
  const texts = new Map<string, string>()
  for (const chunk of chunks) {
    const text = textOf(chunk)
    if (text !== null) texts.set(nameOf(chunk), (texts.get(nameOf(chunk)) ?? '') + text)
  }
  const found = new Map([...texts].map(([name, text]) => [name, placesOf(key, text, gone.get(name)?.length ?? 0)]))
  const read = new Map<string, number>()
  return chunks.map((chunk) => {
    if (chunk.type === 'tool-call') return { ...chunk, arguments: chunk.arguments.replaceAll(key, MASK) }
    const text = textOf(chunk)
    if (text === null) return chunk
    const name = nameOf(chunk)
    const from = read.get(name) ?? 0
    read.set(name, from + text.length)
    const shown = maskPart(text, from, found.get(name) ?? [])
    return shown === text ? chunk : withText(chunk, shown)
  })
}

/** A part of a text, that begins at `from`, without the places; the mask stands where each begins. */
function maskPart(part: string, from: number, places: readonly Place[]): string {
  let shown = ''
  let at = from
  const end = from + part.length
  for (const [start, stop] of places) {
    if (stop <= at || start >= end) continue
    shown += part.slice(at - from, Math.max(at, start) - from) + (start >= from ? MASK : '')
    at = Math.min(stop, end)
  }
  return shown + part.slice(at - from)
}
