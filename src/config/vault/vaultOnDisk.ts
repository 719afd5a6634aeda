/** Where the vault of a configuration is, how it is read, and how it is changed without losing it. */

import { existsSync, readFileSync, statSync } from 'node:fs'
import { dirname, isAbsolute, join, relative } from 'node:path'
import { VaultError } from '../../domain/errors.ts'
import { readEnvironment } from '../environment.ts'
import { keysFileCandidates } from '../paths.ts'
import { openPrivately, type PrivateWrite } from '../writePrivately.ts'
import { OpenVault, type VaultMeans } from './openVault.ts'
import { MOST_VAULT_BYTES, parseVault, type VaultFile, type VaultFormat } from './vaultFile.ts'

interface Around {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
  readonly home: string
  readonly platform: NodeJS.Platform
}

const VAULT_FILE = 'vault.json'

/** Beside the keys file; without one, the first that exists where a keys file is looked for, else `config/vault.json`. */
export function vaultPlace(keysFile: string | null, around: Around): string {
  if (keysFile !== null) return join(dirname(keysFile), VAULT_FILE)
  const environment = readEnvironment(around.env)
  const places = keysFileCandidates({ ...around, environment }).map((file) => join(dirname(file), VAULT_FILE))
  return places.find((file) => existsSync(file)) ?? join(around.cwd, 'config', VAULT_FILE)
}

/** The file's name in messages: relative where it is below the working directory. */
export function vaultLabel(file: string, cwd: string): string {
  const inside = relative(cwd, file)
  return inside.startsWith('..') || isAbsolute(inside) ? file : inside.replaceAll('\\', '/')
}

/** Throws VaultError: there is none, it cannot be read, or it is damaged. */
export function readVault(file: string, label: string, format: VaultFormat = 'keywise-vault'): VaultFile {
  return parseVault(bytesOf(file, label), label, format)
}

/** The same, opened. */
export function openVaultFile(file: string, label: string, means: VaultMeans): OpenVault {
  return OpenVault.open(readVault(file, label), means, label)
}

/**
 * Changes the vault: read anew, changed and put in its place as a whole, while no other process changes it. Throws
 * VaultError; then the vault is as it was.
 */
export function changeVault<T>(file: string, label: string, means: VaultMeans, change: (vault: OpenVault) => T): T {
  const write = begin(file, label)
  try {
    const vault = openVaultFile(file, label, means)
    try {
      const result = change(vault)
      write.commit(readableText(vault, label))
      return result
    } finally {
      vault.close()
    }
  } finally {
    write.release()
  }
}

/** Writes a vault where none is. Throws VaultError. */
export function writeNewVault(file: string, label: string, vault: OpenVault): void {
  const write = begin(file, label)
  try {
    if (existsSync(file))
      throw new VaultError(`${label}: is there already and was left as it is`, { reason: 'unwritable' })
    write.commit(readableText(vault, label))
  } finally {
    write.release()
  }
}

/**
 * The text of the file, as long as it can be read back: a file that keywise refuses must not take the place of one that
 * it reads. Throws VaultError.
 */
export function readableText(vault: OpenVault, label: string, format: VaultFormat = 'keywise-vault'): string {
  const text = vault.text()
  try {
    parseVault(Buffer.from(text), label, format)
    return text
  } catch (error) {
    const why = error instanceof Error ? error.message.replace(/;.*$/s, '') : String(error)
    throw new VaultError(`nothing was changed, because what would be written could not be read back: ${why}`, {
      reason: 'unwritable',
      cause: error,
    })
  }
}

function begin(file: string, label: string): PrivateWrite {
  try {
    return openPrivately(file)
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new VaultError(`${label}: cannot be written: ${why}`, { reason: 'unwritable', cause: error })
  }
}

function bytesOf(file: string, label: string): Buffer {
  try {
    const about = statSync(file)
    if (about.isFile() && about.size <= MOST_VAULT_BYTES) return readFileSync(file)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException // every error of node:fs is one
    if (code === 'ENOENT' || code === 'ENOTDIR')
      throw new VaultError(`${label}: there is no vault; make one with: keywise vault init`, { reason: 'absent' })
    throw new VaultError(`${label}: may not be read (${code}); correct its permissions`, { reason: 'damaged' })
  }
  throw new VaultError(`${label}: is not a regular file of at most 4 MiB`, { reason: 'damaged' })
}
