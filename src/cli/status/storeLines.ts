/** What `keywise status` says of the store: nothing while all is well. */

import type { StatusView } from '../../views/status.ts'
import { clockText, dollars, plural } from '../output.ts'

type StoreView = StatusView['store']

export function storeLines({ state, reason, interrupted }: StoreView): readonly string[] {
  const lines = interrupted.map(interruptedLine)
  if (state === 'degraded') lines.push(`Store: degraded: ${reason}; "keywise doctor" says what to do`)
  return lines
}

/** `3 calls were cut off when keywise was killed (begun 14:02 to 14:03); up to $0.02 may have been billed`. */
function interruptedLine({ calls, firstAt, lastAt, mostUsd, unpriced }: StoreView['interrupted'][number]): string {
  const [first, last] = [clockText(firstAt), clockText(lastAt)]
  const begun = first === last ? first : `${first} to ${last}`
  const known = mostUsd > 0 ? `up to ${dollars(mostUsd)}` : null
  const unknown = unpriced > 0 ? `${plural(unpriced, 'call')} of unknown price` : null
  const billed = [known, unknown].filter((one) => one !== null).join(' and ')
  const were = calls === 1 ? '1 call was' : `${calls} calls were`
  return `${were} cut off when keywise was killed (begun ${begun}); ${billed === '' ? 'none of them costs anything' : `${billed} may have been billed`}`
}
