/**
 * `npm run test:agents`: coding agents of npm complete a one-line task and a tool loop through the gateway, also when a
 * key is revoked, a limit is met or the upstream dies in the middle of the loop. They are large (about 1.2 GB), so they
 * are installed on demand, outside the project. `npm run test:agents -- codex` runs one of them.
 */

import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { FakeFault } from '../../src/lab/fake/scenario.ts'
import { openGateway, TOKEN } from '../support/gatewayWorld.ts'
import { AGENTS, type Agent, type Place } from './agents.ts'

const SECRET = 'PONG-42'
const MOST_MS = 90_000

interface Trial {
  readonly name: string
  readonly prompt: string
  readonly loops: boolean
  /** What happens to the first upstream after its first answer. */
  readonly fault?: FakeFault
}

const READ = 'Read the file note.txt in this folder and tell me exactly what it says.'
const TRIALS: readonly Trial[] = [
  { name: 'one line', prompt: 'Who are you?', loops: false },
  { name: 'tool loop', prompt: READ, loops: true },
  { name: 'key revoked in the loop', prompt: READ, loops: true, fault: { do: 'auth_invalid', from: 2 } },
  { name: 'limit met in the loop', prompt: READ, loops: true, fault: { do: 'rate_minute', from: 2 } },
  { name: 'upstream dead in the loop', prompt: READ, loops: true, fault: { do: 'reset', from: 2 } },
]

const wanted = process.argv.slice(2)
const modules = installAgents()
let failed = 0
for (const agent of AGENTS.filter(({ name }) => wanted.length === 0 || wanted.includes(name))) {
  for (const trial of TRIALS) {
    const { passed, seconds, told } = await run(agent, trial)
    console.log(`${passed ? '✅' : '❌'} ${agent.name}: ${trial.name} (${seconds.toFixed(1)} s)`)
    if (passed) continue
    failed++
    console.log(told.slice(-2000))
  }
}
process.exitCode = failed === 0 ? 0 : 1

/** Installs what the lock file says, once per lock file, into the temporary folder. Returns its `node_modules`. */
function installAgents(): string {
  const lock = join(import.meta.dirname, 'package-lock.json')
  const digest = createHash('sha256').update(readFileSync(lock)).digest('hex').slice(0, 12)
  const folder = join(tmpdir(), `keywise-agents-${digest}`)
  const done = join(folder, '.installed')
  if (!existsSync(done)) {
    mkdirSync(folder, { recursive: true })
    for (const name of ['package.json', 'package-lock.json'])
      copyFileSync(join(import.meta.dirname, name), join(folder, name))
    console.log(`installing the agents into ${folder} (once)`)
    // Not `npm ci`: it takes the optional parts of gemini-cli's clipboard, which have no version, for missing.
    const npm = spawnSync('npm', ['install', '--ignore-scripts', '--loglevel=error'], { cwd: folder, stdio: 'inherit' })
    if (npm.status !== 0) throw new Error('the agents could not be installed')
    writeFileSync(done, '')
  }
  return join(folder, 'node_modules')
}

async function run(agent: Agent, trial: Trial): Promise<{ passed: boolean; seconds: number; told: string }> {
  const root = mkdtempSync(join(tmpdir(), 'keywise-agent-'))
  const [folder, home] = [join(root, 'work'), join(root, 'home')]
  for (const path of [folder, home]) mkdirSync(path)
  const note = join(folder, 'note.txt')
  writeFileSync(note, `${SECRET}\n`)
  const calls = agent.reads.map((read) => ({ tool: read.tool, arguments: read.arguments(note) }))
  // Answers in the format that was asked for, and says its name in plain ones.
  const model = { calls: trial.loops ? calls : [] }
  const id = trial.loops ? 'note' : SECRET
  await using world = await openGateway(
    {
      providers: {
        first: { models: { [`${id}-first`]: model }, faults: trial.fault === undefined ? [] : [trial.fault] },
        second: { models: { [`${id}-second`]: model } },
      },
    },
    { settings: { routing: { strategy: 'priority' }, models: { '*': [`${id}-first`, `${id}-second`] } } },
  )
  const place = { origin: world.origin, token: TOKEN, folder, home, prompt: trial.prompt }
  writeFiles(agent.files?.(place) ?? {}, folder, home)
  const began = performance.now()
  const told = await spawned(agent, place)
  const seconds = (performance.now() - began) / 1000
  rmSync(root, { recursive: true, force: true })
  const asked = world.fakes.calls.map((call) => `${call.provider} ${call.status} ${call.fault ?? ''}`).join('; ')
  const rescued = trial.fault === undefined || world.fakes.calls.some(({ provider }) => provider === 'second')
  return {
    passed: told.output.includes(SECRET) && told.isDone && rescued,
    seconds,
    told: `${told.output}${told.errors}\nasked: ${asked}`,
  }
}

function writeFiles(files: Readonly<Record<string, unknown>>, folder: string, home: string): void {
  for (const [name, content] of Object.entries(files)) {
    const path = name.startsWith('./') ? join(folder, name) : join(home, name)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, JSON.stringify(content))
  }
}

interface Told {
  readonly output: string
  readonly errors: string
  /** It ended by itself. */
  readonly isDone: boolean
}

/** Runs the agent in its folder, with a home and an environment of its own. */
function spawned(agent: Agent, place: Place): Promise<Told> {
  const program = join(modules, agent.program)
  const [command, ...first] = agent.isScript ? [process.execPath, program] : [program]
  const { PATH = '' } = process.env
  return new Promise((resolve) => {
    const child = spawn(command ?? '', [...first, ...agent.arguments(place)], {
      cwd: place.folder,
      env: { PATH, HOME: place.home, NO_COLOR: '1', CI: '1', ...agent.environment(place) },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let output = ''
    let errors = ''
    let isDone = true
    const timer = setTimeout(() => {
      isDone = false
      child.kill('SIGKILL')
    }, MOST_MS)
    child.stdout.on('data', (chunk) => {
      output += chunk
    })
    child.stderr.on('data', (chunk) => {
      errors += chunk
    })
    child.on('error', (error) => resolve({ output, errors: errors + error.message, isDone: false }))
    child.on('close', () => {
      clearTimeout(timer)
      resolve({ output, errors, isDone })
    })
  })
}
