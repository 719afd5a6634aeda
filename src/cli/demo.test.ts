import { mkdtempSync, readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { expect, test } from 'vitest'
import { run } from './demo.ts'

/** Runs the command without a terminal; returns its output and any files it left behind. */
async function runDemo(options: Record<string, unknown>) {
  const folder = mkdtempSync(join(tmpdir(), 'keywise-demo-'))
  const stdout = new PassThrough()
  const stderr = new PassThrough()
  const code = await run({
    args: [],
    options,
    env: { HOME: folder },
    cwd: folder,
    stdout: stdout as unknown as NodeJS.WriteStream, // the command only writes to it
    stderr: stderr as unknown as NodeJS.WriteStream, // as above
  })
  return { code, text: String(stdout.read() ?? ''), left: readdirSync(folder) }
}

test('the demo tests, calls, falls back and summarizes, and writes no files', async () => {
  const { code, text, left } = await runDemo({ seconds: '2' })
  expect(code).toBe(0)
  expect(text).toMatch(/✅ groq\/openai\/gpt-oss-120b#1/)
  expect(text).toMatch(/❌ google\/.*#3/)
  expect(text).toMatch(/⚡ groq is overloaded/)
  expect(text).toMatch(/What happened\n {2}tests +\d+ of \d+ targets work\n {2}requests +\d+/)
  expect(left).toEqual([])
})

test('the demo prints its summary as JSON', async () => {
  const { text } = await runDemo({ seconds: '1', json: true })
  const summary = JSON.parse(text)
  expect(summary.tests.total).toBeGreaterThan(10)
  expect(summary.session.requests).toBeGreaterThan(0)
  expect(summary.ranking[0].rank).toBe(1)
})

test('the tour covers three days and explains why google is preferred on the third', async () => {
  const { code, text } = await runDemo({ tour: true, seconds: '0' })
  expect(code).toBe(0)
  expect(text).toMatch(/Day 1.*Day 2.*Day 3/s)
  expect(text).toMatch(/❌ groq\/openai\/gpt-oss-120b#1 +429 Too Many Requests \(parked until/)
  expect(text).toMatch(/google is asked before groq: more reliable/)
  const told = JSON.parse((await runDemo({ tour: true, json: true })).text)
  expect(told.chosen).toMatch(/^google\//)
  expect(told.calls).toHaveLength(19)
})
