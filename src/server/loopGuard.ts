/**
 * Ends a circle of gateways. Each names itself to servers on its own network, and one that finds its own name in a
 * request is asked, over however many others, by itself: without an end every such request would begin another.
 */

import { randomBytes } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { InvalidRequestError } from '../domain/errors.ts'
import { VIA_HEADER } from '../engine/attempt/writeCall.ts'

const NAME = /^[0-9a-f]{32}$/
/** Longer chains than this are not built. */
const MOST_NAMES = 16

/** A name of its own for a gateway. Two of the same configuration are two gateways, so it is drawn. */
export function gatewayName(): string {
  return randomBytes(16).toString('hex')
}

/** The names to send on. Throws InvalidRequestError (508) when it is its own upstream. */
export function viaOf(headers: IncomingHttpHeaders, name: string): string {
  const before = headers[VIA_HEADER]
  if (typeof before !== 'string') return name
  const names = before.split(/\s*,\s*/, MOST_NAMES).filter((one) => NAME.test(one))
  if (names.includes(name))
    throw new InvalidRequestError(
      'this gateway is its own upstream: take the provider whose "endpoint" leads back here out of the configuration',
      { status: 508 },
    )
  return [...names.slice(1 - MOST_NAMES), name].join(',')
}
