/** The unit, which is given in the plural, as it is said of that many: `request`, `requests`. */
export const unitOf = (count: number, units: string): string => (count === 1 ? units.replace(/s$/, '') : units)

/** A number with its unit: `1 request`, `30 requests`. */
export const counted = (count: number, units: string): string => `${count} ${unitOf(count, units)}`
