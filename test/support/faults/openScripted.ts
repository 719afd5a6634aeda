/** A world whose first provider says, byte for byte, what a test tells it to. */

import type { DialectId } from '../../../src/domain/chat.ts'
import { type FaultWorldOptions, openFaultWorld } from './faultWorld.ts'
import { type Said, scriptedUpstream } from './scriptedUpstream.ts'

export async function openScripted(dialect: DialectId, options: Omit<FaultWorldOptions, 'dialect' | 'endpoint'> = {}) {
  let said: Said = null
  const upstream = await scriptedUpstream(() => said)
  const world = await openFaultWorld({ ...options, dialect, endpoint: upstream.endpoint })
  /** What is said to the next questions; the past is forgotten. */
  const says = (next: Said) => {
    world.renew()
    said = next
  }
  return { world, upstream, says }
}
