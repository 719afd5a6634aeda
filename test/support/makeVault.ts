/** Vaults for tests: opened by a key, because a passphrase is meant to take its time. */

import { join } from 'node:path'
import { freshKey, type NewWay, OpenVault, type VaultEntry } from '../../src/config/vault/openVault.ts'
import type { VaultFormat } from '../../src/config/vault/vaultFile.ts'
import type { Secret } from '../../src/domain/redact.ts'
import { Secret as SecretValue } from '../../src/domain/redact.ts'
import { put } from './temporaryFolder.ts'

export const VAULT_NOW = Date.UTC(2026, 10, 1)

type Entry = Partial<VaultEntry> & Pick<VaultEntry, 'name'> & { readonly key: string }

export interface MadeVault {
  readonly file: string
  readonly key: Secret
  /** What a process needs to open it. */
  readonly env: { readonly KEYWISE_VAULT_KEY: string }
}

/** Of provider `groq` and without an address unless the entry says otherwise. */
export function vaultEntry({ key, ...entry }: Entry): VaultEntry {
  const createdAt = new Date(VAULT_NOW).toISOString()
  return { provider: 'groq', address: null, createdAt, note: null, ...entry, secret: new SecretValue(key) }
}

export function vaultWith(entries: readonly Entry[], ways: readonly NewWay[], format?: VaultFormat): OpenVault {
  const vault = OpenVault.create({ ways, now: VAULT_NOW, ...(format !== undefined && { format }) })
  for (const entry of entries) vault.put(vaultEntry(entry))
  return vault
}

/** `config/vault.json` below the folder. */
export function makeVault(folder: string, entries: readonly Entry[]): MadeVault {
  const key = freshKey()
  const vault = vaultWith(entries, [{ kind: 'file', key }])
  const file = put(folder, join('config', 'vault.json'), vault.text())
  return { file, key, env: { KEYWISE_VAULT_KEY: key.reveal() } }
}
