/** What the sequential tests are measured against: how many observations a test with a single look needs. */

import { normalQuantile } from '../../src/experiment/normal.ts'

/** ((z_(1-alpha/2) + z_power) * sd / effect)^2. */
export function fixedSampleSize(effect: number, sd: number, alpha: number, power: number): number {
  return (((-normalQuantile(alpha / 2) + normalQuantile(power)) * sd) / effect) ** 2
}
