// Exports of src/ that nothing needs; part of `npm run check`. What src/index.ts exports is the package's own surface.
// A test may import what its subject uses itself; what tests alone use belongs into test/support. Exact for our
// sources,
// which one tool formats: an export begins a line, imports are named and static, or dynamic with the names in the file.
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Used by bin/keywise.cjs, which runs on nodes too old for imports. */
const ENTRY = 'src/cli/main.ts main'
/** Programs in template strings; what those export is not ours. */
const SHIMS = 'src/cli/shims.ts'

const DECLARED = /^export (?:abstract )?(?:async )?(?:type|interface|class|function\*?|const|let) ([\w$]+)/gm
const NAMED = /(?:import|export)(?: type)? (?:\w+, )?\{([^}]*)\} from '(\.[^']+)'/g
const WHOLE =
  /(?:import\(\s*|import (?:type )?\* as \w+ from |import\.meta\.dirname\}\/)['`]?(\.?[^'`]+\.(?:ts|js|mjs))/g

/**
 * What to do about each export of `src/` that no other file needs.
 * @param {string} root folder of the project
 * @returns {string[]} one sentence each
 */
export function unusedExports(root) {
  const files = ['src', 'test', 'bench', 'tools', 'examples'].flatMap((folder) => filesIn(root, folder))
  const texts = new Map(files.map((file) => [file, readFileSync(join(root, file), 'utf8')]))
  const isTest = (file) => file.endsWith('.test.ts') || file.startsWith('test/')
  const usedBy = (chosen) => new Set(chosen.flatMap((file) => usesOf(root, file, texts)))
  const used = usedBy(files.filter((file) => !isTest(file)))
  const tested = usedBy(files.filter(isTest))
  return files
    .filter((file) => file.startsWith('src/') && !isTest(file) && file !== 'src/index.ts')
    .flatMap((file) => exportsOf(file, texts).map((name) => ({ file, name, entry: `${file} ${name}` })))
    .filter(({ entry }) => !used.has(entry) && entry !== ENTRY)
    .flatMap(({ file, name, entry }) => {
      if (!tested.has(entry)) return [`${entry} is exported and used nowhere else: take the word "export" away`]
      return isUsedWithin(texts.get(file), name) ? [] : [`${entry} is used by tests alone: move it to test/support`]
    })
}

/** Paths below the root, with forward slashes on every system. */
function filesIn(root, folder) {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .map((name) => `${folder}/${name.replaceAll('\\', '/')}`)
    .filter((name) => /\.(?:ts|mjs|js|cjs)$/.test(name) && !name.includes('node_modules'))
}

function exportsOf(file, texts) {
  if (file === SHIMS) return []
  return [...(texts.get(file) ?? '').matchAll(DECLARED)].map((match) => match[1])
}

function isUsedWithin(text, name) {
  const code = text.replace(/^\s*(?:\/\*\*?|\*|\/\/).*$/gm, '')
  return code.split(new RegExp(`(?<![\\w$])${name.replaceAll('$', '\\$')}(?![\\w$])`)).length > 2
}

/** What a file imports, as `file name`. */
function usesOf(root, file, texts) {
  const text = texts.get(file)
  const named = [...text.matchAll(NAMED)].flatMap(([, names, path]) =>
    names.split(',').map((entry) => {
      const name = entry.trim().replace(/^type /, '')
      return `${pathFrom(root, file, path)} ${name.split(' as ')[0]}`
    }),
  )
  const whole = [...text.matchAll(WHOLE)].flatMap(([, path]) => {
    const target = pathFrom(root, file, path)
    return exportsOf(target, texts)
      .filter((name) => new RegExp(`\\b${name}\\b`).test(text))
      .map((name) => `${target} ${name}`)
  })
  return [...named, ...whole]
}

/** Where an import leads, below the root; the build of a file is that file. */
function pathFrom(root, file, path) {
  const target = resolve(root, dirname(file), path.startsWith('.') ? path : `./${path}`)
  return target
    .slice(resolve(root).length + 1)
    .replaceAll('\\', '/')
    .replace(/^dist\//, 'src/')
    .replace(/\.js$/, '.ts')
}

if (import.meta.main) {
  const found = unusedExports(resolve(dirname(fileURLToPath(import.meta.url)), '..'))
  for (const sentence of found) console.error(sentence)
  if (found.length > 0) process.exitCode = 1
}
