import { expect, test } from 'vitest'
import { fingerprint, freshSalt } from './fingerprint.ts'

test('fingerprint() is 16 hex digits, stable, and different for another key or another salt', () => {
  const salt = freshSalt()
  expect(fingerprint('key', salt)).toMatch(/^[0-9a-f]{16}$/)
  expect(fingerprint('key', salt)).toBe(fingerprint('key', salt))
  expect(fingerprint('kex', salt)).not.toBe(fingerprint('key', salt))
  expect(fingerprint('key', freshSalt())).not.toBe(fingerprint('key', salt))
})
