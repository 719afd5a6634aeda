// Exports that no other file uses; part of `npm run check`. What src/index.ts exports is the package's own surface. An
// export that only tests use is allowed where the test is of that file. Exact for our sources, which one tool formats:
// exports begin a line, imports are named and static, or a dynamic import whose names the same file spells.
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..')
const filesIn = (folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(?:ts|mjs)$/.test(name) && !name.includes('node_modules'))
    .map((name) => join(root, folder, name))

/** Used by bin/keywise.cjs, which runs on nodes too old for imports. */
const ENTRY = 'src/cli/main.ts main'

/** Every export of src/ that is used nowhere, as `file name`. */
export function unusedExports() {
  const users = ['src', 'test', 'bench', 'tools', 'examples'].flatMap(filesIn)
  const used = new Set(users.flatMap(usesOf))
  const own = filesIn('src').filter((file) => !file.endsWith('.test.ts') && file !== join(root, 'src/index.ts'))
  return own
    .flatMap((file) => exportsOf(file).map((name) => `${file} ${name}`))
    .filter((entry) => !used.has(entry))
    .map((entry) => entry.slice(root.length + 1).replaceAll('\\', '/'))
    .filter((entry) => entry !== ENTRY)
}

function exportsOf(file) {
  // The shims are programs in template strings; what those export is not ours.
  if (file.endsWith(join('cli', 'shims.ts'))) return []
  const declared = /^export (?:abstract )?(?:async )?(?:type|interface|class|function\*?|const|let) ([\w$]+)/gm
  return [...readFileSync(file, 'utf8').matchAll(declared)].map((match) => match[1])
}

/** What a file imports, as `file name`. */
function usesOf(file) {
  const text = readFileSync(file, 'utf8')
  const named = [...text.matchAll(/(?:import|export)(?: type)? (?:\w+, )?\{([^}]*)\} from '(\.[^']+)'/g)].flatMap(
    (match) =>
      match[1].split(',').flatMap((entry) => {
        const name = entry
          .trim()
          .replace(/^type /, '')
          .split(' as ')[0]
        return name === '' ? [] : [`${resolve(dirname(file), match[2])} ${name}`]
      }),
  )
  const whole = [
    ...text.matchAll(
      /(?:import\(\s*|import (?:type )?\* as \w+ from |import\.meta\.dirname\}\/)['`]?(\.?[^'`]+\.(?:ts|js|mjs))/g,
    ),
  ].flatMap((match) => {
    const target = resolve(dirname(file), match[1].replace(/^(?!\.)/, './'))
      .replace('/dist/', '/src/')
      .replace(/\.js$/, '.ts')
    return namesIn(target, text).map((name) => `${target} ${name}`)
  })
  return [...named, ...whole]
}

function namesIn(target, text) {
  try {
    return exportsOf(target).filter((name) => new RegExp(`\\b${name}\\b`).test(text))
  } catch {
    return []
  }
}

if (import.meta.main) {
  const unused = unusedExports()
  for (const entry of unused) console.error(`${entry} is exported and used nowhere; take the word "export" away`)
  if (unused.length > 0) process.exitCode = 1
}
