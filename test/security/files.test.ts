/** S22: what keywise writes is its owner's, whole, and never goes through a link that stands in its place. */

import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative, resolve, sep } from 'node:path'
import { describe, expect, test } from 'vitest'
import { noteInstance } from '../../src/server/instance.ts'
import { createFile, createFileNow, replaceFile, replaceFileNow, replaceFileWith } from '../../src/store/replaceFile.ts'
import { makeHome } from '../support/runKeywise.ts'
import { temporaryFolder } from '../support/temporaryFolder.ts'

const KEYS = { mine: { dialect: 'openai', endpoint: 'http://127.0.0.1:9/v1', api_key: 'none', models: ['m'] } }
const modeOf = (path: string) => statSync(path).mode & 0o777

/** A file that must stay as it is, and a link to it. */
function planted(link: string): { readonly isUntouched: () => boolean } {
  const victim = `${link}-victim`
  writeFileSync(victim, 'keep me', { mode: 0o640 })
  symlinkSync(victim, link)
  const { ino } = statSync(victim)
  return {
    isUntouched: () =>
      readFileSync(victim, 'utf8') === 'keep me' && statSync(victim).ino === ino && modeOf(victim) === 0o640,
  }
}

/** Windows has neither modes nor links for everybody. */
const onPosix = describe.skipIf(process.platform === 'win32')

onPosix('writing a file', () => {
  const writers: readonly (readonly [string, (path: string) => Promise<unknown>])[] = [
    ['replaceFile()', (path) => replaceFile(path, 'new')],
    ['replaceFileWith()', (path) => replaceFileWith(path, (file) => file.write('new'))],
    ['replaceFileNow()', async (path) => replaceFileNow(path, 'new')],
  ]

  test.each(
    writers,
  )('%s replaces a file whole, for its owner alone, and leaves nothing beside it', async (_, write) => {
    const folder = temporaryFolder()
    const path = join(folder, 'a.json')
    for (const before of [null, 'the old content, which is longer']) {
      if (before !== null) writeFileSync(path, before, { mode: 0o666 })
      await write(path)
      expect([readFileSync(path, 'utf8'), modeOf(path), readdirSync(folder)]).toEqual(['new', 0o600, ['a.json']])
    }
  })

  test.each(writers)('%s refuses a link, a folder and a device, in a sentence', async (_, write) => {
    const folder = temporaryFolder()
    const path = join(folder, 'link')
    const { isUntouched } = planted(path)
    await expect(write(path)).rejects.toThrow(`${path} is a symbolic link, which keywise does not write through`)
    symlinkSync(join(folder, 'nowhere'), join(folder, 'dangling'))
    await expect(write(join(folder, 'dangling'))).rejects.toThrow('is a symbolic link')
    await expect(write(folder)).rejects.toThrow(`${folder} is a folder; name another file`)
    await expect(write('/dev/null')).rejects.toThrow('/dev/null is no regular file; name another file')
    expect([isUntouched(), existsSync(join(folder, 'nowhere'))]).toEqual([true, false])
  })

  test.each(writers)('%s may write below a folder that is a link', async (_, write) => {
    const folder = temporaryFolder()
    mkdirSync(join(folder, 'real'))
    symlinkSync(join(folder, 'real'), join(folder, 'link'))
    await write(join(folder, 'link/a.json'))
    expect(readFileSync(join(folder, 'real/a.json'), 'utf8')).toBe('new')
  })

  test('where the old content must stay when the new one cannot be written, it stays', async () => {
    const folder = temporaryFolder()
    const path = join(folder, 'a.json')
    writeFileSync(path, 'old')
    const failing = replaceFileWith(path, async (file) => {
      await file.write('half of')
      throw new Error('the disk is full')
    })
    await expect(failing).rejects.toThrow('the disk is full')
    expect([readFileSync(path, 'utf8'), readdirSync(folder)]).toEqual(['old', ['a.json']])
  })

  test('a new file is none where anything is', async () => {
    const path = join(temporaryFolder(), 'link')
    const { isUntouched } = planted(path)
    await expect(createFile(path)).rejects.toMatchObject({ code: 'EEXIST' })
    expect(() => createFileNow(path, 'new')).toThrow(/EEXIST/)
    expect(isUntouched()).toBe(true)
  })
})

onPosix('a link in the place of a file that a command writes', () => {
  test('budget export --out', async () => {
    const home = makeHome(KEYS)
    const path = join(home.folder, 'out')
    const { isUntouched } = planted(path)
    const { code, stderr } = await home.keywise('budget', 'export', '--out', path)
    expect([code, isUntouched(), lstatSync(path).isSymbolicLink()]).toEqual([1, true, true])
    expect(stderr).toContain(`${path} is a symbolic link`)
    expect((await home.keywise('budget', 'export', '--out', join(home.folder, 'real'))).code).toBe(0)
    expect(modeOf(join(home.folder, 'real'))).toBe(0o600)
  })

  test('test --out and --html, and apiStats.json', async () => {
    const home = makeHome(KEYS)
    const [out, html, stats] = ['out', 'html', 'apiStats.json'].map((name) => join(home.folder, name))
    const places = [out, html, stats].map((path) => planted(path ?? ''))
    const { stderr, stdout } = await home.keywise('test', '--out', out ?? '', '--html', html ?? '')
    for (const path of [out, html]) expect(stderr + stdout).toContain(`${path} is a symbolic link`)
    expect(places.map(({ isUntouched }) => isUntouched())).toEqual([true, true, true])
  })

  test('init --compat', async () => {
    const home = makeHome(KEYS)
    const { isUntouched } = planted(join(home.folder, 'apiClient.js'))
    const { code, stderr } = await home.keywise('init', '--compat', '--force')
    expect(code).toBe(1)
    expect(stderr).toContain('apiClient.js is a symbolic link')
    expect(isUntouched()).toBe(true)
  })

  test('the note of what serves a port', () => {
    const port = 60_000 + (process.pid % 5000)
    const file = join(tmpdir(), `keywise-${process.getuid?.() ?? 'user'}`, `gateway-${port}.json`)
    const instance = { id: 'x', config: null, store: 'memory:' }
    noteInstance(port, instance)()
    const { isUntouched } = planted(file)
    const forget = noteInstance(port, instance)
    expect([isUntouched(), lstatSync(file).isFile(), modeOf(file)]).toEqual([true, true, 0o600])
    forget()
  })
})

test('no file is written but by the functions that are made for it', () => {
  const root = resolve(import.meta.dirname, '../../src')
  // The store has files of its own (SQLite's, and those beside them), the vault a lock and plain copies to overwrite; a
  // key file is opened to be read. Simulated worlds, which no package contains, have a temporary folder.
  const MAY =
    /^(?:store\/|config\/writePrivately\.ts|config\/vault\/vaultMeans\.ts|cli\/vault\/plainCopies\.ts|lab\/simulation\/)/
  const RAW =
    /\b(?:writeFile|appendFile|copyFile|cp|open|truncate|symlink|link|createWriteStream|mkdtemp)(?:Sync)?\b(?=[^}]*\} from 'node:fs)|\bfs\.\w+\(|from 'node:fs(?:\/promises)?'.*\*|\* as \w+ from 'node:fs/
  expect("import { readFileSync, writeFileSync } from 'node:fs'").toMatch(RAW)
  expect("import { open } from 'node:fs/promises'").toMatch(RAW)
  const wrong = readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts') && !MAY.test(file.replaceAll(sep, '/')))
    .filter((file) => RAW.test(readFileSync(join(root, file), 'utf8')))
  expect(wrong.map((file) => relative('.', file))).toEqual([])
})
