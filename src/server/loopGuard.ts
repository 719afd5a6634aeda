/**
 * Ends a circle of gateways. Each names itself to servers on its own network, and one that finds its own name in a
 * request is asked, over however many others, by itself: without an end every such request would begin another.
 */

import type { IncomingHttpHeaders } from 'node:http'
import { InvalidRequestError } from '../domain/errors.ts'
import { VIA_HEADER } from '../engine/attempt/writeCall.ts'

const NAME = /^[0-9a-f]{32}$/
/** Longer chains than this are not built. */
const MOST_NAMES = 16

/** The names to send on; null for a gateway without one. Throws InvalidRequestError (508) when it is its own upstream. */
export function viaOf(headers: IncomingHttpHeaders, instance: string | null): string | null {
  if (instance === null) return null
  const before = headers[VIA_HEADER]
  if (typeof before !== 'string') return instance
  const names = before.split(/\s*,\s*/, MOST_NAMES).filter((name) => NAME.test(name))
  if (names.includes(instance))
    throw new InvalidRequestError(
      'this gateway is its own upstream: take the provider whose "endpoint" leads back here out of the configuration',
      { status: 508 },
    )
  return [...names.slice(1 - MOST_NAMES), instance].join(',')
}
