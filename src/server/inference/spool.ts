/**
 * Bytes that arrive once and may be sent several times: in memory while they are few, else in a temporary file. The file
 * loses its name as soon as it is open, so that the system removes it with this process, however that ends.
 */

import { randomBytes } from 'node:crypto'
import { type FileHandle, readdir, unlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ByteBuffer } from '../../domain/byteBuffer.ts'
import { createFile } from '../../store/replaceFile.ts'

/** A few seconds of speech; longer ones are cheaper on disk than in memory. */
const MOST_IN_MEMORY = 262_144
const PIECE = 65_536
const PREFIX = 'keywise-form-'

export class Spool {
  readonly #held = new ByteBuffer()
  #file: FileHandle | null = null
  /** Where the file could not lose its name. */
  #path: string | null = null
  #bytes = 0

  get bytes(): number {
    return this.#bytes
  }

  /** Resolves when the bytes are kept; until then no more should be read. */
  async write(bytes: Buffer): Promise<void> {
    this.#bytes += bytes.length
    if (this.#file !== null) return await writeAll(this.#file, bytes)
    this.#held.hold(bytes)
    if (this.#bytes <= MOST_IN_MEMORY) return
    this.#file = await this.#openFile()
    await writeAll(this.#file, this.#held.take())
  }

  /** All of it where it is in memory; null where it is in a file. */
  whole(): Buffer | null {
    return this.#file === null ? this.#held.view() : null
  }

  /** The bytes of a part of the file, a piece at a time. */
  async *read(start: number, end: number): AsyncGenerator<Buffer> {
    for (let at = start; at < end; ) {
      const piece = Buffer.allocUnsafe(Math.min(PIECE, end - at))
      const read = (await this.#file?.read(piece, 0, piece.length, at))?.bytesRead ?? 0
      if (read === 0) throw new Error('the temporary file of a form is shorter than what was written')
      yield piece.subarray(0, read)
      at += read
    }
  }

  /** Frees what it holds; reading that is under way ends. */
  async close(): Promise<void> {
    this.#held.clear()
    const file = this.#file
    this.#file = null
    await file?.close()
    if (this.#path !== null) await unlink(this.#path).catch(() => undefined)
  }

  async #openFile(): Promise<FileHandle> {
    const path = join(tmpdir(), `${PREFIX}${process.pid}-${randomBytes(8).toString('hex')}`)
    const file = await createFile(path)
    await unlink(path).catch(() => {
      this.#path = path
    })
    return file
  }
}

async function writeAll(file: FileHandle, bytes: Buffer): Promise<void> {
  for (let at = 0; at < bytes.length; ) at += (await file.write(bytes, at)).bytesWritten
}

/** Removes the files that a process left behind which ended between two steps; those of others are not ours to remove. */
export async function removeLeftSpools(): Promise<void> {
  const names = await readdir(tmpdir()).catch(() => [])
  for (const name of names) if (name.startsWith(PREFIX)) await unlink(join(tmpdir(), name)).catch(() => undefined)
}
