/**
 * Who gets the alerts of a configuration. Its incidents belong to them: those of another configuration on the same store
 * have other people to tell. An edit of a channel changes neither that nor what waits for it.
 */

import { createHash } from 'node:crypto'
import { asRecord, asString } from '../../domain/json.ts'
import type { Store } from '../../domain/store.ts'
import type { Channel } from './channel.ts'

export interface Audience {
  readonly id: string
  /** Ids of its channels, by name. */
  readonly channels: Readonly<Record<string, string>>
}

const AUDIENCES = 'alert-audiences'

export const NOBODY: Audience = { id: 'nobody', channels: {} }

/**
 * `home` names the configuration, without which an audience is known only while the process lasts; `before` is what this
 * process used last.
 */
export function audienceOf(
  channels: readonly Channel[],
  before: Audience,
  { store, home }: { readonly store: Store; readonly home: string | null },
): { readonly audience: Audience; readonly before: Audience } {
  if (channels.length === 0) return { audience: NOBODY, before }
  const place = home === null ? null : hashOf(home)
  const known = before !== NOBODY || place === null ? before : read(store.getDoc(AUDIENCES, place))
  const ids = channels.map(({ id }) => id).sort()
  const audience = {
    id: known === NOBODY ? hashOf(ids.join(' ')) : known.id,
    channels: Object.fromEntries(channels.map(({ name, id }) => [name, id])),
  }
  if (place !== null && JSON.stringify(audience) !== JSON.stringify(known)) store.setDoc(AUDIENCES, place, audience)
  return { audience, before: known }
}

const hashOf = (text: string) => createHash('sha256').update(text).digest('hex').slice(0, 16)

function read(value: unknown): Audience {
  const record = asRecord(value)
  const id = asString(record?.['id'])
  if (id === undefined) return NOBODY
  const channels = Object.entries(asRecord(record?.['channels']) ?? {}).filter(([, one]) => typeof one === 'string')
  return { id, channels: Object.fromEntries(channels) as Record<string, string> } // filtered above
}
