/**
 * Warns when the keys file is about to be committed. Git itself is not run (it may not be installed, and keywise starts
 * no programs here): the index, `.git/info/exclude` and every `.gitignore` on the way are read. The user's global
 * ignore file and character classes (`[a-z]`) in patterns are not supported, so it may warn needlessly but never fails
 * to warn.
 */

import { readFileSync, statSync } from 'node:fs'
import { dirname, join, relative, resolve, sep } from 'node:path'
import { type IgnoreRules, isIgnored } from './gitIgnore.ts'

/** Maximum bytes of an index that is searched; larger ones belong to repositories that hold no keys file. */
const MOST_INDEX_BYTES = 64 * 1024 * 1024

/** What is wrong and what to do, or null when the file is ignored or outside any work tree. */
export function gitWarning(file: string): string | null {
  const root = workTreeOf(dirname(file))
  if (root === null) return null
  const path = relative(root.folder, file).split(sep).join('/')
  if (isTracked(path, root.gitFolder))
    return `git already tracks this file with your keys; run: git rm --cached ${path}, ignore it, and replace the keys`
  if (isIgnored(path, rulesFor(path, root))) return null
  return `is inside a git work tree and not ignored; add a line "/${path}" to ${join(root.folder, '.gitignore')}`
}

interface WorkTree {
  readonly folder: string
  readonly gitFolder: string
}

function workTreeOf(folder: string): WorkTree | null {
  const git = join(folder, '.git')
  const about = statSync(git, { throwIfNoEntry: false })
  if (about?.isDirectory()) return { folder, gitFolder: git }
  if (about?.isFile()) return { folder, gitFolder: pointedAt(git) }
  const parent = dirname(folder)
  return parent === folder ? null : workTreeOf(parent)
}

/** In a linked work tree or submodule, `.git` is a file that names the folder. */
function pointedAt(file: string): string {
  const target = /^gitdir: (.+)$/m.exec(textOf(file))?.[1]?.trim()
  return target === undefined ? file : resolve(dirname(file), target)
}

function isTracked(path: string, gitFolder: string): boolean {
  const index = join(gitFolder, 'index')
  const size = statSync(index, { throwIfNoEntry: false })?.size ?? 0
  if (size === 0 || size > MOST_INDEX_BYTES) return false
  try {
    return holdsPath(readFileSync(index), Buffer.from(path))
  } catch {
    return false // not permitted: the ignore rules still decide
  }
}

// https://git-scm.com/docs/index-format: in versions 2 and 3, an entry has its length in the low 12 bits of two bytes,
// the whole path, and a zero byte. Version 4 compresses paths and is not read.
function holdsPath(index: Buffer, path: Buffer): boolean {
  for (let at = index.indexOf(path); at !== -1; at = index.indexOf(path, at + 1)) {
    const isWhole = at >= 2 && (index.readUInt16BE(at - 2) & 0xfff) === path.length && index[at + path.length] === 0
    if (isWhole) return true
  }
  return false
}

function rulesFor(path: string, { folder, gitFolder }: WorkTree): IgnoreRules[] {
  const common = textOf(join(gitFolder, 'commondir')).trim()
  const shared = common === '' ? gitFolder : resolve(gitFolder, common)
  const folders = path
    .split('/')
    .slice(0, -1)
    .map((_, index, parts) => parts.slice(0, index + 1).join('/'))
  return [
    { folder: '', text: textOf(join(shared, 'info', 'exclude')) },
    ...['', ...folders].map((inner) => ({ folder: inner, text: textOf(join(folder, inner, '.gitignore')) })),
  ]
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return '' // most folders have no such file
  }
}
