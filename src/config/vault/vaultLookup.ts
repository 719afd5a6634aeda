/** The vault as the reader of a configuration sees it: opened when the first `vault:NAME` is met, and once. */

import { VaultError } from '../../domain/errors.ts'
import { Secret } from '../../domain/redact.ts'
import type { EnvironmentVariables } from '../environment.ts'
import { type OpenVault, opensIn, type VaultEntry, type VaultMeans } from './openVault.ts'
import { KEY_BYTES } from './seal.ts'
import { vaultMeans } from './vaultMeans.ts'
import { openVaultFile, readVault } from './vaultOnDisk.ts'

export interface VaultLookup {
  /** Throws VaultError when the vault cannot be opened. */
  find(name: string): VaultEntry | undefined
}

/** Who asks for a key of the vault, and where it would go. */
export interface VaultUse {
  /** The provider's id, `alerts:telegram` or `alerts:webhook`. */
  readonly provider: string
  /** The origin that the configuration gives; null where it gives none. */
  readonly address: string | null
}

export function lazyVault(file: string, label: string, env: EnvironmentVariables): VaultLookup {
  let entries: ReadonlyMap<string, VaultEntry> | undefined
  return {
    find: (name) => {
      entries ??= entriesOf(file, label, env)
      return entries.get(name)
    },
  }
}

/**
 * Whether a text is what opens the vault: the passphrase or a key that was given, or another key that opens it. A
 * passphrase that was not given is not tried: that would take half a second for each value.
 */
export function opensVault(text: string, file: string, env: EnvironmentVariables): boolean {
  const { passphrase, keys } = given(env)
  if ([...keys, ...(passphrase === null ? [] : [passphrase])].some((one) => one.reveal().trim() === text)) return true
  if (Buffer.from(text, 'base64').length !== KEY_BYTES) return false
  try {
    const vault = readVault(file, file)
    const key = new Secret(text)
    return opensIn(vault, { kind: 'file', key }) || opensIn(vault, { kind: 'keyring', key })
  } catch {
    return false // there is no vault, or none that anything opens
  }
}

/** What is no key opens nothing; reading the vault says so. */
function given(env: EnvironmentVariables): VaultMeans {
  try {
    return vaultMeans(env)
  } catch {
    return { passphrase: null, keys: [] }
  }
}

/**
 * Where a block sends its keys: null is the provider's own address. Another `host` header is another place: a shared
 * front finds by it whose server is asked.
 */
export function addressFor(url: string | null, headers: Readonly<Record<string, string>> = {}): string | null {
  const host = Object.entries(headers).find(([name]) => name.toLowerCase() === 'host')?.[1]
  const origin = url === null ? null : new URL(url).origin
  return host === undefined ? origin : `${origin ?? 'its own address'} as host ${JSON.stringify(host)}`
}

/** A vault that is open already. */
export function lookupIn(vault: OpenVault): VaultLookup {
  return { find: (name) => vault.find(name) }
}

function entriesOf(file: string, label: string, env: EnvironmentVariables): ReadonlyMap<string, VaultEntry> {
  const vault = openVaultFile(file, label, vaultMeans(env))
  vault.close()
  return new Map(vault.entries.map((entry) => [entry.name, entry]))
}

/** The name in `vault:NAME`; null for any other value. */
export function vaultName(value: string): string | null {
  return /^\s*vault:(.*)$/s.exec(value)?.[1]?.trim() ?? null
}

/** Why the entry is not given to who asks, with what to do; null when it is. */
export function whyWithheld(
  entry: VaultEntry | undefined,
  name: string,
  { provider, address }: VaultUse,
): string | null {
  const shown = entry?.name ?? name
  if (entry === undefined)
    return `asks the vault for "${shown}", which it does not have; run: keywise vault add ${shown} --provider ${provider}`
  const again = `keywise vault remove ${shown}, then keywise vault add ${shown} --provider ${provider}`
  if (entry.provider !== provider)
    return `asks the vault for "${shown}", which is a key for ${entry.provider} and is given to nobody else; name another key, or if it is meant: ${again}`
  if (entry.address !== address)
    return `asks the vault for "${shown}", which may be sent to ${placeText(entry.address)} alone, not to ${placeText(address)}; correct the address, or if it is meant: ${again}`
  return null
}

const placeText = (address: string | null) => address ?? "the provider's own address"

/** The error about one place of the configuration. */
export function withheld(message: string): VaultError {
  return new VaultError(message, { reason: 'entry' })
}
