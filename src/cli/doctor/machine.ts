/** Checks this machine: node, the configuration and its permissions. */

import { statSync } from 'node:fs'
import type { Config } from '../../config/config.ts'
import { gitWarning } from '../../config/gitGuard.ts'
import { isSqliteAvailable } from '../../store/sqlite/module.ts'
import { type Finding, fine, problem, warning } from './finding.ts'

/** `engines` of the package: older versions lack unflagged type stripping and `node:sqlite`. */
const OLDEST = [22, 19] as const

export function checkNode(version = process.versions.node): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const isNewEnough = major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1])
  if (!isNewEnough) return problem('node', `node ${version} is too old`, `install node ${OLDEST.join('.')} or newer`)
  return isSqliteAvailable()
    ? fine('node', `node ${version}`)
    : warning('node', `node ${version} has no node:sqlite, so nothing is kept`, 'use a complete build of node')
}

export function checkConfig(config: Config): Finding[] {
  const { file, providers, warnings } = config
  const keys = providers.reduce((count, provider) => count + provider.keys.length, 0)
  const from = file ?? 'the environment (there is no keys file)'
  const names = providers.map(({ spec }) => spec.name).join(', ')
  const found =
    keys === 0
      ? problem(
          'configuration',
          `${from}: there is no API key`,
          'write one into config/api-keys.json or set a variable such as GROQ_API_KEY',
        )
      : fine('configuration', `${from}: ${keys} ${keys === 1 ? 'key' : 'keys'} of ${names}`)
  const git = file === null ? null : gitWarning(file)
  return [
    found,
    ...warnings
      .filter((text) => git === null || !text.includes(git))
      .map((text) => warning('configuration', text, null)),
    ...(file === null ? [] : [checkGit(file, git), ...checkSecrecy('configuration', file, '600')]),
  ]
}

function checkGit(file: string, said: string | null): Finding {
  if (said === null) return fine('git', `${file} is not about to be committed`)
  const [what, ...advice] = said.split('; ')
  return problem('git', `${file} ${what}`, advice.join('; '))
}

/** Keys and prompts must not be readable by other users. Windows keeps permissions elsewhere (ACLs). */
export function checkSecrecy(check: string, path: string, mode: string): Finding[] {
  if (process.platform === 'win32') return []
  const about = statSync(path, { throwIfNoEntry: false })
  if (about === undefined || (about.mode & 0o077) === 0) return []
  return [warning(check, `${path} can be read by other users of this machine`, `run: chmod ${mode} ${path}`)]
}
