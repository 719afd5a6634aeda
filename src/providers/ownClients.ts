/** Whose own client library is asking: some expect more of a server than the dialect says. */

import { catalog } from './catalog.ts'
import type { OwnClient } from './provider.ts'

const OWN_CLIENTS = catalog.flatMap(({ ownClient }) => ownClient ?? [])

/** `userAgent`: the header as it came; undefined for every client that goes by the dialect. */
export function ownClientOf(userAgent: string | undefined): OwnClient | undefined {
  return userAgent === undefined ? undefined : OWN_CLIENTS.find(({ sign }) => userAgent.includes(sign))
}
