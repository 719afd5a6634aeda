/** Every place of a configuration where a secret can stand, with who gets it: what is moved into the vault, or asks it. */

import { asRecord, asString } from '../../domain/json.ts'
import { findProvider } from '../../providers/catalog.ts'
import { configDocument, type LoadOptions } from '../config.ts'
import type { ConfigDocument } from '../document.ts'
import { readEndpoint } from '../endpoint.ts'
import { type ProviderEntry, readProviders } from '../keysFile.ts'
import { Remarks } from '../remarks.ts'
import type { Path } from '../showPath.ts'
import { telegramAddress } from '../telegramAddress.ts'
import { addressFor, type VaultUse, vaultName } from './vaultLookup.ts'

export interface PlacedSecret {
  readonly path: Path
  /** As it is written. */
  readonly value: string
  readonly use: VaultUse
  /** What a name in the vault is made of: `groq-1`, or the key's label. */
  readonly name: string
}

/** In the order of the file. Throws ConfigError. */
export function placedSecrets(options: LoadOptions): PlacedSecret[] {
  const document = configDocument(options)
  const find = (name: string) =>
    options.providers?.find((spec) => [spec.id, ...(spec.aliases ?? [])].includes(name)) ?? findProvider(name)
  const entries = readProviders(new Remarks(document), find)
  return [...entries.flatMap(keysIn), ...alertsIn(document)]
}

/** Whether a value is the secret itself, and not where it is found. */
export function isWrittenOut(value: string): boolean {
  return !/^\s*(?:(?:env|file|vault):|none\s*$|$)/i.test(value)
}

function keysIn(entry: ProviderEntry): PlacedSecret[] {
  const use = { provider: entry.id, address: addressOf(entry) }
  return entry.keys.map(({ value, path, settings }, index) => ({
    path,
    value,
    use,
    name: vaultName(value) ?? (entry.keys.length === 1 ? entry.id : `${entry.id}-${settings.label ?? index + 1}`),
  }))
}

function addressOf({ endpoint, known, headers }: ProviderEntry): string | null {
  const read = endpoint === undefined ? null : readEndpoint(endpoint.text, known)
  return addressFor(read?.ok && read.url !== known?.baseUrl ? read.url : null, headers)
}

function alertsIn({ value }: ConfigDocument): PlacedSecret[] {
  const alerts = asRecord(asRecord(value['settings'])?.['alerts'])
  const telegram = asRecord(alerts?.['telegram'])
  const webhook = asRecord(alerts?.['webhook'])
  const bot = { provider: 'alerts:telegram', address: telegramAddress(asString(telegram?.['api_root'])) }
  const hook = { provider: 'alerts:webhook', address: null }
  return [
    { of: telegram, channel: 'telegram', field: 'bot_token', use: bot, name: 'telegram' },
    { of: webhook, channel: 'webhook', field: 'url', use: hook, name: 'webhook' },
    { of: webhook, channel: 'webhook', field: 'secret', use: hook, name: 'webhook-secret' },
  ].flatMap(({ of, channel, field, use, name }) => {
    const text = asString(of?.[field])
    return text === undefined ? [] : [{ path: ['settings', 'alerts', channel, field], value: text, use, name }]
  })
}
