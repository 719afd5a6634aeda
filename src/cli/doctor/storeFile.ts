/** Checks the store's file, its copies and what was set aside, and mends them on demand (`--repair`). */

import { chmodSync, statSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { KeywiseError } from '../../domain/errors.ts'
import { damagedFilesOf, listBackups, restoreNewest } from '../../store/sqlite/backups.ts'
import { checkStoreFile } from '../../store/sqlite/checkFile.ts'
import { fileIdentity, setAside } from '../../store/sqlite/file.ts'
import { countWrongRows, demandAlone, type Merged, mendRows, mergeDamaged } from '../../store/sqlite/repair.ts'
import { openSqliteStore } from '../../store/sqlite/sqlite.ts'
import { clockText, plural } from '../output.ts'
import { type Finding, fine, problem, warning } from './finding.ts'
import { checkSecrecy } from './machine.ts'

const REPAIR = 'run: keywise doctor --repair'

export function checkStorePlace(location: string): Finding[] {
  if (isInMemory(location)) return [warning('store', 'in memory: what is learned is lost when the process ends', null)]
  const file = checkStoreFile(location)
  switch (file.state) {
    case 'absent':
      return [fine('store', `${location} will be created by the first call`), ...checkDamaged(location)]
    case 'whole':
      return [
        checkRows(location, file.bytes),
        ...checkSecrecy('store', dirname(location), '700'),
        ...checkDamaged(location),
        checkBackups(location),
      ]
    default:
      return [problem('store', `${location} is ${file.state}: ${file.reason}`, REPAIR), ...checkDamaged(location)]
  }
}

/**
 * Mends what can be mended: a damaged store begins with its newest backup, what is readable of damaged files is added,
 * rows that are not as they were written are replaced or taken out, and files that others can read are closed to them.
 * Nothing is deleted.
 */
export async function repairStore(location: string, now: number): Promise<Finding[]> {
  if (isInMemory(location)) return []
  try {
    return [...(await mended(location, now)), ...closed(dirname(location))]
  } catch (error) {
    if (!(error instanceof KeywiseError)) throw error
    const [what = '', ...advice] = error.message.split('; ')
    return [problem('repair', what, advice.join('; ') || 'see above')]
  }
}

async function mended(location: string, now: number): Promise<Finding[]> {
  const findings: Finding[] = []
  const { state } = checkStoreFile(location)
  if (state === 'absent' && damagedFilesOf(location).length === 0) return [fine('repair', 'there is no store yet')]
  if (state === 'damaged') {
    demandAlone(location)
    const aside = setAside(location, fileIdentity(location), now)
    const backup = restoreNewest(location)
    const begins = backup === null ? 'an empty store' : `the backup of ${clockText(new Date(backup.at).toISOString())}`
    findings.push(fine('repair', `the damaged store is kept as ${aside}; ${location} begins with ${begins}`))
  }
  // Creates it, or brings it to the newest version.
  await openSqliteStore(location, {
    now: () => now,
    warn: (line) => findings.push(warning('repair', line, null)),
  }).close()
  for (const merged of mergeDamaged(location, damagedFilesOf(location))) findings.push(mergedFinding(merged))
  if (countWrongRows(location) > 0) {
    const { replaced, removed, file } = mendRows(location, now)
    const taken = file === null ? '' : `, ${plural(removed, 'row')} taken out (kept in ${file})`
    findings.push(fine('repair', `${plural(replaced, 'row')} replaced from backups${taken}`))
  }
  return findings.length === 0 ? [fine('repair', `${location} needs no repair`)] : findings
}

function mergedFinding({ path, added, rejected, hasGaps }: Merged): Finding {
  const lost = [
    ...(rejected > 0 ? [`${plural(rejected, 'row')} not as they were written`] : []),
    ...(hasGaps ? ['some pages cannot be read'] : []),
  ]
  const from = `${plural(added, 'row')} brought back from ${basename(path)}`
  return lost.length === 0 ? fine('repair', from) : warning('repair', `${from}; ${lost.join(', ')}`, null)
}

function closed(folder: string): Finding[] {
  if (checkSecrecy('store', folder, '700').length === 0) return []
  chmodSync(folder, 0o700)
  return [fine('repair', `${folder} is no longer readable by other users`)]
}

function checkRows(location: string, bytes: number): Finding {
  const wrong = countWrongRows(location)
  if (wrong > 0) return problem('store', `${plural(wrong, 'row')} of ${location} are not as they were written`, REPAIR)
  return fine('store', `${location} is intact (${Math.ceil(bytes / 1024)} KiB)`)
}

function checkDamaged(location: string): Finding[] {
  return damagedFilesOf(location).map((path) =>
    warning('store', `${path} was set aside because it is damaged`, `${REPAIR} (it brings back what can be read)`),
  )
}

function checkBackups(location: string): Finding {
  const [newest, ...others] = listBackups(location)
  if (newest === undefined) return fine('backups', 'none yet: keywise makes one a day while it runs (settings.backups)')
  const when = clockText(new Date(newest.at).toISOString())
  const wrong = checkStoreFile(newest.path)
  if (wrong.state !== 'whole')
    return problem(
      'backups',
      `the newest, ${newest.path}, is ${wrong.state}`,
      'delete it; the next one is made within a day',
    )
  return fine('backups', `${others.length + 1}, the newest of ${when} (${statSync(newest.path).size >> 10} KiB)`)
}

const isInMemory = (location: string) => /^:?memory:/.test(location)
