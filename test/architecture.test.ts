/** The rule of the stairs: an import goes down, or stays in its room. Rooms of one floor do not know each other. */

import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve, sep } from 'node:path'
import { expect, test } from 'vitest'

const FLOORS: Record<string, number> = {
  domain: 1,
  routing: 2,
  quota: 2,
  money: 2,
  experiment: 2,
  dialects: 2,
  providers: 2,
  store: 3,
  upstream: 3,
  config: 3,
  observe: 3,
  engine: 4,
  views: 5,
  monitor: 5,
  manager: 6,
  tester: 7,
  server: 8,
  lab: 9,
  cli: 10,
}

const source = resolve(import.meta.dirname, '../src')
const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter(
  (file) => file.endsWith('.ts') && !file.endsWith('.test.ts'),
)

const roomOf = (path: string) => relative(source, path).split(sep)[0] ?? ''

function importsOf(file: string): string[] {
  const text = readFileSync(join(source, file), 'utf8')
  return [...text.matchAll(/(?:from|import\()\s*'(\.[^']+)'/g)].map((match) =>
    resolve(source, dirname(file), match[1] ?? ''),
  )
}

test('every folder of src is a room of the plan', () => {
  const rooms = new Set(files.filter((file) => file.includes(sep)).map((file) => roomOf(join(source, file))))
  expect([...rooms].filter((room) => !(room in FLOORS))).toEqual([])
})

test('imports go down the stairs or stay in their room', () => {
  const wrong: string[] = []
  for (const file of files.filter((file) => file.includes(sep))) {
    const room = roomOf(join(source, file))
    for (const target of importsOf(file)) {
      const other = roomOf(target)
      if (other !== room && (FLOORS[other] ?? 99) >= (FLOORS[room] ?? 0))
        wrong.push(`${file} imports ${relative(source, target)}`)
    }
  }
  expect(wrong).toEqual([])
})

test('the mind reads no clock, throws no dice and does no I/O', () => {
  const wrong: string[] = []
  for (const file of files.filter((file) => (FLOORS[roomOf(join(source, file))] ?? 9) <= 2)) {
    const text = readFileSync(join(source, file), 'utf8')
    if (
      /\bDate\.now\(|\bnew Date\(\)|\bMath\.random\(|\bperformance\.now\(|from 'node:(?:fs|http|https|net|os|child_process)|process\.env/.test(
        text,
      )
    )
      wrong.push(file)
  }
  expect(wrong).toEqual([])
})

test('environment variables are read in config/ only', () => {
  const wrong = files.filter(
    (file) => !file.startsWith(`config${sep}`) && /process\.env\b/.test(readFileSync(join(source, file), 'utf8')),
  )
  expect(wrong.filter((file) => file !== join('cli', 'main.ts'))).toEqual([])
})

test('no code outside providers/ spells a provider by name in a condition', () => {
  const wrong = files
    .filter((file) => !file.startsWith(`providers${sep}`) && !file.startsWith(`lab${sep}`))
    .filter((file) => /provider(?:\.id|Id)?\s*[!=]==\s*'/.test(readFileSync(join(source, file), 'utf8')))
  expect(wrong).toEqual([])
})

test('no file is in an import circle, types counted', () => {
  expect(circles(new Map(files.map((file) => [file, importsOf(file).map((path) => relative(source, path))])))).toEqual(
    [],
  )
})

/** The folders of engine/, each of which may import from itself and from those after it. */
const ENGINE = ['', 'attempt', 'repair', 'targets', 'memory', 'request', 'experiments']

test('inside engine/ imports go down: the loop, an attempt, repairs, the targets, memory, the request, experiments', () => {
  const levelOf = (path: string) => ENGINE.indexOf(dirname(relative(join(source, 'engine'), path)).replace('.', ''))
  const wrong = files
    .filter((file) => roomOf(join(source, file)) === 'engine')
    .flatMap((file) =>
      importsOf(file)
        .filter((target) => roomOf(target) === 'engine' && levelOf(target) < levelOf(join(source, file)))
        .map((target) => `${file} imports ${relative(source, target)}`),
    )
  expect(wrong).toEqual([])
  expect(
    files.filter((file) => roomOf(join(source, file)) === 'engine').map((file) => levelOf(join(source, file))),
  ).not.toContain(-1)
})

test('no exported name stands for two things, but for the `run` of every command', () => {
  const homes = new Map<string, string[]>()
  // The shims are programs in template strings; what those export is not ours.
  for (const file of files.filter((file) => file !== join('cli', 'shims.ts')))
    for (const name of exportsOf(file)) homes.set(name, [...(homes.get(name) ?? []), file])
  expect([...homes].filter(([name, where]) => where.length > 1 && name !== 'run')).toEqual([])
})

function exportsOf(file: string): string[] {
  const text = readFileSync(join(source, file), 'utf8')
  const declared = /^export (?:abstract )?(?:async )?(?:type|interface|class|function\*?|const|let) ([\w$]+)/gm
  return [...text.matchAll(declared)].map((match) => match[1] ?? '')
}

/** The circles of a graph, one path each. */
function circles(graph: Map<string, string[]>): string[] {
  const done = new Set<string>()
  const found: string[] = []
  const visit = (file: string, path: readonly string[]): void => {
    if (path.includes(file)) found.push([...path.slice(path.indexOf(file)), file].join(' > '))
    if (done.has(file) || path.includes(file)) return
    for (const next of graph.get(file) ?? []) visit(next, [...path, file])
    done.add(file)
  }
  for (const file of graph.keys()) visit(file, [])
  return found
}
