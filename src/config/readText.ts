/** Reads the text of a keys file, or explains why it cannot be read. */

import { readFileSync, statSync } from 'node:fs'
import { ConfigError } from '../domain/errors.ts'
import { asRecord } from '../domain/json.ts'

const MOST_BYTES = 4 * 1024 * 1024

/** UTF-8 without byte order mark, at most 4 MiB. `name` is the file's name in messages. Throws ConfigError. */
export function readText(path: string, name: string): string {
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
  if (code === 'ENOENT' || code === 'ENOTDIR') return 'the file does not exist; correct the path or create it'
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
