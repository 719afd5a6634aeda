import { expect, test } from 'vitest'
import { AllTargetsFailedError, ConfigError, isKeywiseError, KeywiseError } from './errors.ts'

test('isKeywiseError() recognises every keywise error', () => {
  const failed = new AllTargetsFailedError('all failed', { retryAt: null })
  expect([failed, new ConfigError('wrong'), new KeywiseError('STORE', 'broken')].every(isKeywiseError)).toBe(true)
})

test('isKeywiseError() recognises errors of another copy of the package, which instanceof does not', async () => {
  const copy = (await import(`./errors.ts?copy=${'2'}`)) as typeof import('./errors.ts')
  const error = new copy.ConfigError('wrong')
  expect(error instanceof KeywiseError).toBe(false)
  expect(isKeywiseError(error)).toBe(true)
  expect(error.code).toBe('CONFIG')
})

test.each([
  new Error('other'),
  { code: 'CONFIG' },
  null,
  undefined,
  'CONFIG',
])('isKeywiseError() rejects %j', (value) => {
  expect(isKeywiseError(value)).toBe(false)
})
