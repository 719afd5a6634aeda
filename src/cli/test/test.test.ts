import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { put, temporaryFolder } from '../../../test/support/temporaryFolder.ts'
import { type FakeWorld, startFakeProviders } from '../../lab/fake/fakeProviders.ts'
import type { FakeScenario } from '../../lab/fake/scenario.ts'
import type { ExitCode } from '../command.ts'
import { run } from './test.ts'

const KEY = `canary-${'c'.repeat(20)}`

interface Ran {
  readonly code: ExitCode
  readonly out: string
  readonly err: string
  readonly folder: string
  readonly world: FakeWorld
}

async function keywiseTest(facts: FakeScenario['providers'][string], options: object = {}, tty = false): Promise<Ran> {
  const world = await startFakeProviders({ providers: { acme: { keys: { [KEY]: {} }, ...facts } } })
  onTestFinished(() => world.close())
  const folder = temporaryFolder()
  const config = put(folder, 'config/api-keys.json', JSON.stringify(world.config()))
  const out = sink(false)
  const err = sink(tty)
  const all = { config, store: 'memory:', ...options }
  const code = await run({ args: [], options: all, env: {}, cwd: folder, stdout: out.stream, stderr: err.stream })
  return { code, out: out.text(), err: err.text(), folder, world }
}

function sink(isTTY: boolean): { stream: NodeJS.WriteStream; text: () => string } {
  let text = ''
  const write = (more: string) => {
    text += more
    return true
  }
  return { stream: { write, isTTY, columns: 100 } as unknown as NodeJS.WriteStream, text: () => text } // all that the command uses of a stream
}

test('keywise test prints the opening, the blocks and the summary, writes the results, and exits 0', async () => {
  const { code, out, err, folder } = await keywiseTest({ models: { a: {}, b: {} } })
  expect(code).toBe(0)
  expect(out.split('\n')[0]).toBe('Testing 2 models...')
  expect(out).toContain('Pass Rate: 100.0%')
  expect(err).toContain('[2/2] ✅ acme/')
  expect(JSON.parse(readFileSync(join(folder, 'api-test-results.json'), 'utf8')).summary.passed).toBe(2)
  expect(
    JSON.parse(readFileSync(join(folder, 'config', 'apiStats.json'), 'utf8')).providers['acme_key1'].models.a.status,
  ).toBe('working')
})

test('keywise test --json prints the object of the results file and nothing else', async () => {
  const { out, folder } = await keywiseTest({ models: { a: {} } }, { json: true, out: 'mine.json', html: 'mine.html' })
  expect(JSON.parse(out)).toEqual(JSON.parse(readFileSync(join(folder, 'mine.json'), 'utf8')))
  expect(readFileSync(join(folder, 'mine.html'), 'utf8')).toContain('<!doctype html>')
})

test('keywise test exits 3 when some targets fail, 4 when all do, 1 when none could be tested', async () => {
  const some = await keywiseTest({ models: { a: {}, b: {} }, faults: [{ do: 'bad_request', model: 'a' }] })
  expect(some.code).toBe(3)
  const all = await keywiseTest({ models: { a: {} }, faults: [{ do: 'bad_request' }] })
  expect(all.code).toBe(4)
  const none = await keywiseTest({ models: { a: { kind: 'embedding' } } })
  expect(none.code).toBe(1)
})

test('keywise test draws a grid on a terminal, and leaves no key anywhere', async () => {
  const { out, err, folder } = await keywiseTest({ models: { a: {}, b: { reply: KEY } } }, {}, true)
  expect(err).toContain('acme  ')
  expect(err).toContain('2/2')
  const files = ['api-test-results.json', 'config/apiStats.json'].map((file) =>
    readFileSync(join(folder, file), 'utf8'),
  )
  expect([out, err, ...files].join('\n')).not.toContain(KEY)
})

test('keywise test exits 130 at Ctrl-C and keeps the results so far', async () => {
  const slow = { latency_ms: 60_000 }
  const running = keywiseTest({ models: { quick: {}, slow } })
  await untilSomethingAnswers()
  process.emit('SIGINT')
  const { code, out, folder } = await running
  expect(code).toBe(130)
  expect(out).toContain('Interrupted')
  expect(JSON.parse(readFileSync(join(folder, 'api-test-results.json'), 'utf8')).interrupted).toBe(true)

  /** Only answer once the command listens for the signal, which it does from its start. */
  async function untilSomethingAnswers(): Promise<void> {
    while (process.listenerCount('SIGINT') === 0) await new Promise((resolve) => setImmediate(resolve))
  }
})

for (const options of [{ key: '0' }, { concurrency: 'x' }, { timeout: '-1' }]) {
  test(`keywise test refuses ${JSON.stringify(options)}`, async () => {
    await expect(keywiseTest({ models: { a: {} } }, options)).rejects.toThrow(/takes a/)
  })
}
