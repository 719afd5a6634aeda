/** How a budget pushes requests to cheaper targets before it is used up. */

/** How fast the pressure follows the overspending. */
const ETA = 0.05
const MOST = 10

/**
 * The next pressure (lambda) of a budget, after part of its period. Grows while more is spent than the elapsed time
 * allows, falls back to 0 while less is.
 *
 * @param spent USD spent in this period so far
 * @param allowed USD that the limit allows for the time elapsed so far; 0 or less counts as all spent
 */
export function nextPressure(pressure: number, spent: number, allowed: number): number {
  const ratio = allowed > 0 ? spent / allowed : 2
  const next = pressure + ETA * (ratio - 1)
  return Number.isFinite(next) ? Math.min(MOST, Math.max(0, next)) : 0
}
