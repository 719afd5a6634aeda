/** What a process was given to open a vault with: by the environment, or by a file that only its user can read. */

import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { VaultError } from '../../domain/errors.ts'
import { Secret } from '../../domain/redact.ts'
import { type EnvironmentVariables, readEnvironment } from '../environment.ts'
import type { VaultMeans } from './openVault.ts'
import { KEY_BYTES } from './seal.ts'

/** The name under which `LoadCredential=` of systemd gives the key. */
const CREDENTIAL = 'keywise-vault-key'
const MOST_KEY_FILE_BYTES = 4096

/** Throws VaultError for a key that is none, and for a key file that others can read. */
export function vaultMeans(variables: EnvironmentVariables): VaultMeans {
  const { vaultPassphrase, vaultKey, vaultKeyFile, credentialsFolder } = readEnvironment(variables)
  const keys = [
    vaultKey === null ? null : vaultKeyIn(vaultKey.reveal(), 'KEYWISE_VAULT_KEY'),
    vaultKeyFile === null ? null : readKeyFile(vaultKeyFile, `KEYWISE_VAULT_KEY_FILE ${vaultKeyFile}`),
    credentialsFolder === null ? null : readCredential(join(credentialsFolder, CREDENTIAL)),
  ]
  return { passphrase: vaultPassphrase, keys: keys.filter((key) => key !== null) }
}

/** The key in a text. Throws VaultError; `from` says where it stands. */
function vaultKeyIn(text: string, from: string): Secret {
  const key = text.trim()
  const bytes = Buffer.from(key, 'base64')
  const isWhole = bytes.length === KEY_BYTES && bytes.toString('base64') === key
  bytes.fill(0)
  if (isWhole) return new Secret(key)
  throw new VaultError(
    `${from}: must be ${KEY_BYTES} random bytes in base64 (keywise vault unlock --key-file FILE makes such a file)`,
    { reason: 'refused' },
  )
}

/** Of a file whose folder is private already, which is how systemd hands credentials over; null when there is none. */
function readCredential(path: string): Secret | null {
  const text = textOf(path, path, false)
  return text === null ? null : vaultKeyIn(text, path)
}

function readKeyFile(path: string, from: string): Secret {
  const text = textOf(path, from, true)
  if (text !== null) return vaultKeyIn(text, from)
  throw new VaultError(`${from}: the file does not exist; correct the path`, { reason: 'refused' })
}

/** Looks at the file that it reads, not at one that may have taken its place in between. */
function textOf(path: string, from: string, isPrivate: boolean): string | null {
  let handle: number
  try {
    // A pipe that nobody writes into would hold the start for ever.
    handle = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0))
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException // every error of node:fs is one
    if (code === 'ENOENT' || code === 'ENOTDIR') return null
    throw new VaultError(`${from}: cannot be read (${code}); correct its permissions`, { reason: 'refused' })
  }
  try {
    const about = fstatSync(handle)
    if (!about.isFile() || about.size > MOST_KEY_FILE_BYTES)
      throw new VaultError(`${from}: is not a small file with a key; correct the path`, { reason: 'refused' })
    if (isPrivate && process.platform !== 'win32' && (about.mode & 0o077) !== 0)
      throw new VaultError(`${from}: can be read by other users of this machine; run: chmod 600 ${path}`, {
        reason: 'refused',
      })
    return readFileSync(handle, 'utf8')
  } finally {
    closeSync(handle)
  }
}
