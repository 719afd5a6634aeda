/**
 * Opens the vault for a command that is about to read the configuration: by the system's keyring, or by asking. What was
 * found travels in the command's own copy of the environment and reaches no other process.
 */

import { opensIn } from '../../config/vault/openVault.ts'
import { deriveKey } from '../../config/vault/passphraseKey.ts'
import { unlocking, usedVault } from '../../config/vault/unlock.ts'
import type { VaultFile } from '../../config/vault/vaultFile.ts'
import { vaultMeans } from '../../config/vault/vaultMeans.ts'
import { readVault } from '../../config/vault/vaultOnDisk.ts'
import { KeywiseError } from '../../domain/errors.ts'
import type { Secret } from '../../domain/redact.ts'
import { loadOptions } from '../../manager/locations.ts'
import type { CommandContext } from '../command.ts'
import { engineOptions } from '../withEngine.ts'
import { Asker } from './ask.ts'
import { systemKeyring } from './keyring.ts'

const MOST_TRIES = 3

/** The context in which the configuration can be read. What is wrong with the vault is said when it is. */
export async function withVaultKey(context: CommandContext): Promise<CommandContext> {
  const options = loadOptions(engineOptions(context))
  const file = lockedVault(context)
  if (file === null) {
    await unlocking(options)?.catch(() => undefined)
    return context
  }
  const key = keyOfKeyring(file, context.env)
  if (key !== null) return { ...context, env: { ...context.env, KEYWISE_VAULT_KEY: key.reveal() } }
  const asker = new Asker(context)
  const passphrase = asker.isTerminal ? await askPassphrase(file, asker, context) : null
  if (passphrase === null) return context
  return { ...context, env: { ...context.env, KEYWISE_VAULT_PASSPHRASE: passphrase.reveal() } }
}

/** The key of the keyring, where it opens the vault. */
export function keyOfKeyring(file: VaultFile, env: CommandContext['env']): Secret | null {
  if (!file.ways.some(({ kind }) => kind === 'keyring')) return null
  const key = systemKeyring(env)?.find(file.id) ?? null
  return key !== null && opensIn(file, { kind: 'keyring', key }) ? key : null
}

/** Asks until it opens the vault, three times at most; null then, or when it has no passphrase. */
export async function askPassphrase(
  file: VaultFile,
  asker: Asker,
  { stderr }: Pick<CommandContext, 'stderr'>,
): Promise<Secret | null> {
  const way = file.ways.find(({ kind }) => kind === 'passphrase')
  if (way?.kind !== 'passphrase') return null
  const { stretching } = way
  for (let tries = 0; tries < (asker.isTerminal ? MOST_TRIES : 1); tries++) {
    const passphrase = await asker.secret('Passphrase of the vault')
    await deriveKey(passphrase.reveal(), stretching)
    if (opensIn(file, { kind: 'passphrase', passphrase, stretching })) return passphrase
    stderr.write('That does not open it.\n')
  }
  return null
}

/** The vault that the configuration needs and that nothing in the environment is meant to open. */
function lockedVault(context: CommandContext): VaultFile | null {
  try {
    const used = usedVault(loadOptions(engineOptions(context)))
    if (used === null) return null
    const { keys, passphrase } = vaultMeans(context.env)
    return keys.length > 0 || passphrase !== null ? null : readVault(used.file, used.label)
  } catch (error) {
    if (!(error instanceof KeywiseError)) throw error
    return null
  }
}
