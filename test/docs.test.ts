/** The documentation is true: generated pages are up to date, and every link and path leads somewhere. */

import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, normalize, relative, resolve } from 'node:path'
import { expect, test } from 'vitest'

const root = resolve(import.meta.dirname, '..')
const read = (path: string) => readFileSync(join(root, path), 'utf8')

const pages = [
  ...readdirSync(root).filter((name) => name.endsWith('.md')),
  ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => join('docs', name)),
]

test('docs/library.md and docs/settings.md are what `npm run docs` writes', async () => {
  const { pages: generated } = (await import('../tools/docs.mjs')) as { pages(): Record<string, string> }
  for (const [file, text] of Object.entries(generated())) expect(read(file), `run "npm run docs"`).toBe(text)
})

test('docs/library.md has every export of the package', () => {
  const names = [...read('src/index.ts').matchAll(/export (?:type )?\{([^}]*)\}/g)].flatMap((match) =>
    (match[1] ?? '').split(',').flatMap((name) => name.trim().replace(/^type /, '') || []),
  )
  const library = read('docs/library.md')
  expect(names.length).toBeGreaterThan(30)
  expect(names.filter((name) => !library.includes(`### ${name}\n`))).toEqual([])
})

test('every relative link of the documentation leads to a file', () => {
  const dead = pages.flatMap((page) =>
    [...read(page).matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)]
      .map((match) => match[1] ?? '')
      .filter((link) => !/^[a-z]+:/.test(link) && !existsSync(join(root, dirname(page), link)))
      .map((link) => `${page}: ${link}`),
  )
  expect(dead).toEqual([])
})

test('every link to a heading of a page leads to one', () => {
  const dead = pages.flatMap((page) =>
    [...read(page).matchAll(/\]\(([\w./-]*)#([^)\s]+)\)/g)]
      .map(([, link = '', heading = '']) => ({ to: link === '' ? page : join(dirname(page), link), heading }))
      .filter(({ to, heading }) => !headingsOf(to).includes(heading))
      .map(({ to, heading }) => `${page}: ${to}#${heading}`),
  )
  expect(dead).toEqual([])
})

test('every path that the documentation names exists', () => {
  const bases = ['', 'src', ...foldersOf('src')]
  const dead = pages.flatMap((page) =>
    [...read(page).matchAll(/`([\w-]+(?:\/[\w.-]+)*\/[\w-]+\.(?:ts|mjs|cjs))`/g)]
      .map((match) => match[1] ?? '')
      .filter((path) => !path.endsWith('/yours.ts') && !bases.some((base) => existsSync(join(root, base, path))))
      .map((path) => `${page}: ${path}`),
  )
  expect(dead).toEqual([])
})

test('the tour names every folder of src', () => {
  const tour = read('docs/tour.md')
  const folders = foldersOf('src').map((folder) => `\`${relative('src', folder)}/\``)
  expect(folders.filter((folder) => !tour.includes(folder))).toEqual([])
})

test('nothing cites a document that a clone does not contain', () => {
  const cited =
    /wire-facts|learning-spec|faults\.md|original-formats|\bcontract(?:'s)? (?:section )?\d|contract section|\bhouse\.md/
  const own = normalize('test/docs.test.ts')
  const found = ['src', 'test', 'bench', 'tools', 'examples', 'docs']
    .flatMap((folder) => filesOf(folder))
    .filter((file) => /\.(?:ts|mjs|cjs|js|md)$/.test(file) && file !== own && !file.includes('node_modules'))
    .filter((file) => cited.test(read(file)))
  expect(found).toEqual([])
})

/** As GitHub makes anchors of headings. */
function headingsOf(page: string): string[] {
  return [...read(page).matchAll(/^#+ (.+)$/gm)].map((match) =>
    (match[1] ?? '')
      .toLowerCase()
      .replace(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  )
}

function filesOf(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name))
}

function foldersOf(folder: string): string[] {
  return filesOf(folder).filter((path) => statSync(join(root, path)).isDirectory())
}
