/** The examples that README shows are files, and they run: against simulated providers, as a user would start them. */

import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, test } from 'vitest'
import type { FakeScenario } from '../src/lab/fake/scenario.ts'
import { fakeKey, openWorld } from './support/labCall.ts'
import { makeHome } from './support/runKeywise.ts'

const root = resolve(import.meta.dirname, '..')
const fromSource = pathToFileURL(join(import.meta.dirname, 'support/keywiseFromSource.mjs')).href

const scenario: FakeScenario = {
  providers: {
    groq: { keys: { [fakeKey('groq')]: {} }, models: { 'openai/gpt-oss-120b': {} } },
    google: { keys: { [fakeKey('google')]: {} }, models: { 'gemini-3.8-flash': {} } },
  },
}

const examples: readonly { readonly file: string; readonly prints: readonly RegExp[] }[] = [
  { file: 'call.mjs', prints: [/All is well/, /, \d+ ms, 1 attempt\(s\)/, /successRate: 1/] },
  { file: 'stream.mjs', prints: [/All is well/, /, \d+ tokens/] },
  { file: 'client.cjs', prints: [/All is well/] },
  {
    file: 'experiment.mjs',
    prints: [/^after \d+ requests: warm is better by 0\.\d+ to 0\.\d+ in quality.*safe to stop$/m],
  },
  { file: 'test-keys.mjs', prints: [/^groq\/openai\/gpt-oss-120b#1: success$/m, /^2 of 2 work; fastest: /m] },
]

for (const { file, prints } of examples) {
  test(`examples/${file} runs`, async () => {
    const world = await openWorld(scenario)
    const home = makeHome(world.config())
    const { code, stdout, stderr } = await home.node('--import', fromSource, join(root, 'examples', file))
    for (const text of prints) expect(stdout, stderr).toMatch(text)
    expect(code, stderr).toBe(0)
  })
}

test('every example is run', () => {
  const files = readdirSync(join(root, 'examples')).filter((name) => /\.[cm]?[jt]s$/.test(name))
  expect(files.sort()).toEqual(examples.map(({ file }) => file).sort())
})

test('README shows the examples as they are', () => {
  const readme = readFileSync(join(root, 'README.md'), 'utf8')
  const shown = [...readme.matchAll(/`examples\/([\w.-]+)`[^\n]*\n+```js\n([\s\S]*?)```/g)]
  expect(shown.length).toBeGreaterThan(0)
  for (const [, name, text] of shown) expect(text).toBe(readFileSync(join(root, 'examples', String(name)), 'utf8'))
})
