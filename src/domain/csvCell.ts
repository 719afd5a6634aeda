/** A cell of comma-separated values: https://www.rfc-editor.org/rfc/rfc4180 */

import { printable } from './printable.ts'

/** Also in wide forms, which spreadsheets read alike. */
const FORMULA = /^[\s\ufffd]*[=+\-@＝＋－＠]/

/** One line, quoted where needed; a text that a spreadsheet would take for a formula gets an apostrophe in front. */
export function csvCell(value: string | number | boolean | null): string {
  if (value === null) return ''
  if (typeof value !== 'string') return String(value)
  // Labels come from callers, names of models, tools and tiers from services.
  const line = printable(value)
  const harmless = FORMULA.test(line) ? `'${line}` : line
  return /[",]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless
}
