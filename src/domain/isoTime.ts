/** Times as programs read them: ISO 8601 in UTC. */

/** ISO 8601 of epoch milliseconds; null for no time, and for one that never comes (infinite). */
export function isoOrNull(at: number | null | undefined): string | null {
  return at == null || !Number.isFinite(at) ? null : new Date(at).toISOString()
}

/** The UTC day of epoch milliseconds: `2026-11-30`. */
export function isoDay(at: number): string {
  return new Date(at).toISOString().slice(0, 10)
}

/** What was published counts as current for this long, where it does not say itself. */
const CURRENT_MS = 90 * 86_400_000

/** The last day (ISO date) on which a fact that was read on a day counts as current; empty for no date. */
export function currentUntil(checkedAt: string): string {
  const at = Date.parse(checkedAt)
  return Number.isNaN(at) ? '' : isoDay(at + CURRENT_MS)
}
