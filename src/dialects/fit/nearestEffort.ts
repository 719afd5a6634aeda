/** Words for how much a model is to think, as a scale. */

import type { ReasoningEffort } from '../../domain/chat.ts'

export const EFFORTS: readonly ReasoningEffort[] = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max']

/** The word that is nearest to `asked`; of two, the one that thinks more. */
export function nearestEffort(asked: ReasoningEffort, known: readonly ReasoningEffort[]): ReasoningEffort {
  const rank = EFFORTS.indexOf(asked)
  const thinking = known.filter((effort) => effort !== 'none')
  return thinking.reduce((best, effort) => {
    const closer = Math.abs(EFFORTS.indexOf(effort) - rank) - Math.abs(EFFORTS.indexOf(best) - rank)
    return closer < 0 || (closer === 0 && EFFORTS.indexOf(effort) > EFFORTS.indexOf(best)) ? effort : best
  }, thinking[0] ?? asked)
}
