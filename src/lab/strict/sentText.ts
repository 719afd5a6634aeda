/** A value as text; empty for an object, whose own `toString` may be anything that a client has sent. */
export const sentText = (value: unknown): string => (typeof value === 'object' && value !== null ? '' : String(value))
