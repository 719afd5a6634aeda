/** The system calls of a journal, so that a test can let any of them fail. */

import {
  closeSync,
  constants,
  fdatasync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs'

export interface JournalFiles {
  /** A new file to append to, for its owner only; fails where there is one, or a link. */
  create(path: string): number
  /** Returns how many bytes were written, which may be fewer. */
  write(file: number, bytes: Buffer, offset: number): number
  truncate(file: number, length: number): void
  /** Waits for the disk itself. */
  sync(file: number, done: (error: Error | null) => void): void
  /** So that a new file in it survives a power failure. */
  syncFolder(path: string): void
  close(file: number): void
  /** Whether the open file still has a name. */
  isLinked(file: number): boolean
  list(folder: string): readonly string[]
  read(path: string): Buffer
  /** Its beginning. */
  readHead(path: string, bytes: number): Buffer
  /** Epoch milliseconds of the last write. */
  writtenAt(path: string): number
  remove(path: string): void
}

// Windows has neither O_NOFOLLOW nor O_NONBLOCK.
const { O_RDONLY, O_WRONLY, O_APPEND, O_CREAT, O_EXCL, O_NOFOLLOW = 0, O_NONBLOCK = 0 } = constants

export const systemFiles: JournalFiles = {
  create: (path) => openSync(path, O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600),
  write: (file, bytes, offset) => writeSync(file, bytes, offset, bytes.length - offset),
  truncate: (file, length) => ftruncateSync(file, length),
  sync: (file, done) => fdatasync(file, done),
  syncFolder(path) {
    // Windows opens no folders, and needs no such thing.
    if (process.platform === 'win32') return
    const folder = openSync(path, 'r')
    try {
      fsyncSync(folder)
    } finally {
      closeSync(folder)
    }
  },
  close: (file) => closeSync(file),
  isLinked: (file) => fstatSync(file).nlink > 0,
  list: (folder) => readdirSync(folder),
  read: (path) => readFileSync(path),
  readHead(path, bytes) {
    // Without O_NONBLOCK a pipe of that name would be waited for, for ever.
    const file = openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
    try {
      if (!fstatSync(file).isFile()) throw new Error('it is no file')
      const head = Buffer.alloc(bytes)
      return head.subarray(0, readSync(file, head, 0, bytes, 0))
    } finally {
      closeSync(file)
    }
  },
  writtenAt: (path) => statSync(path).mtimeMs,
  remove: (path) => unlinkSync(path),
}
