/** Where Telegram's token goes. */

const TELEGRAM = 'https://api.telegram.org'

/** The origin of `api_root`; null for Telegram's own. */
export function telegramAddress(apiRoot: string | undefined): string | null {
  const origin = apiRoot !== undefined && URL.canParse(apiRoot) ? new URL(apiRoot).origin : TELEGRAM
  return origin === TELEGRAM ? null : origin
}
