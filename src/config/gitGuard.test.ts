import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { put, temporaryFolder } from '../../test/support/temporaryFolder.ts'
import { gitWarning } from './gitGuard.ts'
import { isIgnored } from './gitIgnore.ts'

const PATH = 'config/api-keys.json'

const rules = [
  { text: '', ignored: false },
  { text: '# config/api-keys.json', ignored: false },
  { text: 'config/api-keys.json', ignored: true },
  { text: '/config/api-keys.json', ignored: true },
  { text: 'api-keys.json', ignored: true },
  { text: '/api-keys.json', ignored: false },
  { text: 'config/', ignored: true },
  { text: 'config', ignored: true },
  { text: 'api-keys.json/', ignored: false },
  { text: '*.json', ignored: true },
  { text: '*.json\r\n!other.json', ignored: true },
  { text: '*.json\n!api-keys.json', ignored: false },
  { text: 'config/\n!config/api-keys.json', ignored: true },
  { text: 'config/*\n!config/api-keys.json', ignored: false },
  { text: '**/api-*.json', ignored: true },
  { text: 'config/**', ignored: true },
  { text: '**', ignored: true },
  { text: 'con?ig/*keys*', ignored: true },
  { text: 'config/*/api-keys.json', ignored: false },
]

for (const { text, ignored } of rules) {
  test(`the rules ${JSON.stringify(text)} ${ignored ? 'ignore' : 'do not ignore'} ${PATH}`, () => {
    expect(isIgnored(PATH, [{ folder: '', text }])).toBe(ignored)
  })
}

test('rules of a folder apply to everything below it and override those above', () => {
  expect(isIgnored(PATH, [{ folder: 'config', text: '/api-keys.json' }])).toBe(true)
  expect(isIgnored(PATH, [{ folder: 'other', text: '*' }])).toBe(false)
  expect(
    isIgnored(PATH, [
      { folder: '', text: '*.json' },
      { folder: 'config', text: '!*.json' },
    ]),
  ).toBe(false)
})

test('a pattern of many stars takes negligible time', () => {
  const text = `${'*a'.repeat(5_000)}b`
  expect(isIgnored('a'.repeat(10_000), [{ folder: '', text }])).toBe(false)
})

test('a keys file outside any work tree causes no warning', () => {
  expect(gitWarning(put(temporaryFolder(), PATH, '{}'))).toBe(null)
})

test('a keys file in a work tree causes a warning until it is ignored', () => {
  const folder = temporaryFolder()
  const file = put(folder, PATH, '{}')
  mkdirSync(join(folder, '.git'))
  expect(gitWarning(file)).toMatch(/not ignored; add a line "\/config\/api-keys\.json"/)
  put(folder, '.git/info/exclude', 'config/')
  expect(gitWarning(file)).toBe(null)
  put(folder, '.git/info/exclude', '')
  put(folder, 'config/.gitignore', '*')
  expect(gitWarning(file)).toBe(null)
})

test("a linked work tree counts too, and shares its repository's exclude file", () => {
  const folder = temporaryFolder()
  const file = put(folder, `tree/${PATH}`, '{}')
  put(folder, 'tree/.git', 'gitdir: ../repository/worktrees/tree\n')
  put(folder, 'repository/worktrees/tree/commondir', '../..\n')
  expect(gitWarning(file)).toMatch(/not ignored/)
  put(folder, 'repository/info/exclude', 'api-keys.json')
  expect(gitWarning(file)).toBe(null)
})

/** One entry of git's index, as far as it is read: 60 bytes of times and sizes, the length, the path, a zero byte. */
const entry = (path: string) => {
  const head = Buffer.alloc(62)
  head.writeUInt16BE(path.length, 60)
  return Buffer.concat([head, Buffer.from(path), Buffer.alloc(1)])
}

test('a keys file tracked by git causes a warning even if it is ignored', () => {
  const folder = temporaryFolder()
  const file = put(folder, PATH, '{}')
  put(folder, '.gitignore', 'config/')
  put(folder, '.git/index', Buffer.concat([Buffer.from('DIRC'), entry(`old/${PATH}`)]))
  expect(gitWarning(file)).toBe(null)
  put(folder, '.git/index', Buffer.concat([Buffer.from('DIRC'), entry(`old/${PATH}`), entry(PATH)]))
  expect(gitWarning(file)).toMatch(/already tracks this file.*git rm --cached/)
})
