// Makes a release in two steps. `npm run release -- 0.2.0` sets the version, dates the changelog, commits and tags;
// pushing the tag starts the workflow, which runs `npm run release -- --publish`. `--dry-run` prints the steps and
// takes none.
// What must be there beforehand: docs/releasing.md. Only syntax that node 18 knows.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { npmCommand } from './install.mjs'

const USAGE = `usage: npm run release -- VERSION [--date YYYY-MM-DD] [--dry-run]
       npm run release -- --publish [--dry-run]`
const UNRELEASED = /^## Unreleased\n([\s\S]*?)(?=^## |(?![\s\S]))/m

/** @typedef {{ says: string, does: () => void }} Step */

try {
  const request = readArguments(process.argv.slice(2))
  const { problems, steps, next } = request.publish ? publication() : preparation(request)
  if (problems.length > 0) refuse(problems)
  for (const { says, does } of steps) {
    console.log(request.dryRun ? `would ${says}` : says)
    if (!request.dryRun) does()
  }
  if (next) console.log(request.dryRun ? `then: ${next}` : next)
} catch (error) {
  console.error(`release: ${error.message}`)
  process.exitCode = 1
}

/** @param {string[]} args */
function readArguments(args) {
  const { values, positionals } = parseOrExplain(args)
  const [version, ...rest] = positionals
  const date = values.date ?? new Date().toISOString().slice(0, 10)
  const isPublish = values.publish === true
  if (rest.length > 0 || isPublish === (version !== undefined)) explainUsage('give either a version or --publish')
  if (version !== undefined && !/^\d+\.\d+\.\d+$/.test(version)) explainUsage(`${version} is no version such as 0.2.0`)
  if (!/^\d{4}-\d\d-\d\d$/.test(date)) explainUsage(`${date} is no date such as 2026-12-01`)
  return { version, date, publish: isPublish, dryRun: values['dry-run'] === true }
}

function parseOrExplain(args) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: { publish: { type: 'boolean' }, date: { type: 'string' }, 'dry-run': { type: 'boolean' } },
    })
  } catch (error) {
    return explainUsage(error.message)
  }
}

function explainUsage(problem) {
  console.error(`release: ${problem}\n${USAGE}`)
  process.exit(2)
}

function refuse(problems) {
  console.error(`release: nothing was done:\n${problems.map((problem) => `- ${problem}`).join('\n')}`)
  process.exit(1)
}

/**
 * On a developer's machine: everything up to the push.
 * @param {{ version: string, date: string }} request
 */
function preparation({ version, date }) {
  const manifest = readJson('package.json')
  const tag = `v${version}`
  const branch = git('branch', '--show-current')
  const problems = [
    ...metadataProblems(manifest),
    ...treeProblems(),
    branch !== 'main' && `the branch is ${branch || 'none'}; a release is made on main`,
    git('tag', '--list', tag) !== '' && `the tag ${tag} exists; a version is released once`,
    isOlder(version, manifest.version) && `${version} is older than ${manifest.version} in package.json`,
    ...factProblems(),
    notesOf(readFileSync('CHANGELOG.md', 'utf8')) === '' &&
      'CHANGELOG.md has nothing under "## Unreleased"; a release says what changes for its users',
  ].filter(Boolean)
  const steps = [
    { says: `set the version ${version} in package.json and package-lock.json`, does: () => setVersion(version) },
    {
      says: `head the unreleased changes with "${version} (${date})" in CHANGELOG.md`,
      does: () => dateChangelog(version, date),
    },
    {
      says: `commit "Release ${version}"`,
      does: () =>
        git('commit', '--all', '--message', `Release ${version}`, '--message', 'CHANGELOG.md lists what it changes.'),
    },
    { says: `tag ${tag}`, does: () => git('tag', '--annotate', tag, '--message', `keywise ${version}`) },
  ]
  return { problems, steps, next: `publish it by pushing both: git push --atomic origin main ${tag}` }
}

/** In the workflow that the tag starts. */
function publication() {
  const manifest = readJson('package.json')
  const tag = `v${manifest.version}`
  const problems = [
    ...metadataProblems(manifest),
    ...treeProblems(),
    !git('tag', '--points-at', 'HEAD').split('\n').includes(tag) && `this commit does not have the tag ${tag}`,
    !readFileSync('CHANGELOG.md', 'utf8').includes(`\n## ${manifest.version} (2`) &&
      `CHANGELOG.md has no dated heading for ${manifest.version}`,
  ].filter(Boolean)
  const args = ['publish', '--provenance', '--access', 'public']
  return { problems, steps: [{ says: `npm ${args.join(' ')}`, does: () => runNpm(args) }] }
}

function treeProblems() {
  const changed = git('status', '--porcelain')
  return changed === '' ? [] : [`these files are not committed:\n${changed.replace(/^/gm, '    ')}`]
}

/** The workflow would refuse them too, but after the tag was pushed, and a tag is never moved. */
function factProblems() {
  const check = 'tools/factAges.mjs'
  if (!existsSync(check)) return []
  const { status, stderr } = spawnSync(process.execPath, ['--disable-warning=ExperimentalWarning', check], {
    encoding: 'utf8',
  })
  return status === 0 ? [] : [`the shipped facts are not fit for a release:\n${stderr.trim().replace(/^/gm, '    ')}`]
}

/**
 * What npm shows of the package, and what provenance is compared with, must be filled in by whoever owns the addresses.
 */
function metadataProblems({ repository, bugs, homepage, author }) {
  const lacking = Object.entries({
    repository: isAddress(repository?.url?.replace(/^git\+/, '')),
    bugs: isAddress(bugs?.url),
    homepage: isAddress(homepage),
    author: /^[^<>]+ <[^@\s]+@[^@\s]+>$/.test(author ?? ''),
  }).flatMap(([field, isThere]) => (isThere ? [] : [`"${field}"`]))
  return lacking.length === 0
    ? []
    : [`package.json lacks ${lacking.join(', ')}; docs/releasing.md says what goes there`]
}

function isAddress(text) {
  try {
    return new URL(text).protocol === 'https:'
  } catch {
    return false
  }
}

function notesOf(changelog) {
  return (UNRELEASED.exec(changelog)?.[1] ?? '').trim()
}

/** Both are `1.2.3`. */
function isOlder(version, than) {
  const [one, other] = [version, than].map((text) => text.split('.').map(Number))
  const at = one.findIndex((number, index) => number !== other[index])
  return at !== -1 && one[at] < other[at]
}

function setVersion(version) {
  writeJson('package.json', { ...readJson('package.json'), version })
  const lock = readJson('package-lock.json')
  const packages = { ...lock.packages, '': { ...lock.packages[''], version } }
  writeJson('package-lock.json', { ...lock, version, packages })
}

function dateChangelog(version, date) {
  const text = readFileSync('CHANGELOG.md', 'utf8')
  writeFileSync('CHANGELOG.md', text.replace('## Unreleased\n', `## ${version} (${date})\n`))
}

function readJson(file) {
  return JSON.parse(readFileSync(file, 'utf8'))
}

function writeJson(file, value) {
  writeFileSync(file, `${JSON.stringify(value, null, 2)}\n`)
}

function git(...args) {
  return run('git', args, { stdio: ['ignore', 'pipe', 'inherit'] }).trimEnd()
}

function runNpm(args) {
  const [command, ...before] = npmCommand(process.env, process.execPath)
  run(command, [...before, ...args], { stdio: 'inherit' })
}

function run(command, args, options) {
  const { status, stdout, error } = spawnSync(command, args, { encoding: 'utf8', ...options })
  if (error) throw error
  if (status !== 0) throw new Error(`${command} ${args[0]} failed (${status})`)
  return stdout ?? ''
}
