import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { put, temporaryFolder } from '../../test/temporaryFolder.ts'
import { StoreError } from '../domain/errors.ts'
import { fingerprint, freshSalt, readSalt } from './fingerprint.ts'

test('fingerprint() is 16 hex digits, the same each time, and another for another key or another salt', () => {
  const salt = freshSalt()
  expect(fingerprint('key', salt)).toMatch(/^[0-9a-f]{16}$/)
  expect(fingerprint('key', salt)).toBe(fingerprint('key', salt))
  expect(fingerprint('kex', salt)).not.toBe(fingerprint('key', salt))
  expect(fingerprint('key', freshSalt())).not.toBe(fingerprint('key', salt))
})

test('readSalt() makes the salt once, for the user alone, and leaves nothing else behind', () => {
  const folder = join(temporaryFolder(), 'state', 'keywise')
  const salt = readSalt(folder)
  expect(salt).toMatch(/^[0-9a-f]{64}$/)
  expect(readSalt(folder)).toBe(salt)
  expect(readdirSync(folder)).toEqual(['salt'])
  if (process.platform !== 'win32') expect(statSync(join(folder, 'salt')).mode & 0o777).toBe(0o600)
})

test('readSalt() refuses a damaged salt instead of forgetting every key', () => {
  const folder = temporaryFolder()
  put(folder, 'salt', 'short')
  expect(() => readSalt(folder)).toThrow(StoreError)
  expect(existsSync(join(folder, 'salt'))).toBe(true)
})

test('readSalt() says so when the folder cannot be made', () => {
  const folder = temporaryFolder()
  put(folder, 'taken', 'a file')
  expect(() => readSalt(join(folder, 'taken', 'state'))).toThrow(StoreError)
})
