/**
 * The system's keyring, by the system's own tool: `security` on macOS, `secret-tool` (libsecret) on Linux. Windows has no
 * tool that gives a password back. Only the command line asks it: programs are started nowhere else.
 */

import { spawnSync } from 'node:child_process'
import { Secret } from '../../domain/redact.ts'

interface Keyring {
  /** As people know it. */
  readonly name: string
  /** Throws an error that says why it was refused. */
  keep(vaultId: string, key: Secret): void
  /** Null when it has none, or is locked. */
  find(vaultId: string): Secret | null
  forget(vaultId: string): void
}

type Variables = Readonly<Record<string, string | undefined>>

const SERVICE = 'keywise-vault'
/** Long enough for a person to answer the system's own question. */
const PATIENCE_MS = 60_000

/** Null where the system has none that keywise can ask. */
export function systemKeyring(env: Variables, platform: NodeJS.Platform = process.platform): Keyring | null {
  if (platform === 'darwin') return isThere('security', ['help'], env) ? macKeychain(env) : null
  if (platform === 'win32') return null
  return isThere('secret-tool', ['--version'], env) ? secretService(env) : null
}

function secretService(env: Variables): Keyring {
  const attributes = (id: string) => ['service', SERVICE, 'vault', id]
  return {
    name: 'the keyring of this desktop (secret-tool)',
    // The secret goes through the pipe: arguments can be read by every user of the machine.
    keep: (id, key) => {
      demand(run('secret-tool', ['store', '--label=keywise vault', ...attributes(id)], env, key.reveal()))
    },
    find: (id) => found(run('secret-tool', ['lookup', ...attributes(id)], env)),
    forget: (id) => void run('secret-tool', ['clear', ...attributes(id)], env),
  }
}

function macKeychain(env: Variables): Keyring {
  const place = (id: string) => ['-a', id, '-s', SERVICE]
  return {
    name: 'the keychain of this Mac',
    // In interactive mode the secret is read from the pipe. Base64 has no character that its quoting minds.
    keep: (id, key) => {
      const command = `add-generic-password -U -a "${id}" -s "${SERVICE}" -w "${key.reveal()}"\n`
      demand(run('security', ['-i'], env, command))
    },
    find: (id) => found(run('security', ['find-generic-password', ...place(id), '-w'], env)),
    forget: (id) => void run('security', ['delete-generic-password', ...place(id)], env),
  }
}

type Ran = ReturnType<typeof run>

function run(tool: string, args: readonly string[], env: Variables, input = '') {
  return spawnSync(tool, args, { env, input, encoding: 'utf8', timeout: PATIENCE_MS })
}

const isThere = (tool: string, args: readonly string[], env: Variables) => run(tool, args, env).error === undefined

function found({ status, stdout }: Ran): Secret | null {
  return status === 0 && stdout.trim() !== '' ? new Secret(stdout.trim()) : null
}

function demand({ status, stderr, error }: Ran): void {
  if (status === 0) return
  const why = error?.message ?? (stderr.trim() || `it ended with ${status}`)
  throw new Error(`the keyring did not take the key (${why.slice(0, 200)}); use --key-file FILE instead`)
}
