/** The check for unused exports, on projects of a few files. */

import { expect, test } from 'vitest'
import { unusedExports } from '../tools/unusedExports.mjs'
import { put, temporaryFolder } from './support/temporaryFolder.ts'

/** What the check says of a project with `src/subject.ts` and the other files given. */
function check(subject: string, others: Readonly<Record<string, string>> = {}): string[] {
  const root = temporaryFolder()
  for (const folder of ['src', 'test', 'bench', 'tools', 'examples']) put(root, `${folder}/empty.ts`, '')
  put(root, 'src/subject.ts', subject)
  for (const [file, text] of Object.entries(others)) put(root, file, text)
  return unusedExports(root)
}

const UNUSED = 'src/subject.ts one is exported and used nowhere else: take the word "export" away'
const TESTS_ALONE = 'src/subject.ts one is used by tests alone: move it to test/support'

for (const subject of [
  'export const one = 1\n',
  'export let one = 1\n',
  'export function one() {}\n',
  'export async function one() {}\n',
  'export function* one() {}\n',
  'export class one {}\n',
  'export abstract class one {}\n',
  'export type one = 1\n',
  'export interface one {}\n',
  'export const one = 1\nconst two = one + one\n',
])
  test(`an export that no file imports is found: ${JSON.stringify(subject)}`, () => {
    expect(check(subject)).toEqual([UNUSED])
  })

const users: readonly (readonly [how: string, file: string, text: string])[] = [
  ['imported', 'src/user.ts', "import { one } from './subject.ts'\n"],
  ['imported beside others', 'src/user.ts', "import { type Other, one, two as three } from './subject.ts'\n"],
  ['imported over several lines', 'src/user.ts', "import {\n  other,\n  type one,\n} from './subject.ts'\n"],
  ['imported as a type', 'src/user.ts', "import type { one } from './subject.ts'\n"],
  ['imported under another name', 'src/user.ts', "import { one as uno } from './subject.ts'\n"],
  ['passed on', 'src/user.ts', "export { one } from './subject.ts'\n"],
  ['the surface of the package', 'src/index.ts', "export type { one } from './subject.ts'\n"],
  ['used from a namespace', 'src/a/user.ts', "import * as subject from '../subject.ts'\nsubject.one()\n"],
  ['loaded when needed', 'src/user.ts', "const { one } = await import('./subject.ts')\n"],
  ['measured by a benchmark', 'bench/user.ts', "import { one } from '../src/subject.ts'\n"],
  ['used from the build', 'tools/user.mjs', "import { one } from '../dist/subject.js'\n"],
]
for (const [how, file, text] of users)
  test(`an export is needed when it is ${how}`, () => {
    expect(check('export const one = 1\n', { [file]: text })).toEqual([])
  })

test('an import of another file, or of another name, is no use of it', () => {
  const others = {
    'src/a/subject.ts': '',
    'src/user.ts': "import { one } from './a/subject.ts'\nimport { one as two, oneMore } from './other.ts'\n",
    'src/loader.ts': "const { other } = await import('./subject.ts')\n",
  }
  expect(check('export const one = 1\n', others)).toEqual([UNUSED])
})

for (const file of ['src/subject.test.ts', 'test/user.ts'])
  test(`what ${file} alone uses belongs into test/support`, () => {
    const depth = file.startsWith('src') ? './subject.ts' : '../src/subject.ts'
    const user = { [file]: `import { one } from '${depth}'\n` }
    expect(check('/** Says one. */\n// one\nexport const one = 1\n', user)).toEqual([TESTS_ALONE])
    // A part of what the file does may be tested by itself.
    expect(check('export const one = 1\nconst two = one + one\n', user)).toEqual([])
  })
