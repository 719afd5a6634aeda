/** File locations: the keys file, the files beside it, and the user's own state. */

import { homedir } from 'node:os'
import { posix, win32 } from 'node:path'
import { type Environment, type EnvironmentVariables, readEnvironment } from './environment.ts'

interface Places {
  readonly environment: Environment
  readonly cwd: string
  readonly home: string
  readonly platform: NodeJS.Platform
}

const KEYS_FILE = 'api-keys.json'

/** Where the keys file is looked for when none is named, in this order. */
export function keysFileCandidates({ environment, cwd, home, platform }: Places): readonly string[] {
  const path = pathsOf(platform)
  const xdg = environment.xdgConfigHome ?? path.join(home, '.config')
  const own = platform === 'win32' && environment.appData ? [path.join(environment.appData, 'keywise', KEYS_FILE)] : []
  return [path.join(cwd, 'config', KEYS_FILE), path.join(xdg, 'keywise', KEYS_FILE), ...own]
}

/** The folder of the store and the tokens: per user, because quotas belong to keys and not to projects. */
export function stateFolder({ environment, home, platform }: Omit<Places, 'cwd'>): string {
  const path = pathsOf(platform)
  if (environment.xdgStateHome !== null) return path.join(environment.xdgStateHome, 'keywise')
  if (platform === 'darwin') return path.join(home, 'Library', 'Application Support', 'keywise')
  if (platform === 'win32') return path.join(environment.localAppData ?? path.join(home, 'AppData', 'Local'), 'keywise')
  return path.join(home, '.local', 'state', 'keywise')
}

/** `apiStats.json` beside the keys file. */
export function statsFileBeside(configFile: string): string {
  const path = configFile.includes('\\') ? win32 : posix
  return path.join(path.dirname(configFile), 'apiStats.json')
}

function pathsOf(platform: NodeJS.Platform): typeof posix {
  return platform === 'win32' ? win32 : posix
}

/** The same, from the variables of a process. */
export function stateFolderOf(variables: EnvironmentVariables): string {
  return stateFolder({
    environment: readEnvironment(variables),
    home: variables['HOME'] ?? homedir(),
    platform: process.platform,
  })
}
