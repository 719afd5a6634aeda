/** Several processes on one store, and processes that end in the middle of a write. */

import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { loadSqlite } from '../src/store/sqlite/module.ts'
import { openSqliteStore } from '../src/store/sqlite/sqlite.ts'
import { temporaryFolder } from './support/temporaryFolder.ts'

const script = join(import.meta.dirname, 'support/storeChild.ts')

interface Writer {
  readonly process: ChildProcess
  /** Ids of the events that the process said are safe. */
  readonly safe: string[]
  readonly ended: Promise<number | null>
}

function startWriter(folder: string, name: string, count: number, onSafe: (writer: Writer) => void = () => {}): Writer {
  const files = [join(folder, 'keywise.db'), join(folder, 'apiStats.json')]
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', script, ...files, name, String(count)],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  let rest = ''
  const safe: string[] = []
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve))
  const writer = { process: child, safe, ended }
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n')
    rest = lines.pop() ?? ''
    safe.push(...lines)
    onSafe(writer)
  })
  return writer
}

function open(folder: string) {
  const store = openSqliteStore(join(folder, 'keywise.db'), { now: Date.now, warn: (line) => expect.fail(line) })
  const ids = store.attempts({}).map((event) => event.id)
  return { store, ids }
}

function integrity(folder: string): unknown {
  const sqlite = loadSqlite()
  const database = sqlite && new sqlite.DatabaseSync(join(folder, 'keywise.db'), { readOnly: true })
  const result = database?.prepare('PRAGMA integrity_check').get()?.['integrity_check']
  database?.close()
  return result
}

test('eight processes that start at once on a new store lose nothing and share every limit', async () => {
  const folder = temporaryFolder()
  const writers = [...'abcdefgh'].map((name) => startWriter(folder, name, 250))
  expect(await Promise.all(writers.map((writer) => writer.ended))).toEqual(Array(8).fill(0))
  const { store, ids } = open(folder)
  expect(new Set(ids).size).toBe(2_000)
  expect(store.sums({}, [])[0]?.attempts).toBe(2_000)
  expect(store.counter('sum')).toBe(2_000)
  expect(store.counter('limited')).toBe(250)
  expect(store.getDoc('settings', 'sum')).toBe(2_000)
  expect(store.read(0, 5_000).map((event) => event.seq)).toEqual(ids.map((_id, index) => index + 1))
  await store.close()
  expect(integrity(folder)).toBe('ok')
  expect(JSON.parse(readFileSync(join(folder, 'apiStats.json'), 'utf8')).providers.groq_key1).toBeDefined()
})

test('a process that is killed at any moment loses nothing that it called safe: 20 times', async () => {
  const folder = temporaryFolder()
  // Each round ends four processes at once, each after another number of safe events, in the middle of the next.
  const safe: string[] = []
  for (let round = 0; round < 5; round++) {
    const writers = [0, 1, 2, 3].map((lane) => {
      const after = 1 + ((round * 7 + lane * 13) % 40)
      const kill = (writer: Writer) => void (writer.safe.length >= after && writer.process.kill('SIGKILL'))
      return startWriter(folder, `${round}-${lane}`, 1_000_000, kill)
    })
    await Promise.all(writers.map((writer) => writer.ended))
    for (const writer of writers) {
      expect(writer.process.signalCode).toBe('SIGKILL')
      safe.push(...writer.safe)
    }
    const stats = join(folder, 'apiStats.json')
    if (existsSync(stats)) expect(JSON.parse(readFileSync(stats, 'utf8')).providers).toBeDefined()
  }
  const { store, ids } = open(folder)
  expect(safe.length).toBeGreaterThan(20)
  expect(safe.filter((id) => !ids.includes(id))).toEqual([])
  expect(new Set(ids).size).toBe(ids.length)
  expect(store.sums({}, [])[0]?.attempts).toBe(ids.length)
  // A kill between the event and the counter costs at most the one step that was under way.
  expect(Math.abs(store.counter('sum') - ids.length)).toBeLessThanOrEqual(20)
  await store.close()
  expect(integrity(folder)).toBe('ok')
  expect(readdirSync(folder).filter((name) => name.includes('corrupt'))).toEqual([])
})
