/**
 * The alert channels of the settings, with their secrets resolved. A channel whose secret is missing is left out; the
 * rest still load.
 */

import { ConfigError, VaultError } from '../domain/errors.ts'
import { Secret } from '../domain/redact.ts'
import { complain, type Remarks } from './remarks.ts'
import { readSecret, type Surroundings } from './secrets.ts'
import type { SettingsOfFile } from './settingsSchema.ts'
import type { Path } from './showPath.ts'
import { telegramAddress } from './telegramAddress.ts'

type AlertsOfFile = SettingsOfFile['alerts']

export interface AlertSettings {
  readonly backupAfterMs: number
  readonly telegram?: Omit<NonNullable<AlertsOfFile['telegram']>, 'botToken'> & { readonly botToken: Secret }
  readonly webhook?: Omit<NonNullable<AlertsOfFile['webhook']>, 'url' | 'secret'> & {
    /** A secret too: Slack and Discord put their key in the URL. */
    readonly url: Secret
    readonly secret?: Secret
  }
}

export function readAlerts(alerts: AlertsOfFile, remarks: Remarks, around: Surroundings): AlertSettings {
  const address = telegramAddress(alerts.telegram?.apiRoot)
  const read = (value: string, channel: 'telegram' | 'webhook', field: string) => {
    const use = { provider: `alerts:${channel}`, address: channel === 'telegram' ? address : null }
    const path: Path = ['settings', 'alerts', channel, field]
    return new Secret(readSecret({ value, path, use }, remarks.document, around))
  }
  const { telegram, webhook, backupAfterMs } = alerts
  return {
    backupAfterMs,
    ...(telegram &&
      channel(remarks, () => ({
        telegram: { ...telegram, botToken: read(telegram.botToken, 'telegram', 'bot_token') },
      }))),
    ...(webhook && channel(remarks, () => ({ webhook: withSecrets(webhook, read, remarks) }))),
  }
}

function withSecrets(
  webhook: NonNullable<AlertsOfFile['webhook']>,
  read: (value: string, channel: 'webhook', field: string) => Secret,
  remarks: Remarks,
): NonNullable<AlertSettings['webhook']> {
  const { url, secret, ...rest } = webhook
  const address = read(url, 'webhook', 'url')
  if (!/^https?:\/\//.test(address.reveal()) || !URL.canParse(address.reveal()))
    throw complain(remarks.document, ['settings', 'alerts', 'webhook', 'url'], 'must be an http or https address')
  return { ...rest, url: address, ...(secret !== undefined && { secret: read(secret, 'webhook', 'secret') }) }
}

function channel(remarks: Remarks, make: () => Partial<AlertSettings>): Partial<AlertSettings> {
  try {
    return make()
  } catch (error) {
    // A vault that does not open is no matter of one channel.
    if (!(error instanceof ConfigError || (error instanceof VaultError && error.reason === 'entry'))) throw error
    remarks.addText(`${error.message}; until then this channel is silent`)
    return {}
  }
}
