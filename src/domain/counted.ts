/** A number with its unit, which is given in the plural: `1 request`, `30 requests`. */
export const counted = (count: number, units: string): string =>
  `${count} ${count === 1 ? units.replace(/s$/, '') : units}`
