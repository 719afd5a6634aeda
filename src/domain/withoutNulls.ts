/** Programs pass null for what they have not: it counts as absent. */

/** The record without the fields that are null; the record itself when there are none. */
export function withoutNulls<T extends object>(record: T): T {
  if (!Object.values(record).includes(null)) return record
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== null)) as T // fewer of its fields
}
