/** Ids of events: unique over processes by their origin, and growing with time, which indexes like. */

let count = 0

export function nextId(origin: string): string {
  return `${origin}-${(count++).toString(36).padStart(7, '0')}`
}
