/** Runs the command line in a folder of its own, far from the machine's own state. */

import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { PassThrough, Readable, Writable } from 'node:stream'
import { StringDecoder } from 'node:string_decoder'
import { onTestFinished } from 'vitest'
import { runLine } from '../../src/cli/main.ts'
import { put, temporaryFolder } from './temporaryFolder.ts'

export interface Ran {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export type Running = ChildProcessByStdio<null, Readable, Readable>

export interface Home {
  readonly folder: string
  /** `keywise …args`, in the folder: the whole command line, in this process. */
  keywise(...args: string[]): Promise<Ran>
  /** The same with somebody who answers: the lines of a pipe, or typed on a terminal. */
  answering(answers: readonly string[], ...args: string[]): Promise<Ran>
  typing(answers: readonly string[], ...args: string[]): Promise<Ran>
  /** The same as people run it: the real entry, in a process of its own (half a second more). */
  entry(...args: string[]): Promise<Ran>
  /** The same, for a command that runs until it is stopped. */
  start(...args: string[]): Running
  /** `node …args`, in the folder. */
  node(...args: string[]): Promise<Ran>
}

const ENTRY = resolve(import.meta.dirname, '../../bin/keywise.cjs')
const QUIET = '--disable-warning=ExperimentalWarning'

/** A folder with `config/api-keys.json` and a home below it. `env` is added to a nearly empty environment. */
export function makeHome(config: object | null, env: Readonly<Record<string, string>> = {}): Home {
  const folder = temporaryFolder()
  const home = join(folder, 'home')
  mkdirSync(home)
  if (config !== null) put(folder, 'config/api-keys.json', JSON.stringify(config))
  const variables = {
    PATH: process.env['PATH'] ?? '',
    HOME: home,
    XDG_STATE_HOME: join(home, 'state'),
    XDG_CONFIG_HOME: join(home, 'config'),
    XDG_CACHE_HOME: process.env['XDG_CACHE_HOME'] ?? join(home, 'cache'),
    NO_COLOR: '1',
    // The network guard of test/setup.ts goes with every process that a test starts.
    NODE_OPTIONS: process.env['NODE_OPTIONS'] ?? '',
    KEYWISE_TEST_CONNECTIONS: process.env['KEYWISE_TEST_CONNECTIONS'] ?? '',
    ...env,
  }
  const start = (args: readonly string[], more = {}) => startNode([QUIET, ...args], folder, { ...variables, ...more })
  // `keywise` keeps compiled code by itself, where XDG_CACHE_HOME says.
  const compiled = { NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] ?? join(home, 'compiled') }
  return {
    folder,
    keywise: (...args) => ranHere(args, folder, variables),
    answering: (answers, ...args) => ranHere(args, folder, variables, piped(answers)),
    typing: (answers, ...args) => ranHere(args, folder, variables, typed(answers)),
    entry: (...args) => ended(start([ENTRY, ...args])),
    start: (...args) => start([ENTRY, ...args]),
    node: (...args) => ended(start(args, compiled)),
  }
}

export interface Serving {
  readonly running: Running
  /** Resolves with its exit code and signal. */
  readonly closed: Promise<unknown[]>
  /** `http://127.0.0.1:PORT` */
  readonly origin: string
}

/** `keywise serve …args`, from when it says where it serves until the test has finished. */
export async function serving(home: Pick<Home, 'start'>, ...args: string[]): Promise<Serving> {
  const running = home.start('serve', ...args)
  const closed = once(running, 'close')
  onTestFinished(async () => {
    running.kill('SIGKILL')
    await closed
  })
  return { running, closed, origin: await originOf(running) }
}

function originOf(gateway: Running): Promise<string> {
  return new Promise((found, fail) => {
    let said = ''
    gateway.stdout.on('data', (data: Buffer) => {
      said += data.toString()
      const origin = /keywise serves on (\S+)/.exec(said)?.[1]
      if (origin !== undefined) found(origin)
    })
    gateway.once('close', () => fail(new Error(`it ended: ${said}`)))
  })
}

async function ranHere(
  args: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string>>,
  input?: Readable,
): Promise<Ran> {
  const [stdout, stderr] = [new Captured(), new Captured()]
  // All that commands do with their streams is to write, and to ask whether and how wide a terminal they are.
  const [out, errors] = [stdout, stderr] as unknown as [NodeJS.WriteStream, NodeJS.WriteStream]
  const stdin = input as NodeJS.ReadStream | undefined // a stream that may say it is a terminal
  const code = await runLine(args, { env, cwd, stdout: out, stderr: errors, ...(stdin && { stdin: () => stdin }) })
  return { code, stdout: stdout.text, stderr: stderr.text }
}

const piped = (answers: readonly string[]) => Readable.from(answers.map((line) => `${line}\n`))

/** A terminal on which the next line is typed once it is asked for. */
function typed(answers: readonly string[]): Readable {
  const left = [...answers]
  const terminal = new PassThrough()
  const type = () => {
    const next = left.shift()
    if (next !== undefined) setImmediate(() => terminal.write(`${next}\r`))
  }
  // A line is read in raw mode, which is switched on when the question is asked.
  return Object.assign(terminal, { isTTY: true, setRawMode: (isRaw: boolean) => isRaw && type() })
}

class Captured extends Writable {
  readonly #decoder = new StringDecoder()
  text = ''

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += this.#decoder.write(chunk)
    done()
  }
}

function startNode(args: readonly string[], cwd: string, env: Readonly<Record<string, string>>): Running {
  return spawn(process.execPath, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
}

function ended(child: Running): Promise<Ran> {
  return new Promise((done, fail) => {
    let stdout = ''
    let stderr = ''
    child.stdout.on('data', (data: Buffer) => (stdout += data.toString()))
    child.stderr.on('data', (data: Buffer) => (stderr += data.toString()))
    child.on('error', fail)
    child.on('close', (code) => done({ code, stdout, stderr }))
  })
}
