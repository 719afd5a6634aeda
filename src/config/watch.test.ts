import { renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { put, temporaryFolder } from '../../test/support/temporaryFolder.ts'
import { ConfigError } from '../domain/errors.ts'
import { loadConfig } from './config.ts'
import { watchConfig } from './watch.ts'

const text = (key: string) => `{\n  "groq": { "api_key": "${key}" }\n}\n`

/** A watched keys file, and what the watcher has reported so far. */
function watched(graceMs = 50) {
  const folder = temporaryFolder()
  const file = put(folder, 'config/api-keys.json', text('key-1'))
  const changes: (string | undefined)[] = []
  const errors: unknown[] = []
  let loads = 0
  const watching = watchConfig({
    file,
    load: () => {
      loads++
      return loadConfig({ config: file, env: {}, cwd: folder, home: folder, platform: 'linux' })
    },
    onChange: (config) => changes.push(config.providers[0]?.keys[0]?.secret.reveal()),
    onInvalid: (error) => errors.push(error),
    everyMs: 30,
    graceMs,
  })
  onTestFinished(() => watching.close())
  return { folder, file, changes, errors, watching, loads: () => loads }
}

const eventually = (check: () => void) => vi.waitFor(check, { timeout: 5_000, interval: 10 })

test('an edit takes effect', async () => {
  const { file, changes, errors } = watched()
  writeFileSync(file, text('key-2'))
  await eventually(() => expect(changes).toEqual(['key-2']))
  writeFileSync(file, text('key-3'))
  await eventually(() => expect(changes).toEqual(['key-2', 'key-3']))
  expect(errors).toEqual([])
})

test('an editor that writes beside and renames is followed, repeatedly', async () => {
  const { folder, file, changes, errors } = watched()
  for (const key of ['key-2', 'key-3', 'key-4']) {
    renameSync(put(folder, 'config/.draft', text(key)), file)
    await eventually(() => expect(changes.at(-1)).toBe(key))
  }
  expect(changes).toEqual(['key-2', 'key-3', 'key-4'])
  expect(errors).toEqual([])
})

test('an editor that truncates first and writes later causes no error', async () => {
  const { file, changes, errors, loads } = watched(60_000)
  truncateSync(file)
  await eventually(() => expect(loads()).toBe(1))
  writeFileSync(file, text('key-2'))
  await eventually(() => expect(changes).toEqual(['key-2']))
  expect(errors).toEqual([])
})

test('an unusable edit is reported once, with its location, and the next good one takes effect', async () => {
  const { file, changes, errors } = watched()
  writeFileSync(file, '{\n  "groq": { "api_key": "" }\n}')
  await eventually(() => expect(errors).toHaveLength(1))
  expect(errors[0]).toBeInstanceOf(ConfigError)
  expect(errors[0]).toMatchObject({ line: 2, column: 24, path: 'groq.api_key' })
  writeFileSync(file, text('key-2'))
  await eventually(() => expect(changes).toEqual(['key-2']))
  expect(errors).toHaveLength(1)
})

test('a removed file is reported once, and found again when it returns', async () => {
  const { file, changes, errors } = watched()
  rmSync(file)
  await eventually(() => expect(errors).toHaveLength(1))
  expect(String(errors[0])).toMatch(/the file does not exist/)
  writeFileSync(file, text('key-2'))
  await eventually(() => expect(changes).toEqual(['key-2']))
})

test('writing the same content again, or other files beside it, changes nothing', async () => {
  const { folder, file, changes, errors } = watched()
  writeFileSync(file, text('key-1'))
  put(folder, 'config/apiStats.json', '{}')
  writeFileSync(file, text('key-2'))
  await eventually(() => expect(changes).toEqual(['key-2']))
  expect(errors).toEqual([])
})

test('nothing is reported after close()', async () => {
  const { file, folder, changes, errors, watching } = watched()
  watching.close()
  writeFileSync(file, text('key-2'))
  const other: string[] = []
  const second = watchConfig({
    file,
    load: () => 'again',
    onChange: (loaded) => other.push(loaded),
    onInvalid: () => {},
    everyMs: 30,
  })
  onTestFinished(() => second.close())
  renameSync(put(folder, 'config/.draft', text('key-3')), join(folder, 'config/api-keys.json'))
  await eventually(() => expect(other).toEqual(['again']))
  expect([...changes, ...errors]).toEqual([])
})
