import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { beforeEach, expect, test } from 'vitest'
import { TEN } from '../../../test/support/storeEvents.ts'
import { temporaryFolder } from '../../../test/support/temporaryFolder.ts'
import { statsFileOf } from './statsFile.ts'
import { StatsFileWriter } from './statsFileWriter.ts'

let folder = ''
let path = ''
let warnings: string[] = []
let timers: { work: () => void; delayMs: number }[] = []
let now = TEN
beforeEach(() => {
  folder = temporaryFolder()
  path = join(folder, 'apiStats.json')
  warnings = []
  timers = []
  now = TEN
})

function newWriter(location = path): StatsFileWriter {
  return new StatsFileWriter({
    path: location,
    view: () => statsFileOf([], now),
    now: () => now,
    warn: (line) => warnings.push(line),
    schedule: (work, delayMs) => {
      timers.push({ work, delayMs })
      return () => {}
    },
  })
}

const read = () => JSON.parse(readFileSync(path, 'utf8'))

test('many changes become one write, within a second', async () => {
  const writer = newWriter()
  for (let change = 0; change < 100; change++) writer.changed()
  expect(timers).toHaveLength(1)
  expect(timers[0]?.delayMs).toBeLessThan(1_000)
  timers[0]?.work()
  await writer.close()
  expect(read()).toMatchObject({ lastUpdated: '2026-11-23T10:00:00.000Z', providers: {} })
  expect(statSync(path).mode & 0o777).toBe(0o644)
  expect(readdirSync(folder)).toEqual(['apiStats.json'])
})

test('closing writes what is pending, and nothing otherwise', async () => {
  await newWriter().close()
  expect(readdirSync(folder)).toEqual([])
  const writer = newWriter()
  writer.changed()
  await writer.close()
  expect(read().providers).toEqual({})
  writer.changed()
  expect(timers).toHaveLength(1)
})

test('top-level fields of other programs are preserved', async () => {
  writeFileSync(path, '{ "note": "mine", "providers": { "old_key1": {} }, "lastUpdated": "then" }')
  await newWriter().write()
  expect(read()).toMatchObject({ note: 'mine', providers: {}, lastUpdated: '2026-11-23T10:00:00.000Z' })
})

test('a corrupted file is set aside and reported, never overwritten', async () => {
  writeFileSync(path, '{ "providers": { half')
  await newWriter().write()
  const aside = 'apiStats.json.corrupt-2026-11-23T10-00-00.000Z'
  expect(readFileSync(join(folder, aside), 'utf8')).toBe('{ "providers": { half')
  expect(warnings).toHaveLength(1)
  expect(warnings[0]).toContain(aside)
  expect(read().providers).toEqual({})
})

test('a symbolic link is replaced by the file; its target stays unchanged', async () => {
  const elsewhere = join(folder, 'elsewhere.json')
  writeFileSync(elsewhere, '{"note":"untouched"}')
  symlinkSync(elsewhere, path)
  await newWriter().write()
  expect(lstatSync(path).isSymbolicLink()).toBe(false)
  expect(readFileSync(elsewhere, 'utf8')).toBe('{"note":"untouched"}')
})

test('a file that cannot be written causes one warning, and none once it can', async () => {
  const location = join(folder, 'missing', 'apiStats.json')
  const writer = newWriter(location)
  await writer.write()
  await writer.write()
  expect(warnings).toHaveLength(1)
  expect(warnings[0]).toContain(location)
  mkdirSync(join(folder, 'missing'))
  await writer.write()
  expect(JSON.parse(readFileSync(location, 'utf8')).providers).toEqual({})
})

test('a folder under the file’s name causes a warning and leaves nothing behind', async () => {
  mkdirSync(path)
  await newWriter().write()
  expect(warnings).toHaveLength(1)
  expect(readdirSync(folder)).toEqual(['apiStats.json'])
})

test('what a killed process left half-written is removed, what is being written is not', async () => {
  for (const name of ['.apiStats.json.old.tmp', '.apiStats.json.new.tmp', '.other.tmp'])
    writeFileSync(join(folder, name), '{')
  now = Date.now()
  const anHourAgo = new Date(now - 3_600_000)
  for (const name of ['.apiStats.json.old.tmp', '.other.tmp']) utimesSync(join(folder, name), anHourAgo, anHourAgo)
  await newWriter().write()
  expect(readdirSync(folder).sort()).toEqual(['.apiStats.json.new.tmp', '.other.tmp', 'apiStats.json'])
})
