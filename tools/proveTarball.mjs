// Proves the packed tarball where a stranger would use it: installed in an empty folder, by import, by require, and by
// the command; nothing in it may name a test or a source that is not meant to be shipped.
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isNewEnough } from './findNode.mjs'
import { npmCommand } from './install.mjs'

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..')
const folder = mkdtempSync(join(tmpdir(), 'keywise-tarball-'))
const quiet = { stdio: ['ignore', 'pipe', 'inherit'], encoding: 'utf8' }

/** The node of the launcher, which is new enough where the system's is not. */
const node = execFileSync(
  process.execPath,
  [join(root, 'tools/run.mjs'), 'node', '-p', 'process.execPath'],
  quiet,
).trim()

// npm by its script: node starts no `npm.cmd` without a shell.
const npm = npmCommand(process.env, process.execPath)
const runNpm = (args, cwd) => execFileSync(npm[0], [...npm.slice(1), ...args], { ...quiet, cwd })

function must(condition, what) {
  if (!condition) throw new Error(`tarball: ${what}`)
  console.log(`tarball: ${what}: yes`)
}

function run(file, args) {
  const result = spawnSync(node, [join(folder, file), ...args], { cwd: folder, encoding: 'utf8' })
  if (result.status !== 0) console.error(result.stdout, result.stderr)
  return result
}

const sizeOf = (path) =>
  readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath ?? entry.path, entry.name)).size, 0)

try {
  const packed = JSON.parse(runNpm(['pack', '--json', '--ignore-scripts', '--pack-destination', folder], root))
  const [{ filename, files }] = Array.isArray(packed) ? packed : Object.values(packed)
  must(
    !files.some(({ path }) => /\.test\.|^(?:test|src|tools|bench)\/|\.map$/.test(path)),
    'no tests, sources or tools inside',
  )
  for (const path of [
    'bin/keywise.cjs',
    'dist/index.js',
    'dist/index.d.ts',
    'keywise.schema.json',
    'keywise.facts.schema.json',
    'LICENSE',
    'README.md',
    'CHANGELOG.md',
  ])
    must(
      files.some((file) => file.path === path),
      `${path} inside`,
    )

  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'proof', private: true }))
  runNpm(['install', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error', join(folder, filename)], folder)
  const dependencies = sizeOf(join(folder, 'node_modules')) - sizeOf(join(folder, 'node_modules/keywise'))
  must(dependencies < 25e6, `the runtime dependencies are under 25 MB (${(dependencies / 1e6).toFixed(1)} MB)`)

  const use = `const manager = new APIManager({ config: { 'my-own': { dialect: 'openai', endpoint: 'http://127.0.0.1:9/v1', models: ['m'] } }, logger: false })
  if (manager.rankTargets('hi')[0].target !== 'my-own/m#1') throw new Error('no target')
  manager.close().then(() => console.log('works'))`
  writeFileSync(join(folder, 'esm.mjs'), `import { APIManager } from 'keywise'\n${use}\n`)
  writeFileSync(join(folder, 'cjs.cjs'), `const { APIManager } = require('keywise')\n${use}\n`)
  must(run('esm.mjs', []).stdout.includes('works'), 'an ESM program uses it')
  must(run('cjs.cjs', []).stdout.includes('works'), 'a CommonJS program uses it')
  must(
    /^\d+\.\d+\.\d+/.test(run('node_modules/keywise/bin/keywise.cjs', ['--version']).stdout),
    'the command says its version',
  )
  must(/^ +test\b/m.test(run('node_modules/keywise/bin/keywise.cjs', ['--help']).stdout), 'the command shows its help')
  if (!isNewEnough(process.versions.node)) {
    const old = spawnSync(process.execPath, [join(folder, 'node_modules/keywise/bin/keywise.cjs'), 'test'], {
      encoding: 'utf8',
    })
    must(
      old.status === 78 && /^keywise needs node [^\n]+\n$/.test(old.stderr),
      `node ${process.versions.node} is refused in one sentence`,
    )
  }
  // The error that is expected would not come if the types did not arrive.
  const typed = `import { APIManager } from 'keywise'
export async function ask(manager: APIManager): Promise<string> {
  // @ts-expect-error the content is text
  const wrong: number = (await manager.callWithFallback('hi')).content
  return String(wrong)
}
`
  writeFileSync(join(folder, 'types.mts'), typed)
  writeFileSync(
    join(folder, 'types.cts'),
    typed.replace(
      "import { APIManager } from 'keywise'",
      "import keywise = require('keywise')\nimport APIManager = keywise.APIManager",
    ),
  )
  const compiler = join(root, 'node_modules/typescript/bin/tsc')
  // As in a project of TypeScript for node: with node's own types, and every declaration checked.
  const nodeTypes = ['--typeRoots', join(root, 'node_modules/@types'), '--types', 'node']
  const options = ['--noEmit', '--strict', '--target', 'es2024', ...nodeTypes]
  // The package is ESM alone. That CommonJS gets ESM is no mistake here, though checkers of packages report it: every
  // node from 22.19 on loads it by require(), which TypeScript knows of `nodenext`, and cjs.cjs above proves.
  for (const [who, ...how] of [
    ['for node, as ESM', '--module', 'nodenext', 'types.mts'],
    ['for node, as CommonJS', '--module', 'nodenext', 'types.cts'],
    ['for a bundler', '--module', 'preserve', '--moduleResolution', 'bundler', 'types.mts'],
  ]) {
    const types = spawnSync(node, [compiler, ...options, ...how], { cwd: folder, encoding: 'utf8' })
    if (types.status !== 0) console.error(types.stdout, types.stderr)
    must(types.status === 0, `a TypeScript program ${who} sees its types`)
  }
  const lint = spawnSync(
    node,
    [join(root, 'node_modules/publint/src/cli.js'), 'run', root, '--strict', '--pack=false'],
    { cwd: folder, encoding: 'utf8' },
  )
  if (lint.status !== 0) console.error(lint.stdout, lint.stderr)
  must(lint.status === 0, 'publint finds nothing')
  const demo = run('node_modules/keywise/bin/keywise.cjs', ['demo', '--seconds', '3', '--no-open'])
  must(demo.status === 0, 'the demo runs without keys and without a network')
} finally {
  rmSync(folder, { recursive: true, force: true })
}
