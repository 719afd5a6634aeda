import { expect, test } from 'vitest'
import { likenessOf } from './likeness.ts'

test.each<[served: string, asked: string, expected: number | null]>([
  ['vendor/big', 'vendor/big', 0],
  ['Vendor/Big', 'vendor/big', 1],
  ['models/big', 'big', 1],
  ['big', 'models/big', 1],
  ['big', 'publishers/vendor/models/big', 1],
  ['llama3.2:latest', 'llama3.2', 1],
  ['llama3.2', 'llama3.2:latest', 1],
  ['vendor/big', 'big', 2],
  ['big', 'vendor/big', 2],
  ['vendor/big', 'other/big', null],
  ['vendor/big:free', 'vendor/big', null],
  ['vendor/big', 'vendor/big:free', null],
  ['vendor/big:free', 'big', null],
  ['vendor/big:free', 'big:free', 2],
  ['vendor/big:nitro', 'vendor/big', null],
  ['vendor/big:thinking', 'vendor/big:free', null],
  ['llama3.2:3b', 'llama3.2', null],
  ['llama3.2:latest', 'llama3.2:3b', null],
  ['big-2026-01-01', 'big', null],
  ['big', 'big-2026-01-01', null],
  ['bigger', 'big', null],
])('%s is to %s: %s', (served, asked, expected) => expect(likenessOf(served, asked)).toBe(expected))
