/** Times as programs read them: ISO 8601 in UTC. */

/** ISO 8601 of epoch milliseconds; null for no time, and for one that never comes (infinite). */
export function isoOrNull(at: number | null | undefined): string | null {
  return at == null || !Number.isFinite(at) ? null : new Date(at).toISOString()
}
