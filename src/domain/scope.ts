/** Whose something is: what a limit is counted over. */

/** What a provider counts its limits over; keys with the same `account` label share whatever is not `key`. */
export type QuotaScope = 'key' | 'account' | 'account+model' | 'ip'
