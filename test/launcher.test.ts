/** The launcher's decisions. That it works on real machines is proven by tools/proveClone.mjs. */

import { readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'
import { exitCode } from '../tools/child.mjs'
import { helpfulCommand, isNewEnough, nodePackage } from '../tools/findNode.mjs'
import { missingPackages, npmCommand } from '../tools/install.mjs'
import { withLock } from '../tools/installLock.mjs'
import { tasksOf } from '../tools/tasks.mjs'
import { temporaryFolder } from './support/temporaryFolder.ts'

const root = resolve(import.meta.dirname, '..')
const readJson = (path: string) => JSON.parse(readFileSync(join(root, path), 'utf8'))

const versions: readonly (readonly [version: string, fits: boolean])[] = [
  ['18.20.8', false],
  ['20.20.2', false],
  ['22.18.0', false],
  ['22.19.0', true],
  ['22.23.3', true],
  ['23.5.0', false],
  ['v24.0.0', true],
  ['26.10.0', true],
]
for (const [version, fits] of versions) {
  test(`node ${version} ${fits ? 'runs' : 'does not run'} the project`, () => {
    expect(isNewEnough(version)).toBe(fits)
  })
}

test('every packaged node is locked in tools/node, and nothing else is', () => {
  const platforms = ['linux-x64', 'linux-arm64', 'darwin-arm64', 'darwin-x64', 'win32-x64'].map((one) => one.split('-'))
  const names = platforms.map(([platform, arch]) => nodePackage(platform!, arch!))
  const locked = Object.keys(readJson('tools/node/package-lock.json').packages).filter((path) => path !== '')
  expect(locked.sort()).toEqual(names.map((name) => `node_modules/${name}`).sort())
})

test('a platform without a packaged node is told what to run instead', () => {
  expect(nodePackage('freebsd', 'x64')).toBeUndefined()
  expect(helpfulCommand('test', false)).toBe('npx -p node@24 npm run test')
  expect(helpfulCommand('cli', false)).toBe('npx -p node@24 node bin/keywise.cjs')
  expect(helpfulCommand('test', true)).toBe('apk add --upgrade nodejs npm')
})

const linux = { platform: 'linux', arch: 'x64', libc: 'glibc' }
const locked = {
  '': { version: '0.1.0' },
  'node_modules/zod': { version: '4.6.7' },
  'node_modules/vitest': { version: '5.1.1', dev: true },
  'node_modules/here': { version: '1.0.0', optional: true, dev: true, os: ['linux'], cpu: ['x64'], libc: ['glibc'] },
  'node_modules/musl': { version: '1.0.0', optional: true, dev: true, os: ['linux'], cpu: ['x64'], libc: ['musl'] },
  'node_modules/elsewhere': { version: '1.0.0', optional: true, dev: true, os: ['darwin'] },
  'node_modules/not-windows': { version: '1.0.0', optional: true, dev: true, os: ['!linux'] },
  'node_modules/anywhere': { version: '1.0.0', optional: true, dev: true },
}
const complete = { 'node_modules/zod': { version: '4.6.7' }, 'node_modules/vitest': { version: '5.1.1' } }
const withBinary = { ...complete, 'node_modules/here': { version: '1.0.0' } }
const installations = [
  { name: 'nothing when all is there', installed: withBinary, missing: [] },
  { name: 'only the runtime packages to start', installed: undefined, runtimeOnly: true, missing: ['zod'] },
  { name: 'everything for this platform to test', installed: undefined, missing: ['zod', 'vitest', 'here'] },
  { name: 'a platform package that npm left out', installed: complete, missing: ['here'] },
  {
    name: 'an outdated package',
    installed: { ...withBinary, 'node_modules/zod': { version: '4.0.0' } },
    missing: ['zod'],
  },
  { name: 'a package whose folder is gone', installed: withBinary, gone: 'node_modules/vitest', missing: ['vitest'] },
]
for (const { name, installed, runtimeOnly = false, gone, missing } of installations) {
  test(`the launcher misses ${name}`, () => {
    const found = missingPackages(locked, installed, { runtimeOnly, machine: linux, isThere: (path) => path !== gone })
    expect(found).toEqual(missing.map((one) => `node_modules/${one}`))
  })
}

test('every script of package.json is a task of the launcher', () => {
  const tasks = tasksOf(root)
  for (const [script, command] of Object.entries<string>(readJson('package.json').scripts)) {
    const [, task] = /^node tools\/run\.mjs (\S+)/.exec(command) ?? []
    expect(tasks, script).toHaveProperty([String(task)])
  }
})

test('a task hands its arguments to the tool', () => {
  expect(tasksOf('/k')['test']?.commands(['a.test.ts'])).toEqual([
    ['/k/node_modules/vitest/vitest.mjs', 'run', 'a.test.ts'],
  ])
  expect(tasksOf('/k')['demo']?.commands(['--tour'])).toEqual([['/k/bin/keywise.cjs', 'demo', '--tour']])
})

test('the whole suite says how long it takes, a part of it nothing', () => {
  const { announcement } = tasksOf('/k')['test'] ?? {}
  expect(announcement?.([])).toMatch(/minutes/)
  expect(announcement?.(['--reporter=json'])).toMatch(/minutes/)
  expect(announcement?.(['src/routing'])).toBeUndefined()
})

test('an ending by a signal becomes the exit code that a shell shows', () => {
  expect(exitCode(3, null)).toBe(3)
  expect(exitCode(null, 'SIGINT')).toBe(130)
  expect(exitCode(null, 'SIGTERM')).toBe(143)
})

test('another package manager that called is not asked to be npm', () => {
  expect(npmCommand({ npm_execpath: '/opt/pnpm/bin/pnpm.cjs' }, '/node').join(' ')).not.toContain('pnpm')
})

test('two that want to install do so one after the other', async () => {
  const file = join(temporaryFolder(), 'lock')
  const order: string[] = []
  const enter = (name: string) =>
    withLock(file, async () => {
      order.push(`${name} in`)
      await new Promise((resolve) => setImmediate(resolve))
      order.push(`${name} out`)
    })
  await Promise.all([enter('a'), enter('b')])
  expect(order).toEqual(['a in', 'a out', 'b in', 'b out'])
})

test('the lock of a process that died is taken over', async () => {
  const file = join(temporaryFolder(), 'lock')
  // No process has this number: Linux counts to 2^22, others less.
  writeFileSync(file, String(2 ** 30))
  expect(await withLock(file, async () => 'done')).toBe('done')
})
