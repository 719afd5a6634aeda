/** The ways in which a vault opens: its passphrase, a key file, the system's keyring. */

import { rmSync } from 'node:fs'
import { resolve } from 'node:path'
import { freshKey, type NewWay } from '../../config/vault/openVault.ts'
import { freshStretching } from '../../config/vault/passphraseKey.ts'
import type { Way } from '../../config/vault/vaultFile.ts'
import { vaultMeans } from '../../config/vault/vaultMeans.ts'
import { VaultError } from '../../domain/errors.ts'
import type { Secret } from '../../domain/redact.ts'
import { createFileNow } from '../../store/replaceFile.ts'
import { type ExitCode, UsageError } from '../command.ts'
import type { VaultDesk } from './desk.ts'
import { systemKeyring } from './keyring.ts'

/** Four random words; less can be guessed by who has the file. */
const LEAST_PASSPHRASE = 12

/** What opens a new vault: as the options say, else what the environment holds, else a passphrase that is asked for. */
export async function firstWays(desk: VaultDesk): Promise<readonly NewWay[]> {
  const keyFile = desk.option('keyFile')
  if (keyFile !== undefined) return [{ kind: 'file', key: writeKeyFile(desk, keyFile) }]
  const { keys, passphrase } = vaultMeans(desk.context.env)
  const byKey: readonly NewWay[] = keys.slice(0, 1).map((key) => ({ kind: 'file', key }))
  const isEnough = byKey.length > 0 && passphrase === null
  return isEnough ? byKey : [...byKey, await passphraseWay(desk, passphrase)]
}

/** `vault passphrase`: sets it, or another one. */
export async function changePassphrase(desk: VaultDesk): Promise<ExitCode> {
  await desk.open().then((vault) => vault.close())
  const way = await passphraseWay(desk, null)
  await desk.change((vault) => vault.setWay(way, desk.now))
  desk.out.line(`${desk.label} opens with the new passphrase, and no longer with another one.`)
  desk.out.line('What runs keeps the keys that it has; start it again with the new passphrase before the keys change.')
  desk.out.line(
    'Old copies of the vault still open with the old one: if it was known to others, run "keywise vault rotate".',
  )
  return 0
}

/** `vault unlock`: the keyring, or a new key file, opens the vault from now on. */
export async function unlockForLater(desk: VaultDesk): Promise<ExitCode> {
  const path = desk.option('keyFile')
  await desk.open().then((vault) => vault.close())
  if (path !== undefined) {
    const key = writeKeyFile(desk, path)
    await desk
      .change((vault) => vault.setWay({ kind: 'file', key }, desk.now))
      .catch((error: unknown) => {
        rmSync(resolve(desk.context.cwd, path)) // it opens nothing
        throw error
      })
    desk.out.line(`${desk.label} opens by ${path}, too:`)
    desk.out.line(`  KEYWISE_VAULT_KEY_FILE=${resolve(desk.context.cwd, path)} keywise serve`)
    desk.out.line('"keywise vault lock" takes this way in away again.')
    return 0
  }
  const key = keepInKeyring(desk, desk.read().id)
  await desk.change((vault) => vault.setWay({ kind: 'keyring', key }, desk.now))
  desk.out.line(`${desk.label}: its key is in ${systemKeyring(desk.context.env)?.name}; commands no longer ask.`)
  desk.out.line('"keywise vault lock" takes it out again.')
  return 0
}

/** `vault lock`: only the passphrase opens the vault from now on. */
export async function lock(desk: VaultDesk): Promise<ExitCode> {
  const { ways, id } = desk.read()
  if (!ways.some(({ kind }) => kind === 'passphrase'))
    throw new VaultError(
      `${desk.label}: has no passphrase, and would open in no way any more; set one first: keywise vault passphrase`,
      { reason: 'refused' },
    )
  const dropped = ways.filter(({ kind }) => kind !== 'passphrase')
  if (dropped.length > 0)
    await desk.change((vault) => {
      for (const { kind } of dropped) vault.dropWay(kind)
    })
  systemKeyring(desk.context.env)?.forget(id)
  desk.out.line(`${desk.label} opens by its passphrase alone.`)
  for (const { kind } of dropped) desk.out.line(`  ${CLOSED[kind]}`)
  if (dropped.length > 0)
    desk.out.line(
      'Old copies of the vault still open the old way: if one may be in other hands, run "keywise vault rotate".',
    )
  desk.out.line('What runs keeps the keys that it has until it ends.')
  return 0
}

const CLOSED: { readonly [K in Way['kind']]: string } = {
  passphrase: '',
  file: 'its key file opens it no longer; delete that file',
  keyring: 'its key was taken out of the keyring',
}

/** A way in by a passphrase: the given one, or one that is asked for. */
export async function passphraseWay(desk: VaultDesk, given: Secret | null, what = 'New passphrase'): Promise<NewWay> {
  const passphrase = given ?? (await desk.asker.newSecret(what))
  if (passphrase.reveal().length < LEAST_PASSPHRASE)
    throw new UsageError(
      `a passphrase has at least ${LEAST_PASSPHRASE} characters; take four words that nobody would join`,
    )
  return { kind: 'passphrase', passphrase, stretching: freshStretching() }
}

/** Makes a key and keeps it in the keyring. Throws UsageError where the system has none. */
function keepInKeyring({ context }: VaultDesk, vaultId: string): Secret {
  const keyring = systemKeyring(context.env)
  if (keyring === null)
    throw new UsageError(
      'this system has no keyring that keywise can ask (macOS: security, Linux: secret-tool); keywise vault unlock --key-file FILE makes a key file instead',
    )
  const key = freshKey()
  keyring.keep(vaultId, key)
  return key
}

function writeKeyFile({ context }: VaultDesk, path: string): Secret {
  const file = resolve(context.cwd, path)
  const key = freshKey()
  try {
    createFileNow(file, `${key.reveal()}\n`)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException // every error of node:fs has one
    throw new UsageError(
      code === 'EEXIST' ? `${path} is there already; name a new file` : `${path} cannot be written (${code})`,
    )
  }
  return key
}
