/** A program that speaks for one client: it is handed a cell a line and answers with a line. */

import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface, type Interface } from 'node:readline'
import type { Told } from './judge.ts'

export interface Command {
  readonly command: string
  readonly args: readonly string[]
  readonly folder: string
  readonly environment: Readonly<Record<string, string>>
}

const TAIL = 1500

export class Program {
  readonly #child: ChildProcess
  readonly #lines: AsyncIterator<string>
  readonly #reader: Interface
  readonly #ended: Promise<void>
  #errors = ''

  constructor({ command, args, folder, environment }: Command) {
    const { PATH = '' } = process.env
    this.#child = spawn(command, args, { cwd: folder, env: { PATH, ...environment }, stdio: 'pipe' })
    this.#child.stderr?.on('data', (data: Buffer) => {
      this.#errors = (this.#errors + data.toString()).slice(-TAIL)
    })
    this.#child.stdin?.on('error', () => {})
    this.#ended = new Promise((resolve) => {
      this.#child.on('error', (error) => {
        this.#errors += error.message
        resolve()
      })
      this.#child.on('close', () => resolve())
    })
    this.#reader = createInterface({ input: this.#child.stdout as NodeJS.ReadableStream }) // it is a pipe
    this.#lines = this.#reader[Symbol.asyncIterator]()
  }

  /** Waits until it can be asked; null when it did not come up, whose reason `errors` has. */
  ready(mostMs: number): Promise<Told | null> {
    return this.#read(mostMs)
  }

  /** Null when it ended, or had nothing to say in time. */
  ask(cell: object, mostMs: number): Promise<Told | null> {
    this.#child.stdin?.write(`${JSON.stringify(cell)}\n`)
    return this.#read(mostMs)
  }

  /** The end of what it wrote to stderr. */
  get errors(): string {
    return this.#errors.trim()
  }

  /** Ends it by the end of its input, or by force. */
  async end(): Promise<void> {
    this.#child.stdin?.end()
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), 2000)
    await this.#ended
    clearTimeout(timer)
    this.#reader.close()
  }

  async #read(mostMs: number): Promise<Told | null> {
    const tooLate = Promise.withResolvers<null>()
    const timer = setTimeout(() => tooLate.resolve(null), mostMs)
    const line = await Promise.race([this.#lines.next(), tooLate.promise])
    clearTimeout(timer)
    if (line === null || line.done) return null
    return JSON.parse(line.value) as Told // our own programs
  }
}
