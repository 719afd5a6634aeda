import { existsSync, readdirSync, readFileSync, statSync, symlinkSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { put, temporaryFolder } from '../../test/support/temporaryFolder.ts'
import { openPrivately, writePrivately } from './writePrivately.ts'

test('a file is replaced as a whole, for its owner alone, and nothing is left beside it', () => {
  const folder = temporaryFolder()
  const file = join(folder, 'below', 'secrets.json')
  writePrivately(file, 'one')
  writePrivately(file, 'two')
  expect(readFileSync(file, 'utf8')).toBe('two')
  expect(readdirSync(join(folder, 'below'))).toEqual(['secrets.json'])
  if (process.platform !== 'win32') expect(statSync(file).mode & 0o777).toBe(0o600)
})

test('who begins a second time has to wait; released without an end, the file is as it was', () => {
  const file = put(temporaryFolder(), 'secrets.json', 'one')
  const first = openPrivately(file)
  expect(() => openPrivately(file)).toThrow(/another keywise is writing it/)
  first.release()
  expect(readFileSync(file, 'utf8')).toBe('one')
  const second = openPrivately(file)
  second.commit('two')
  second.release()
  expect(readFileSync(file, 'utf8')).toBe('two')
})

test('what a killed process has left is no lock for ever', () => {
  const folder = temporaryFolder()
  const file = put(folder, 'secrets.json', 'one')
  const left = put(folder, '.secrets.json.new', 'half')
  expect(() => writePrivately(file, 'two')).toThrow(/try again in a minute/)
  utimesSync(left, new Date(0), new Date(0))
  writePrivately(file, 'two')
  expect([readFileSync(file, 'utf8'), existsSync(left)]).toEqual(['two', false])
})

test.skipIf(process.platform === 'win32')('no link is followed, neither in the place of the file nor beside it', () => {
  const folder = temporaryFolder()
  const elsewhere = put(folder, 'elsewhere', 'keep me')
  const link = join(folder, 'link')
  symlinkSync(elsewhere, link)
  expect(() => writePrivately(link, 'x')).toThrow(/is a link/)
  symlinkSync(elsewhere, join(folder, '.secrets.json.new'))
  expect(() => writePrivately(join(folder, 'secrets.json'), 'x')).toThrow(/another keywise/)
  expect(readFileSync(elsewhere, 'utf8')).toBe('keep me')
})

test('who was overtaken while it wrote neither writes nor takes the lock of the other', () => {
  const file = put(temporaryFolder(), 'secrets.json', 'one')
  const slow = openPrivately(file)
  const long = new Date(Date.now() - 120_000)
  utimesSync(join(file, '..', '.secrets.json.new'), long, long)
  const other = openPrivately(file)
  expect(() => slow.commit('of the slow one')).toThrow(/another keywise has begun to write it/)
  slow.release()
  other.commit('of the other')
  other.release()
  expect(readFileSync(file, 'utf8')).toBe('of the other')
  expect(readdirSync(join(file, '..'))).toEqual(['secrets.json'])
})
