// Lets one launcher install at a time: two first commands in two terminals must not write into each other's packages.
// Only syntax that node 18 knows.
import { readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'

// No installation takes this long; a lock this old was left behind, even if its process number lives on as another's.
const FORGOTTEN_AFTER_MS = 20 * 60_000

/**
 * Runs `work` while holding the lock; waits for whoever holds it, and takes over from one that died.
 * @template T
 * @param {string} file
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function withLock(file, work) {
  for (let waited = 0; !take(file); waited++) {
    if (waited === 0) console.error('keywise: another command is installing; waiting for it')
    await pause(200)
  }
  const release = () => rmSync(file, { force: true })
  process.once('exit', release)
  try {
    return await work()
  } finally {
    process.off('exit', release)
    release()
  }
}

function take(file) {
  try {
    writeFileSync(file, String(process.pid), { flag: 'wx' })
    return true
  } catch (error) {
    if (error.code !== 'EEXIST') throw error
  }
  const holder = read(file)
  if (holder === undefined || !isDead(holder, file)) return false
  removeOf(holder, file)
  return take(file)
}

function read(file) {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}

function isDead(holder, file) {
  try {
    if (Date.now() - statSync(file).mtimeMs > FORGOTTEN_AFTER_MS) return true
    // A lock is empty for the moment between its making and its writing.
    if (holder === '') return false
    process.kill(Number(holder), 0)
    return false
  } catch (error) {
    return error.code === 'ESRCH'
  }
}

/** Takes the dead holder's lock away; when another was quicker and this is already a living one's, puts it back. */
function removeOf(holder, file) {
  const aside = `${file}.${process.pid}`
  try {
    renameSync(file, aside)
    if (read(aside) === holder) rmSync(aside, { force: true })
    else renameSync(aside, file)
  } catch (error) {
    if (error.code !== 'ENOENT') throw error
  }
}
