/** Installs the agents, outside the project: they are large (about 1.2 GB). */

import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Installs what the lock file says, once per lock file, into the temporary folder. Returns its `node_modules`. */
export function installAgents(): string {
  const lock = join(import.meta.dirname, 'package-lock.json')
  const digest = createHash('sha256').update(readFileSync(lock)).digest('hex').slice(0, 12)
  const folder = join(tmpdir(), `keywise-agents-${digest}`)
  const done = join(folder, '.installed')
  if (!existsSync(done)) {
    mkdirSync(folder, { recursive: true })
    for (const name of ['package.json', 'package-lock.json'])
      copyFileSync(join(import.meta.dirname, name), join(folder, name))
    console.error(`installing the agents into ${folder} (once)`)
    // Not `npm ci`: it takes the optional parts of gemini-cli's clipboard, which have no version, for missing.
    const npm = spawnSync('npm', ['install', '--ignore-scripts', '--loglevel=error'], { cwd: folder, stdio: 'inherit' })
    if (npm.status !== 0) throw new Error('the agents could not be installed')
    writeFileSync(done, '')
  }
  return join(folder, 'node_modules')
}
