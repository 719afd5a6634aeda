import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { beforeEach, expect, test } from 'vitest'
import { attemptEvent, beginOf, heldBy } from '../../../test/support/storeEvents.ts'
import { temporaryFolder } from '../../../test/support/temporaryFolder.ts'
import type { AttemptEvent } from '../../domain/store.ts'
import { type JournalFiles, systemFiles } from './files.ts'
import { Journal } from './journal.ts'
import { leftBehind } from './leftBehind.ts'

let base = ''
beforeEach(() => {
  base = join(temporaryFolder(), 'keywise.db.rows')
})

const names = () => readdirSync(dirname(base))

function open(files: Partial<JournalFiles> = {}, survivesPower = false): Journal {
  return new Journal({ base, origin: 'mine', files: { ...systemFiles, ...files }, survivesPower })
}

function write(journal: Journal, event: AttemptEvent): void {
  journal.ended(event.id)
  journal.write([{ kind: 'event', value: event }])
}

/** What the next process finds, given that this one was killed. */
const left = () => leftBehind(base, 'other', systemFiles, () => 'dead')[0]

test('only its owner may read it, and it follows no link', () => {
  const journal = open()
  write(journal, attemptEvent())
  expect(statSync(journal.path).mode & 0o777).toBe(0o600)
  const precious = join(dirname(base), 'precious')
  writeFileSync(precious, 'keep me')
  symlinkSync(precious, `${base}-theirs-0`)
  const theirs = new Journal({ base, origin: 'theirs', files: systemFiles, survivesPower: false })
  expect(() => write(theirs, attemptEvent())).toThrow(/EEXIST/)
  expect(readFileSync(precious, 'utf8')).toBe('keep me')
})

test.skipIf(process.platform === 'win32')('what has the name of a journal and is no file is not waited for', () => {
  const folder = dirname(base)
  execFileSync('mkfifo', [`${base}-pipe-0`])
  mkdirSync(`${base}-folder-0`)
  symlinkSync('/dev/zero', `${base}-link-0`)
  writeFileSync(`${base}-foreign-0`, 'hello\n'.repeat(1000))
  writeFileSync(`${base}-empty-0`, '')
  const there = readdirSync(folder)
  expect(leftBehind(base, 'other', systemFiles, () => 'dead')).toEqual([])
  expect(readdirSync(folder)).toEqual(there)
})

test('what was kept is there after a kill: events, holdings, undecided attempts, and calls under way', () => {
  const journal = open()
  const [ended, undecided, running] = [attemptEvent(), attemptEvent(), attemptEvent()]
  for (const event of [ended, undecided, running]) journal.begin(beginOf(event))
  write(journal, ended)
  journal.undecided(undecided)
  journal.write([{ kind: 'holding', value: heldBy() }])
  expect(left()).toMatchObject({
    origin: 'mine',
    owner: 'dead',
    events: [ended],
    undecided: [undecided],
    holdings: [heldBy()],
    damaged: 0,
  })
})

test('it begins again when it has grown and everything is stored, and takes what is under way along', () => {
  const journal = open()
  const [running, undecided] = [attemptEvent(), attemptEvent()]
  journal.begin(beginOf(running))
  journal.undecided(undecided)
  const first = journal.path
  let count = 0
  while (statSync(journal.path).size < 2.5 * 1024 * 1024) {
    write(journal, attemptEvent())
    count++
  }
  expect(count).toBeGreaterThan(1000)
  journal.stored()
  expect(journal.path).not.toBe(first)
  expect(names()).toHaveLength(1)
  expect(left()).toMatchObject({ events: [], begun: [beginOf(running)], undecided: [undecided] })
  write(journal, running)
  expect(left()?.events).toEqual([running])
})

test('a journal that somebody removed is begun again', () => {
  const journal = open()
  const running = attemptEvent()
  journal.begin(beginOf(running))
  unlinkSync(journal.path)
  journal.stored()
  write(journal, attemptEvent())
  expect(left()).toMatchObject({ begun: [beginOf(running)] })
  expect(left()?.events).toHaveLength(1)
})

test('a line that the disk took in part is taken back, or ended, so that the next ones are read', () => {
  for (const canTruncate of [true, false]) {
    base = join(temporaryFolder(), 'keywise.db.rows')
    let room = Number.POSITIVE_INFINITY
    const journal = open({
      write(file, bytes, offset) {
        if (room === 0) throw new Error('no space left on device')
        const part = bytes.subarray(offset, offset + Math.min(room, bytes.length - offset))
        room -= part.length
        return systemFiles.write(file, Buffer.from(part), 0)
      },
      truncate(file, length) {
        if (!canTruncate) throw new Error('no')
        systemFiles.truncate(file, length)
      },
    })
    const [one, two, three] = [attemptEvent(), attemptEvent(), attemptEvent()]
    write(journal, one)
    room = 100
    expect(() => write(journal, two)).toThrow('no space left')
    room = Number.POSITIVE_INFINITY
    write(journal, three)
    expect(left()).toMatchObject({ events: [one, three], damaged: canTruncate ? 0 : 1 })
  }
})

test('many rows are one write, however long they are', () => {
  let writes = 0
  const journal = open({ write: (...args) => systemFiles.write(...args) + 0 * ++writes })
  write(journal, attemptEvent())
  const events = Array.from({ length: 300 }, () => attemptEvent({ task: 'é'.repeat(500) }))
  writes = 0
  journal.write(events.map((value) => ({ kind: 'event', value })))
  expect([writes, left()?.events.slice(1)]).toEqual([1, events])
})

test('rows that cannot be written as JSON are refused, and leave nothing behind', () => {
  const journal = open()
  const odd = attemptEvent({ number: 1n as unknown as number }) // possible only from plain JavaScript
  expect(() => journal.write([odd, attemptEvent()].map((value) => ({ kind: 'event', value })))).toThrow(TypeError)
  const event = attemptEvent()
  write(journal, event)
  expect(left()?.events).toEqual([event])
})

test('closed with everything stored it leaves no file; else it leaves it to the next process', () => {
  const journal = open()
  write(journal, attemptEvent())
  journal.close(true)
  expect(left()?.events).toHaveLength(1)
  const other = new Journal({ base, origin: 'second', files: systemFiles, survivesPower: false })
  write(other, attemptEvent())
  other.close(false)
  expect(names()).toEqual(['keywise.db.rows-mine-0'])
})

test('against power failures the disk is waited for, once for all that wait, and its failure is told', async () => {
  const syncs: ((error: Error | null) => void)[] = []
  const journal = open({ sync: (_file, done) => void syncs.push(done), syncFolder: () => {} }, true)
  write(journal, attemptEvent())
  const first = journal.synced()
  expect(syncs).toHaveLength(1)
  const sameLine = journal.synced()
  write(journal, attemptEvent())
  const second = journal.synced()
  write(journal, attemptEvent())
  const third = journal.synced()
  expect(syncs).toHaveLength(1)
  syncs[0]?.(null)
  expect(await Promise.all([first, sameLine])).toEqual([true, true])
  expect(syncs).toHaveLength(2)
  syncs[1]?.(new Error('EIO'))
  expect(await Promise.all([second, third])).toEqual([false, false])
  const again = journal.synced()
  syncs[2]?.(null)
  expect([await again, journal.synced()]).toEqual([true, null])
})

test('a file is closed only when the disk has answered for it', async () => {
  const open_ = new Set<number>()
  let answer: (error: Error | null) => void = () => {}
  const journal = open(
    {
      create(path) {
        const file = systemFiles.create(path)
        open_.add(file)
        return file
      },
      close(file) {
        open_.delete(file)
        systemFiles.close(file)
      },
      sync: (_file, done) => {
        answer = done
      },
    },
    true,
  )
  write(journal, attemptEvent())
  const synced = journal.synced()
  journal.forget()
  expect(open_.size).toBe(2)
  answer(null)
  await synced
  expect(open_.size).toBe(1)
})
