/** `keywise models --refresh FILE_OR_URL [--digest …]` and `models --undo`: which facts file holds. */

import type { FactChange } from '../config/facts/factChanges.ts'
import { type RefreshedFacts, refreshFacts, undoFacts } from '../manager/refreshFacts.ts'
import { type CommandContext, type ExitCode, UsageError } from './command.ts'
import { type Printer, plural, printer } from './output.ts'
import { engineOptions } from './withEngine.ts'

/** More changes are only counted. */
const MOST_LINES = 40

/** Null when the options ask for neither. */
export async function refreshed(context: CommandContext): Promise<ExitCode | null> {
  const { refresh, undo, digest, json } = context.options
  const source = typeof refresh === 'string' ? refresh : null
  if (digest !== undefined && source === null)
    throw new UsageError('--digest belongs to "models --refresh FILE_OR_URL"')
  if (undo === true && source !== null) throw new UsageError('--undo takes no file; it restores the facts of before')
  if (source === null && undo !== true) return null
  const options = engineOptions(context)
  const result =
    source === null
      ? await undoFacts(options)
      : await refreshFacts(source, digest === undefined ? undefined : String(digest), options)
  const out = printer(context.stdout, context.env)
  if (json) out.json(result)
  else print(result, out)
  return 0
}

function print(result: RefreshedFacts, out: Printer): void {
  const { digest, from, published, facts, pricesOfNothing, unchanged, changes, skipped } = result
  if (digest === null) out.line('No facts file is installed any more; what keywise was shipped with holds.')
  else {
    out.line(`${unchanged ? 'Already in force' : 'In force'}: ${plural(facts, 'fact')} of ${published}, from ${from}`)
    out.line(digest)
  }
  if (changes.length > 0) out.line()
  for (const change of changes.slice(0, MOST_LINES)) out.line(changeLine(change))
  if (changes.length > MOST_LINES) out.line(`and ${changes.length - MOST_LINES} more`)
  if (!unchanged) {
    const count = (kind: FactChange['change']) => changes.filter(({ change }) => change === kind).length
    out.line(`${count('added')} added, ${count('changed')} changed, ${count('dropped')} dropped`)
  }
  if (pricesOfNothing > 0) {
    const says = pricesOfNothing === 1 ? ['says', 'it', 'that is'] : ['say', 'them', 'they are']
    out.line(
      `${plural(pricesOfNothing, 'price')} ${says[0]} that a call costs nothing: budgets believe ${says[1]}, "free_only" does not; take ${says[1]} out if ${says[2]} wrong`,
    )
  }
  if (skipped.length > 0) out.lines(`\n${plural(skipped.length, 'remark')}:`)
  for (const text of skipped.slice(0, MOST_LINES)) out.line(`  ${text}`)
  if (skipped.length > MOST_LINES) out.line(`  and ${skipped.length - MOST_LINES} more`)
}

const SIGNS = { added: '+', changed: '~', dropped: '-' } as const

function changeLine({ change, provider, model, before, after }: FactChange): string {
  const says = change === 'changed' && before !== after ? `${before} → ${after}` : (after ?? before)
  return `${SIGNS[change]} ${provider}/${model}: ${says}${change === 'changed' && before === after ? ' (confirmed anew)' : ''}`
}
