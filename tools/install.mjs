// Installs what package-lock.json asks for and node_modules lacks, one launcher at a time. Only syntax that node 18
// knows.
import { existsSync, lstatSync, readFileSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { environment, runChild } from './child.mjs'
import { withLock } from './installLock.mjs'

/**
 * @typedef {{ version?: string, dev?: boolean, optional?: boolean, devOptional?: boolean, os?: string[], cpu?: string[],
 *   libc?: string[] }} Package
 * @typedef {Record<string, Package>} Packages
 * @typedef {{ platform: string, arch: string, libc: string }} Machine
 */

export const tell = (text) => console.error(`keywise: ${text}`)

/**
 * What is asked for and not there in that version. A package for another platform may be absent; one for this platform
 * may not, although npm calls it optional and says nothing when it could not be loaded.
 * @param {Packages} locked `packages` of package-lock.json
 * @param {Packages | undefined} installed what npm noted in node_modules when it last finished; undefined: it never did
 * @param {{ runtimeOnly: boolean, machine: Machine, isThere: (path: string) => boolean }} options
 * @returns {string[]} paths such as `node_modules/zod`
 */
export function missingPackages(locked, installed, { runtimeOnly, machine, isThere }) {
  const wanted = Object.keys(locked).filter((path) => path !== '' && !(runtimeOnly && locked[path].dev))
  return wanted.filter((path) => {
    const noted = installed?.[path]
    if (!noted) return isRequired(locked[path], machine)
    return noted.version !== locked[path].version || !isThere(path)
  })
}

/**
 * @param {Package} one
 * @param {Machine} machine
 */
function isRequired({ optional, devOptional, os, cpu, libc }, machine) {
  if (!optional && !devOptional) return true
  return (
    (os ?? cpu) !== undefined && admits(os, machine.platform) && admits(cpu, machine.arch) && admits(libc, machine.libc)
  )
}

/** npm's lists: `["linux"]`, or `["!win32"]`, or one word alone. */
function admits(list, value) {
  const words = list === undefined ? [] : [list].flat()
  const allowed = words.filter((word) => !word.startsWith('!'))
  return (allowed.length === 0 || allowed.includes(value)) && !words.includes(`!${value}`)
}

/** @returns {Machine} */
export function thisMachine() {
  const isMusl = process.platform === 'linux' && !process.report.getReport().header.glibcVersionRuntime
  return { platform: process.platform, arch: process.arch, libc: isMusl ? 'musl' : 'glibc' }
}

/** @returns {Packages} */
export const lockedPackages = (folder) => readPackages(join(folder, 'package-lock.json')) ?? {}

// npm writes this file last, so an installation that was interrupted has none, or an old one.
/** @returns {Packages | undefined} */
export const installedPackages = (folder) => readPackages(join(folder, 'node_modules/.package-lock.json'))

function readPackages(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).packages
  } catch {
    return undefined
  }
}

/**
 * Sees to it that the project's packages are there; says what it does, and exits when it cannot.
 * @param {string} root
 * @param {{ node: string, runtimeOnly: boolean }} options `node` runs npm: npm leaves out, without a word, an optional
 *   package whose `engines` exclude the node it runs on
 */
export async function installMissing(root, { node, runtimeOnly }) {
  const machine = thisMachine()
  const missing = () =>
    missingPackages(lockedPackages(root), installedPackages(root), {
      runtimeOnly,
      machine,
      isThere: (path) => existsSync(join(root, path, 'package.json')),
    })
  const before = missing()
  if (before.length === 0) return
  if (isLink(join(root, 'node_modules'))) {
    // Emptying it would take the packages from the folder that it belongs to.
    return tell(`node_modules is a link and lacks ${before.join(', ')}; install where it points to`)
  }
  tell(`installing ${runtimeOnly ? 'what it needs to run' : 'the development tools'} (${before.length} packages, once)`)
  const done = await install(root, { node, runtimeOnly, isComplete: () => missing().length === 0 })
  const left = missing()
  if (done && left.length === 0) return
  tell(
    `${done ? `npm could not load ${left.join(', ')}` : 'npm failed (see above)'}; with a network connection, run the same command again`,
  )
  process.exit(1)
}

/**
 * Lets npm install a folder's lock file, unless another launcher has done so meanwhile. Exits when interrupted.
 * @param {string} folder
 * @param {{ node: string, runtimeOnly: boolean, isComplete: () => boolean }} options
 * @returns {Promise<boolean>} whether npm was content
 */
export function install(folder, { node, runtimeOnly, isComplete }) {
  return withLock(join(folder, '.install-lock'), async () => {
    if (isComplete()) return true
    // `npm ci` begins by emptying; what an earlier installation finished is only added to, because a keywise may be
    // running on it, and because without a network it is better than nothing.
    const args = installedPackages(folder) ? ['install', '--no-save'] : ['ci']
    return npm(args, { folder, node, runtimeOnly })
  })
}

async function npm(args, { folder, node, runtimeOnly }) {
  const [command, ...before] = npmCommand(process.env, node)
  const options = [
    '--ignore-scripts',
    '--prefer-offline',
    '--loglevel=error',
    '--include=optional',
    runtimeOnly ? '--omit=dev' : '--include=dev',
    // What the caller's npm was told about its own work is not meant for this.
    '--no-global',
    '--no-dry-run',
    '--no-engine-strict',
  ]
  const code = await runChild(command, [...before, ...args, ...options], {
    cwd: folder,
    env: environment(node),
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32' && command === 'npm',
  })
  if (code > 128) process.exit(code)
  return code === 0
}

/**
 * The npm that called us, or the one that came with the node that runs us, or the one on the path.
 * @param {NodeJS.ProcessEnv} env
 * @param {string} node which runs it
 * @returns {string[]} command and first arguments
 */
export function npmCommand(env, node) {
  const caller = env.npm_execpath ?? ''
  const beside = process.platform === 'win32' ? 'node_modules/npm/bin' : '../lib/node_modules/npm/bin'
  const scripts = [
    // npx calls itself the caller; another package manager does too, and is not asked.
    /^np[mx]-cli\.js$/.test(basename(caller)) && join(dirname(caller), 'npm-cli.js'),
    resolve(dirname(process.execPath), beside, 'npm-cli.js'),
  ]
  const script = scripts.find((file) => file && existsSync(file))
  return script ? [node, script] : ['npm']
}

function isLink(path) {
  try {
    return lstatSync(path).isSymbolicLink()
  } catch {
    return false
  }
}
