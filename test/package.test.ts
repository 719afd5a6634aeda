/** What a user gets with the package, read from its manifest and lock, and the command's first duty. */

import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'
import { sbomOf } from '../tools/sbom.mjs'
import { put, temporaryFolder } from './support/temporaryFolder.ts'

const root = resolve(import.meta.dirname, '..')
const readJson = (path: string) => JSON.parse(readFileSync(join(root, path), 'utf8'))
const manifest = readJson('package.json')

interface Locked {
  readonly dev?: boolean
  readonly hasInstallScript?: boolean
  readonly resolved?: string
  readonly integrity?: string
}
const locks = ['package-lock.json', 'tools/node/package-lock.json']
const packagesOf = (lock: string) =>
  Object.entries<Locked>(readJson(lock).packages).filter(([path]) => path.startsWith('node_modules/'))

test('no runtime dependency has an install script', () => {
  const runtime = packagesOf('package-lock.json').filter(([, one]) => !one.dev)
  expect(runtime.length).toBeGreaterThan(0)
  expect(runtime.filter(([, one]) => one.hasInstallScript)).toEqual([])
})

test('what is needed at run time is pinned to the very version that the lock has and the suite ran with', () => {
  const { packages } = readJson('package-lock.json')
  const locked = Object.keys(manifest.dependencies).map((name) => [name, packages[`node_modules/${name}`].version])
  expect(manifest.dependencies).toEqual(Object.fromEntries(locked))
  for (const range of Object.values(manifest.dependencies)) expect(range).toMatch(/^\d+\.\d+\.\d+$/)
  // Nothing else reaches a user: neither by a dependency of these, nor by a kind of dependency that is installed too.
  const runtime = packagesOf('package-lock.json').filter(([, one]) => !one.dev)
  expect(runtime.map(([path]) => path.replace('node_modules/', '')).sort()).toEqual(
    Object.keys(manifest.dependencies).sort(),
  )
  for (const kind of ['optionalDependencies', 'peerDependencies', 'bundleDependencies'])
    expect(manifest).not.toHaveProperty(kind)
})

for (const lock of locks) {
  test(`${lock} holds a checksum for every package and no download address`, () => {
    expect(packagesOf(lock).filter(([, one]) => one.resolved !== undefined || one.integrity === undefined)).toEqual([])
  })
}

test('sbom.cdx.json names every package of an installation with its version, licence and hash (else: npm run sbom)', () => {
  const sbom = readJson('sbom.cdx.json')
  expect(sbom).toEqual(sbomOf(readJson('package-lock.json')))
  const components: { name: string; version: string; hashes: { alg: string; content: string }[] }[] = sbom.components
  expect(components.map(({ name }) => name).sort()).toEqual(Object.keys(manifest.dependencies).sort())
  for (const { name, version, hashes } of components) {
    expect(readJson(`node_modules/${name}/package.json`).version).toBe(version)
    expect(hashes[0]).toMatchObject({ alg: 'SHA-512', content: expect.stringMatching(/^[0-9a-f]{128}$/) })
  }
})

test('workflows name the actions they use by commit, and have no right that they do not need', () => {
  for (const file of ['ci', 'newest', 'release']) {
    const text = readFileSync(join(root, `.github/workflows/${file}.yml`), 'utf8')
    for (const [line] of text.matchAll(/uses: .*/g)) expect(line).toMatch(/^uses: [\w-]+\/[\w-]+@[0-9a-f]{40} # v\d/)
    expect(text).toMatch(/^permissions:\n {2}contents: read\n/m)
  }
})

test('the lock belongs to the manifest', () => {
  const { dependencies, devDependencies, version, engines } = readJson('package-lock.json').packages['']
  expect({ dependencies, devDependencies, version, engines }).toEqual({
    dependencies: manifest.dependencies,
    devDependencies: manifest.devDependencies,
    version: manifest.version,
    engines: manifest.engines,
  })
})

test('the package says what it needs and offers, and only built files go into it', () => {
  expect(manifest.engines).toEqual({ node: '>=22.19' })
  expect(manifest.bin).toEqual({ keywise: 'bin/keywise.cjs' })
  expect(manifest.files).toEqual([
    'bin',
    'dist',
    'keywise.schema.json',
    'keywise.facts.schema.json',
    'sbom.cdx.json',
    'CHANGELOG.md',
  ])
  // `default` and not `import`, so that require() finds it too.
  expect(manifest.exports['.']).toEqual({ types: './dist/index.d.ts', default: './dist/index.js' })
  for (const file of [
    'LICENSE',
    'README.md',
    'CHANGELOG.md',
    'keywise.schema.json',
    'keywise.facts.schema.json',
    'bin/keywise.cjs',
  ])
    expect(existsSync(join(root, file)), file).toBe(true)
})

test('nothing of it runs where it is installed, so that npm asks nobody to allow it', () => {
  // npm takes `prepare` for an install script in a tarball that comes from no registry; after an installation in a
  // clone, and only there, `postprepare` runs as well: https://docs.npmjs.com/cli/v11/using-npm/scripts (2026-11-30)
  for (const event of ['preinstall', 'install', 'postinstall', 'prepare'])
    expect(manifest.scripts).not.toHaveProperty(event)
  expect(manifest.scripts).toMatchObject({ prepack: expect.any(String), postprepare: expect.any(String) })
})

test('the newest release of the changelog is this version; before the first one all is unreleased', () => {
  const headings = readFileSync(join(root, 'CHANGELOG.md'), 'utf8').match(/^## .*$/gm) ?? []
  const [newest] = headings.filter((heading) => heading !== '## Unreleased')
  if (newest === undefined) expect(headings).toEqual(['## Unreleased'])
  else expect(newest.replace(/\d{4}-\d\d-\d\d/, 'date')).toBe(`## ${manifest.version} (date)`)
})

/** The command as it is installed somewhere, run as if node were older. */
function runInstalled(version: string, args: readonly string[]) {
  const folder = temporaryFolder()
  mkdirSync(join(folder, 'bin'))
  copyFileSync(join(root, 'bin/keywise.cjs'), join(folder, 'bin/keywise.cjs'))
  copyFileSync(join(root, 'package.json'), join(folder, 'package.json'))
  put(folder, 'dist/cli/main.js', 'export const main = (args) => console.log("ran", ...args)')
  const disguise = put(
    folder,
    'disguise.cjs',
    `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '${version}' } })`,
  )
  const { NODE_OPTIONS: _, ...env } = process.env
  return spawnSync(process.execPath, ['--require', disguise, join(folder, 'bin/keywise.cjs'), ...args], {
    encoding: 'utf8',
    env,
  })
}

for (const version of ['12.22.12', '18.20.8', '20.20.2', '22.18.0']) {
  test(`the command says in one sentence that node ${version} is too old, and exits 78`, () => {
    const { status, stdout, stderr } = runInstalled(version, ['test'])
    const said = `keywise needs node 22.19 or newer and this is ${version}; run: npx -p node@24 node `
    expect(stderr).toMatch(new RegExp(`^${said.replaceAll('.', '\\.')}/.*keywise\\.cjs\\n$`))
    expect({ status, stdout }).toEqual({ status: 78, stdout: '' })
  })
}

for (const version of ['22.19.0', '23.0.0', '24.21.0', '26.10.0']) {
  test(`the command runs on node ${version}`, () => {
    const { status, stdout } = runInstalled(version, ['test', '--json'])
    expect({ status, stdout }).toEqual({ status: 0, stdout: 'ran test --json\n' })
  })
}

test('the version is told on any node', () => {
  expect(runInstalled('14.0.0', ['--version']).stdout).toBe(`${manifest.version}\n`)
})
