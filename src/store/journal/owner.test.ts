import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { uptime } from 'node:os'
import { expect, test } from 'vitest'
import { type JournalOwner, ownerState, readOwner, thisOwner } from './owner.ts'

const me = thisOwner('a')
const isLinux = process.platform === 'linux'

test('this process lives', () => {
  expect(ownerState(me)).toBe('alive')
  expect(readOwner(JSON.parse(JSON.stringify(me)))).toEqual(me)
})

test('a process that has ended is dead', async () => {
  const child = spawn(process.execPath, ['-e', ''])
  await once(child, 'exit')
  expect(ownerState({ ...me, pid: child.pid ?? 0, started: null })).toBe('dead')
})

test.runIf(isLinux).each<[string, Partial<JournalOwner>, string]>([
  ['another process has its number now', { started: '1' }, 'dead'],
  ['the system has booted since', { boot: 'another' }, 'dead'],
  ['it counts its processes elsewhere, as another container does', { space: 'pid:[1]' }, 'unknown'],
])('%s', (_name, change, expected) => {
  expect(ownerState({ ...me, ...change })).toBe(expected)
})

test('where the run of the system has no name, one that began before the system did is dead', () => {
  const before = { ...me, boot: null, started: null, at: Date.now() - uptime() * 1000 - 120_000 }
  expect(ownerState(before)).toBe('dead')
  expect(ownerState({ ...before, at: Date.now() })).toBe('alive')
})

test('what no keywise wrote has no owner', () => {
  for (const header of [undefined, null, 1, {}, { version: 1 }, { ...me, pid: 'x' }])
    expect(readOwner(header)).toBeUndefined()
})
