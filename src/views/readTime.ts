/** Reads times as people write them in options and queries. */

const UNIT_MS = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const
const AGO = /^(\d{1,5})([mhdw])$/
const ISO = /^\d{4}-\d\d(?:-\d\d)?(?:T[\d:.]+(?:Z|[+-]\d\d:?\d\d)?)?$/

/** `2026-11-23`, `2026-11-23T14:00Z`, or `24h`, `7d` before now; epoch milliseconds, dates without a zone are UTC. */
export function readTime(text: string, now: number): number | null {
  const ago = AGO.exec(text)
  if (ago !== null) return now - Number(ago[1]) * UNIT_MS[ago[2] as keyof typeof UNIT_MS] // the pattern allows no other
  if (!ISO.test(text)) return null
  const at = Date.parse(text.includes('T') && !/(?:Z|[+-]\d\d:?\d\d)$/.test(text) ? `${text}Z` : text)
  return Number.isNaN(at) ? null : at
}
