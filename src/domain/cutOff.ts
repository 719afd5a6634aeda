import type { AttemptEvent } from './store.ts'

/**
 * Whether the call was under way when its process was killed, so that nobody knows what it used. No budget counts it:
 * what was set aside for it is held until the lease of that process ends, and free from then on. Every other attempt
 * without a usage costs nothing.
 */
export const wasCutOff = ({ usage, costNanoUsd }: Pick<AttemptEvent, 'usage' | 'costNanoUsd'>): boolean =>
  usage === null && costNanoUsd === null
