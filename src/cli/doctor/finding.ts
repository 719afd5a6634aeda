/** One finding of the doctor: a line, and what to do about it. */

export interface Finding {
  /** The subject of the check: `node`, `configuration`, `store`, `network`, `key` … */
  readonly check: string
  /** `warning`: worth knowing; `problem`: something does not work until it is fixed. */
  readonly state: 'ok' | 'warning' | 'problem'
  readonly message: string
  /** What to do; null where there is nothing to do. */
  readonly advice: string | null
}

export const fine = (check: string, message: string): Finding => ({ check, state: 'ok', message, advice: null })

export const warning = (check: string, message: string, advice: string | null): Finding => ({
  check,
  state: 'warning',
  message,
  advice,
})

export const problem = (check: string, message: string, advice: string): Finding => ({
  check,
  state: 'problem',
  message,
  advice,
})
