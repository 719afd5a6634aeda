/** The headers of an answer: lower-case name to text. */

import type { IncomingHttpHeaders } from 'node:http'

export type FlatHeaders = Readonly<Record<string, string>>

/**
 * The same object where every value is a text already, which is nearly always; lists are joined as RFC 9110 5.3 says.
 */
export function flatHeaders(headers: IncomingHttpHeaders): FlatHeaders {
  for (const name in headers) if (typeof headers[name] !== 'string') return joined(headers)
  return headers as FlatHeaders // every value was just seen to be a text
}

function joined(headers: IncomingHttpHeaders): FlatHeaders {
  const flat: Record<string, string> = {}
  for (const [name, value] of Object.entries(headers)) if (value !== undefined) flat[name] = String(value)
  return flat
}
