/** Paths to fields in one form, however an upstream writes them: `messages[1].prefix`, `messages.1.prefix`, a list. */

import { asText } from '../../domain/json.ts'

const NAME = /^[a-z_$][\w$-]{0,79}$/i
const DEEPEST = 12

/** `messages[].prefix`; undefined for what is no path. */
export function pathOf(written: string): string | undefined {
  return pathOfSteps(written.split(/\s*->\s*|[.[\]"'`\s]+/))
}

/** The same of a path in steps. Validators put names of their own types between them: `list[union[…]]`. */
export function pathOfSteps(steps: readonly unknown[]): string | undefined {
  const fields = steps.map(asText).filter((step, index) => step !== '' && !(index === 0 && step === 'body'))
  const known = fields.filter((step) => /^\d{1,6}$/.test(step) || NAME.test(step))
  const isPath =
    known.length > 0 && known.length <= DEEPEST && NAME.test(known[0] ?? '') && NAME.test(known.at(-1) ?? '')
  return isPath ? known.reduce(joined, '') : undefined
}

function joined(path: string, step: string): string {
  if (/^\d/.test(step)) return `${path}[]`
  return path === '' ? step : `${path}.${step}`
}
