/**
 * The alert channels of the settings, with their secrets resolved. A channel whose secret is missing is left out; the
 * rest still load.
 */

import { ConfigError } from '../domain/errors.ts'
import { Secret } from '../domain/redact.ts'
import { complain, type Remarks } from './remarks.ts'
import { readSecret, type Surroundings } from './secrets.ts'
import type { SettingsOfFile } from './settingsSchema.ts'
import type { Path } from './showPath.ts'

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
  const read = (value: string, ...path: Path) => {
    return new Secret(readSecret(value, ['settings', 'alerts', ...path], remarks.document, around))
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
  read: (value: string, ...path: Path) => Secret,
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
    if (!(error instanceof ConfigError)) throw error
    remarks.addText(`${error.message}; until then this channel is silent`)
    return {}
  }
}
