/** The names that keywise brings along. All but `auto` itself begin with `auto:`. */

import type { AliasCondition, Aliases } from '../../config/alias.ts'
import type { Profile } from '../../routing/weights.ts'

/** The whole choice, with one thing weighed more. */
export const PROFILES: ReadonlyMap<string, Profile> = new Map([
  ['auto', 'balanced'],
  ['auto:fast', 'fast'],
  ['auto:cheap', 'cheap'],
  ['auto:smart', 'smart'],
])

const ANY: AliasCondition = { from: ['*'], needs: [], minContext: null, maxUsdOut: null, free: false, order: [] }

/** More than the 131,072 tokens that most models of today read. */
const LONG_TOKENS = 200_000

/** Aliases by condition, as a user may write them; one of the same name in the settings takes their place. */
export const SHIPPED_ALIASES = {
  'auto:free': { ...ANY, free: true },
  'auto:vision': { ...ANY, needs: [{ word: 'vision', ability: 'images' }] },
  'auto:long': { ...ANY, minContext: LONG_TOKENS },
} as const satisfies Aliases

/** As they are listed: the choice itself first. */
export const SHIPPED_NAMES: readonly string[] = [...PROFILES.keys(), ...Object.keys(SHIPPED_ALIASES)]
