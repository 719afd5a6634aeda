/** The rules of `.gitignore`, as far as they affect one path. https://git-scm.com/docs/gitignore */

/** The rules of one ignore file. */
export interface IgnoreRules {
  /** The file's folder, relative to the work tree, with `/`; '' for its root. */
  readonly folder: string
  readonly text: string
}

/**
 * Whether git ignores the file at `path` (relative to the work tree, with `/`). `files` are in git's order, weakest
 * first. Everything inside an ignored folder is ignored, whatever the rules say about it.
 */
export function isIgnored(path: string, files: readonly IgnoreRules[]): boolean {
  const rules = files.flatMap(parse)
  const parts = path.split('/')
  return parts.some((_, index) => {
    const isFolder = index < parts.length - 1
    return verdict(parts.slice(0, index + 1), isFolder, rules)
  })
}

interface IgnoreRule {
  readonly base: readonly string[]
  readonly pattern: readonly string[]
  readonly negated: boolean
  readonly foldersOnly: boolean
}

function parse({ folder, text }: IgnoreRules): IgnoreRule[] {
  const base = folder === '' ? [] : folder.split('/')
  return text.split(/\r?\n/).flatMap((line) => {
    const trimmed = line.trimEnd()
    if (trimmed === '' || trimmed.startsWith('#')) return []
    const negated = trimmed.startsWith('!')
    const bare = negated ? trimmed.slice(1) : trimmed
    const foldersOnly = bare.endsWith('/')
    const path = foldersOnly ? bare.slice(0, -1) : bare
    // A slash anywhere but at the end anchors the pattern to its folder; without one it matches at any depth.
    const pattern = path.includes('/') ? path.replace(/^\//, '').split('/') : ['**', path]
    return [{ base, pattern, negated, foldersOnly }]
  })
}

function verdict(parts: readonly string[], isFolder: boolean, rules: readonly IgnoreRule[]): boolean {
  const last = rules.findLast((rule) => (isFolder || !rule.foldersOnly) && fits(parts, rule))
  return last !== undefined && !last.negated
}

function fits(parts: readonly string[], { base, pattern }: IgnoreRule): boolean {
  if (base.some((part, index) => parts[index] !== part)) return false
  const inside = parts.slice(base.length)
  return inside.length > 0 && fitsParts(inside, pattern)
}

function fitsParts(parts: readonly string[], pattern: readonly string[]): boolean {
  const [first, ...rest] = pattern
  if (first === undefined) return parts.length === 0
  if (first === '**') {
    if (rest.length === 0) return parts.length > 0
    return fitsParts(parts, rest) || (parts.length > 0 && fitsParts(parts.slice(1), pattern))
  }
  const [name, ...others] = parts
  return name !== undefined && fitsName(name, first) && fitsParts(others, rest)
}

/** `*` and `?` within one name; backtracks to the last star only, so it takes at most name times pattern steps. */
function fitsName(name: string, pattern: string): boolean {
  let at = 0
  let place = 0
  let star = -1
  let resume = 0
  while (at < name.length) {
    if (pattern[place] === '*') {
      star = place++
      resume = at
    } else if (pattern[place] === '?' || pattern[place] === name[at]) {
      place++
      at++
    } else if (star >= 0) {
      place = star + 1
      at = ++resume
    } else return false
  }
  while (pattern[place] === '*') place++
  return place === pattern.length
}
