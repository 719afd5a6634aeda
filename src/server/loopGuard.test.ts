import { expect, test } from 'vitest'
import { InvalidRequestError } from '../domain/errors.ts'
import { viaOf } from './loopGuard.ts'

const name = (digit: string) => digit.repeat(32)
const via = (value: string) => ({ 'x-keywise-via': value })

test.each([
  ['none so far', {}, name('a')],
  ['another gateway', via(name('b')), `${name('b')},${name('a')}`],
  [
    'two that a proxy has folded into one line',
    via(`${name('b')}, ${name('c')}`),
    [name('b'), name('c'), name('a')].join(),
  ],
  ['what is no name', via('x,<script>'), name('a')],
])('viaOf() adds its own name to %s', (_, headers, expected) => {
  expect(viaOf(headers, name('a'))).toBe(expected)
})

test.each([
  ['alone', via(name('a'))],
  ['among others', via(`${name('b')},${name('a')}`)],
  ['behind a blank', via(`${name('b')}, ${name('a')}`)],
])('viaOf() refuses a request that has its own name %s', (_, headers) => {
  expect(() => viaOf(headers, name('a'))).toThrow(InvalidRequestError)
})

test('viaOf() keeps the last fifteen names beside its own', () => {
  const names = Array.from({ length: 16 }, (_, index) => index.toString(16).repeat(32))
  expect(viaOf(via(names.join()), 'ff'.repeat(16).replace(/^f/, '0'))?.split(',')).toHaveLength(16)
})
