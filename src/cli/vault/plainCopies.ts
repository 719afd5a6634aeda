/** Files that still hold a key that is in the vault now. */

import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { parse } from 'jsonc-parser'
import { secretsIn } from '../../config/secrets.ts'
import { showName } from '../../config/showPath.ts'
import type { VaultEntry } from '../../config/vault/openVault.ts'
import type { Secret } from '../../domain/redact.ts'
import { plural } from '../output.ts'
import type { VaultDesk } from './desk.ts'

const MOST_BYTES = 4 * 1024 * 1024
/** Shorter secrets would be found in files that have nothing to do with them. */
const LEAST_LENGTH = 8

/** Keys that left a plain file, and what is in the vault now. */
interface PlainKeys {
  readonly moved: readonly Secret[]
  readonly inVault: readonly VaultEntry[]
  /** Files to delete wherever they are. */
  readonly more?: readonly string[]
}

/** Whether the two are one file, by whichever links they are named. */
export function isSameFile(file: string, other: string | null): boolean {
  if (file === other) return true
  const [one, two] = [file, other].map(
    (path) => path !== null && statSync(path, { throwIfNoEntry: false, bigint: true }),
  )
  return Boolean(one && two && one.ino === two.ino && one.dev === two.dev && one.ino !== 0n)
}

/**
 * Offers to delete the copies of the keys file beside it. Other files with one of the keys, such as `.env`, are named:
 * other programs may need them.
 */
export async function offerToDelete(desk: VaultDesk, { moved, inVault, more = [] }: PlainKeys): Promise<void> {
  const { copies, others } = filesWith(desk, moved)
  const found = [...more, ...copies]
  const { out } = desk
  const kept = found.filter((file) => holdsMore(file, inVault))
  if (kept.length > 0) {
    out.line('Left, because beside the keys they hold something that may be one and is not in the vault:')
    for (const file of kept) out.line(`  ${file}`)
    out.line('Take out of them what you need, then delete them.')
  }
  const deletable = found.filter((file) => !kept.includes(file))
  if (others.length > 0) {
    out.line('The same keys also stand in:')
    for (const file of others) out.line(`  ${file}`)
    out.line('Whoever reads those needs no vault: take the keys out there as well.')
  }
  if (deletable.length === 0) return
  out.line(`${plural(deletable.length, 'plain copy').replace('copys', 'copies')} of the keys:`)
  for (const file of deletable) out.line(`  ${file}`)
  if (desk.has('keepPlain') || !(await desk.confirm('Overwrite and delete?'))) {
    out.line('They were left; delete them when you no longer need them.')
    return
  }
  for (const file of deletable) shred(file)
  out.line(
    'Overwritten and deleted. Disks and backups may keep what was: replace the keys if somebody could have read them.',
  )
}

/** Overwrites a file and deletes it. What a disk keeps of it beneath the file system is beyond any program. */
function shred(file: string): void {
  const handle = openSync(file, constants.O_WRONLY | (constants.O_NOFOLLOW ?? 0))
  try {
    writeSync(handle, Buffer.alloc(fstatSync(handle).size))
    fsyncSync(handle)
    ftruncateSync(handle)
  } finally {
    closeSync(handle)
  }
  unlinkSync(file)
}

function filesWith(desk: VaultDesk, secrets: readonly Secret[]): { copies: string[]; others: string[] } {
  const values = secrets.map((secret) => secret.reveal()).filter(({ length }) => length >= LEAST_LENGTH)
  const { cwd } = desk.context
  const folder = desk.document.file === null ? null : dirname(desk.document.file)
  const here = folder === null ? [] : namesIn(folder).map((name) => join(folder, name))
  const dotenv = namesIn(cwd)
    .filter((name) => /^\.env(?:\.|$)/.test(name))
    .map((name) => join(cwd, name))
  const found = [...new Set([...here, ...dotenv])].filter((file) => holdsAny(file, values))
  const own = found.filter((file) => file !== desk.document.file && file !== desk.file)
  const isCopy = (file: string) => here.includes(file) && file.includes('api-keys') && !/\.env/.test(file)
  return { copies: own.filter(isCopy), others: own.filter((file) => !isCopy(file)) }
}

/** Whether a file holds what may be a key and is not in the vault: deleted, it would be lost. Rather yes than no. */
function holdsMore(file: string, inVault: readonly VaultEntry[]): boolean {
  const values = inVault.map(({ secret }) => secret.reveal()).sort((a, b) => b.length - a.length)
  const without = (text: string) => values.reduce((rest, value) => rest.replaceAll(value, ' '), text)
  try {
    const text = readFileSync(file, 'utf8')
    const words = without(text).match(/[^\s"',;()[\]{}]+/g) ?? []
    return (
      words.some((word) => showName(word) !== word) || secretsIn(parse(text)).some((one) => without(one).trim() !== '')
    )
  } catch {
    return true
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

function holdsAny(file: string, values: readonly string[]): boolean {
  try {
    const about = statSync(file)
    if (!about.isFile() || about.size > MOST_BYTES) return false
    const text = readFileSync(file, 'utf8')
    return values.some((value) => text.includes(value))
  } catch {
    return false // not permitted, so not ours
  }
}
