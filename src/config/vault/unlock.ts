/** Derives the key of a vault's passphrase before the configuration is read, so that reading it stops nothing. */

import { asArray, asRecord } from '../../domain/json.ts'
import { configDocument, type LoadOptions } from '../config.ts'
import { deriveKey, isKnownKey, type Stretching } from './passphraseKey.ts'
import { vaultName } from './vaultLookup.ts'
import { vaultMeans } from './vaultMeans.ts'
import { openVaultFile, readVault, vaultLabel, vaultPlace } from './vaultOnDisk.ts'

/** The vault that a configuration looks keys up in. */
interface UsedVault {
  readonly file: string
  readonly label: string
}

/** Null where no value of the configuration is `vault:NAME`. Throws ConfigError. */
export function usedVault(options: LoadOptions): UsedVault | null {
  const document = configDocument(options)
  if (!asksVault(document.value)) return null
  const file = vaultPlace(document.file, options)
  return { file, label: vaultLabel(file, options.cwd) }
}

/**
 * Resolves when the key is derived; null where nothing has to be: the vault opens by a key, is not used, or cannot be
 * read, which reading the configuration will say.
 */
export function unlocking(options: LoadOptions): Promise<unknown> | null {
  try {
    const used = usedVault(options)
    return used === null ? null : unlockingOf(used, options)
  } catch {
    return null
  }
}

function unlockingOf({ file, label }: UsedVault, { env }: LoadOptions): Promise<unknown> | null {
  const { passphrase, keys } = vaultMeans(env)
  const stretching = stretchingOf(file, label)
  if (passphrase === null || stretching === null) return null
  const phrase = passphrase.reveal()
  if (isKnownKey(phrase, stretching) || (keys.length > 0 && opensBy(keys, file, label))) return null
  return deriveKey(phrase, stretching)
}

function stretchingOf(file: string, label: string): Stretching | null {
  const way = readVault(file, label).ways.find(({ kind }) => kind === 'passphrase')
  return way?.kind === 'passphrase' ? way.stretching : null
}

function opensBy(keys: ReturnType<typeof vaultMeans>['keys'], file: string, label: string): boolean {
  try {
    openVaultFile(file, label, { keys, passphrase: null }).close()
    return true
  } catch {
    return false
  }
}

function asksVault(value: unknown): boolean {
  if (typeof value === 'string') return vaultName(value) !== null
  const parts = asArray(value) ?? Object.values(asRecord(value) ?? {})
  return parts.some(asksVault)
}
