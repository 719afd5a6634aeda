/** The release script through its command line, in a git repository of its own. */

import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'
import { put, temporaryFolder } from './support/temporaryFolder.ts'

const SCRIPT = resolve(import.meta.dirname, '../tools/release.mjs')
const MANIFEST = {
  name: 'some-package',
  version: '0.1.0',
  author: 'Somebody <somebody@mail.example>',
  repository: { type: 'git', url: 'git+https://git.example/some/package.git' },
  bugs: { url: 'https://git.example/some/package/issues' },
  homepage: 'https://git.example/some/package',
}
const CHANGELOG = '# Changelog\n\n## Unreleased\n\n- It does more.\n\n## 0.1.0 (2026-01-01)\n\nThe first.\n'

function run(folder: string, command: string, args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd: folder, encoding: 'utf8' })
  return { status, stdout, stderr }
}

function git(folder: string, ...args: string[]): string {
  const { status, stdout, stderr } = run(folder, 'git', args)
  if (status !== 0) throw new Error(`git ${args.join(' ')}: ${stderr}`)
  return stdout.trim()
}

const release = (folder: string, ...args: string[]) => run(folder, process.execPath, [SCRIPT, ...args])

/** A repository that is ready for a release, but for what is replaced. */
function repository({ manifest = MANIFEST as object, changelog = CHANGELOG } = {}): string {
  const folder = temporaryFolder()
  const lock = { name: 'some-package', version: '0.1.0', packages: { '': { version: '0.1.0' }, 'node_modules/a': {} } }
  put(folder, 'package.json', `${JSON.stringify(manifest, null, 2)}\n`)
  put(folder, 'package-lock.json', `${JSON.stringify(lock, null, 2)}\n`)
  put(folder, 'CHANGELOG.md', changelog)
  git(folder, 'init', '--quiet', '--initial-branch=main')
  for (const [name, value] of [
    ['user.name', 'Somebody'],
    ['user.email', 'somebody@mail.example'],
    ['core.autocrlf', 'false'],
  ])
    git(folder, 'config', String(name), String(value))
  git(folder, 'add', '.')
  git(folder, 'commit', '--quiet', '--message', 'Begin')
  return folder
}

const textOf = (folder: string, file: string) => readFileSync(join(folder, file), 'utf8')

test('a release sets the version, dates the changelog, commits and tags', () => {
  const folder = repository()
  const { status, stdout } = release(folder, '0.2.0', '--date', '2026-02-03')
  expect(status).toBe(0)
  expect(stdout).toMatch(/git push --atomic origin main v0\.2\.0\n$/)
  expect(JSON.parse(textOf(folder, 'package.json'))).toEqual({ ...MANIFEST, version: '0.2.0' })
  expect(JSON.parse(textOf(folder, 'package-lock.json'))).toMatchObject({
    version: '0.2.0',
    packages: { '': { version: '0.2.0' }, 'node_modules/a': {} },
  })
  expect(textOf(folder, 'CHANGELOG.md')).toBe(CHANGELOG.replace('## Unreleased', '## 0.2.0 (2026-02-03)'))
  expect(git(folder, 'log', '--format=%s')).toBe('Release 0.2.0\nBegin')
  expect(git(folder, 'tag', '--points-at', 'HEAD')).toBe('v0.2.0')
  expect(git(folder, 'status', '--porcelain')).toBe('')

  const publication = release(folder, '--publish', '--dry-run')
  expect(publication).toMatchObject({ status: 0, stdout: 'would npm publish --provenance --access public\n' })
})

test('the first release keeps the version that package.json begins with', () => {
  const folder = repository({ changelog: '# Changelog\n\n## Unreleased\n\nThe first.\n' })
  expect(release(folder, '0.1.0', '--date', '2026-02-03').status).toBe(0)
  expect(textOf(folder, 'CHANGELOG.md')).toBe('# Changelog\n\n## 0.1.0 (2026-02-03)\n\nThe first.\n')
  expect(git(folder, 'tag', '--points-at', 'HEAD')).toBe('v0.1.0')
})

test('a release is refused while shipped facts are too old', () => {
  const folder = repository()
  put(
    folder,
    'tools/factAges.mjs',
    "console.error('src/providers/acme.ts: seedLimits was read long ago')\nprocess.exitCode = 1\n",
  )
  git(folder, 'add', '.')
  git(folder, 'commit', '--quiet', '--message', 'Check facts')
  const { status, stderr } = release(folder, '0.2.0', '--dry-run')
  expect(status).toBe(1)
  expect(stderr).toContain(
    'the shipped facts are not fit for a release:\n    src/providers/acme.ts: seedLimits was read long ago',
  )
  put(folder, 'tools/factAges.mjs', '')
  git(folder, 'commit', '--quiet', '--all', '--message', 'Renew facts')
  expect(release(folder, '0.2.0', '--dry-run').status).toBe(0)
})

test('--dry-run shows every step and takes none', () => {
  const folder = repository()
  const { status, stdout } = release(folder, '0.2.0', '--date', '2026-02-03', '--dry-run')
  expect({ status, steps: stdout.split('\n') }).toEqual({
    status: 0,
    steps: [
      'would set the version 0.2.0 in package.json and package-lock.json',
      'would head the unreleased changes with "0.2.0 (2026-02-03)" in CHANGELOG.md',
      'would commit "Release 0.2.0"',
      'would tag v0.2.0',
      'then: publish it by pushing both: git push --atomic origin main v0.2.0',
      '',
    ],
  })
  expect(git(folder, 'status', '--porcelain')).toBe('')
  expect(git(folder, 'log', '--format=%s')).toBe('Begin')
  expect(git(folder, 'tag')).toBe('')
})

const { author: _, ...anonymous } = MANIFEST
const unready: readonly { name: string; folder: () => string; version?: string; says: RegExp }[] = [
  {
    name: 'files that are not committed',
    folder: () => {
      const folder = repository()
      put(folder, 'new.txt', 'new')
      return folder
    },
    says: /not committed:\n {4}\?\? new\.txt/,
  },
  {
    name: 'a branch other than main',
    folder: () => {
      const folder = repository()
      git(folder, 'switch', '--quiet', '--create', 'side')
      return folder
    },
    says: /the branch is side/,
  },
  {
    name: 'a tag that exists',
    folder: () => {
      const folder = repository()
      git(folder, 'tag', 'v0.2.0')
      return folder
    },
    says: /the tag v0\.2\.0 exists/,
  },
  {
    name: 'nothing under Unreleased',
    folder: () => repository({ changelog: CHANGELOG.replace('- It does more.\n\n', '') }),
    says: /nothing under "## Unreleased"/,
  },
  {
    name: 'no Unreleased heading',
    folder: () => repository({ changelog: '# Changelog\n\n## 0.1.0 (2026-01-01)\n\nThe first.\n' }),
    says: /nothing under "## Unreleased"/,
  },
  { name: 'an older version', folder: () => repository(), version: '0.0.9', says: /0\.0\.9 is older than 0\.1\.0/ },
  {
    name: 'no author',
    folder: () => repository({ manifest: anonymous }),
    says: /package\.json lacks "author"; docs\/releasing\.md/,
  },
  {
    name: 'addresses that are none',
    folder: () => repository({ manifest: { ...MANIFEST, homepage: 'later', repository: 'x', bugs: {} } }),
    says: /package\.json lacks "repository", "bugs", "homepage";/,
  },
]
for (const { name, folder, version = '0.2.0', says } of unready) {
  test(`a release is refused with ${name}, and nothing is changed`, () => {
    const place = folder()
    const before = git(place, 'status', '--porcelain')
    const { status, stderr } = release(place, version)
    expect(status).toBe(1)
    expect(stderr).toMatch(says)
    expect(git(place, 'status', '--porcelain')).toBe(before)
    expect(git(place, 'log', '--format=%s')).toBe('Begin')
  })
}

test('only a commit with the tag of its version is published, and only with all metadata', () => {
  const { status, stderr } = release(repository({ manifest: anonymous }), '--publish')
  expect(status).toBe(1)
  expect(stderr).toMatch(/lacks "author"/)
  expect(stderr).toMatch(/does not have the tag v0\.1\.0/)
})

for (const args of [[], ['0.2'], ['0.2.0', '--publish'], ['0.2.0', '0.3.0'], ['--unknown'], ['0.2.0', '--date', 'now']])
  test(`release ${JSON.stringify(args)} is a mistake in usage`, () => {
    const { status, stderr } = release(repository(), ...args)
    expect(status).toBe(2)
    expect(stderr).toContain('usage: npm run release')
  })
