/** Since when each key is known here: kept in the store, because a keys file does not say it. */

import type { Engine } from '../engine/engine.ts'
import { FIRST_SEEN, keyId } from '../views/keys.ts'

/** Notes keys that were not seen before. */
export function noteNewKeys({ registry, store, now }: Pick<Engine, 'registry' | 'store' | 'now'>): void {
  const known = new Set(store.listDocs(FIRST_SEEN).map(([id]) => id))
  const news = registry.credentials.map(keyId).filter((id) => !known.has(id))
  if (news.length > 0) store.setDocs(FIRST_SEEN, new Map(news.map((id) => [id, { at: now }])))
}
