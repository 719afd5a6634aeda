/** Asks a person on a terminal, hidden where it is a secret; or takes the answers from the lines of a pipe. */

import { createInterface, type Interface } from 'node:readline'
import { Writable } from 'node:stream'
import { AbortedError } from '../../domain/errors.ts'
import { Secret } from '../../domain/redact.ts'
import { type CommandContext, UsageError } from '../command.ts'

type AskContext = Pick<CommandContext, 'stdin' | 'stderr'>

/** Questions go to stderr, so that stdout stays data. */
export class Asker {
  readonly #context: AskContext
  #lines: AsyncIterator<string> | null = null
  #reading: Interface | null = null

  constructor(context: AskContext) {
    this.#context = context
  }

  get isTerminal(): boolean {
    return this.#context.stdin?.().isTTY === true
  }

  /** The answer, trimmed. Throws UsageError where nobody can answer, AbortedError at Ctrl-C. */
  async secret(question: string): Promise<Secret> {
    const text = this.isTerminal ? await this.#typed(`${question}: `, true) : await this.#nextLine(question)
    if (text.trim() === '') throw new UsageError(`${question}: nothing was given`)
    return new Secret(text.trim())
  }

  /** Typed twice on a terminal, so that no slip locks anyone out. */
  async newSecret(question: string): Promise<Secret> {
    const first = await this.secret(question)
    if (!this.isTerminal) return first
    const again = await this.secret('The same again')
    if (again.reveal() !== first.reveal()) throw new UsageError('the two are not the same; nothing was changed')
    return first
  }

  /** Enter is yes. False where nobody can answer. */
  async confirm(question: string): Promise<boolean> {
    if (!this.isTerminal) return false
    const answer = await this.#typed(`${question} [Y/n] `, false)
    return /^\s*(?:y|yes)?\s*$/i.test(answer)
  }

  /** To be called at the end: an open pipe would keep the process alive. */
  close(): void {
    this.#reading?.close()
  }

  #typed(prompt: string, isHidden: boolean): Promise<string> {
    const { stderr } = this.#context
    const stdin = this.#context.stdin?.()
    if (stdin === undefined) throw nobody(prompt)
    stderr.write(prompt)
    const output = new Writable({
      write(chunk: Buffer, _encoding, done) {
        if (!isHidden) stderr.write(chunk)
        done()
      },
    })
    const reading = createInterface({ input: stdin, output, terminal: true, historySize: 0 })
    return new Promise((resolve, reject) => {
      reading.once('SIGINT', () => reading.close())
      reading.once('line', (line) => {
        if (isHidden) stderr.write('\n')
        resolve(line)
        reading.close()
      })
      reading.once('close', () => reject(new AbortedError()))
    })
  }

  async #nextLine(question: string): Promise<string> {
    const stdin = this.#context.stdin?.()
    if (stdin === undefined) throw nobody(question)
    if (this.#lines === null) {
      this.#reading = createInterface({ input: stdin, terminal: false })
      this.#lines = this.#reading[Symbol.asyncIterator]()
    }
    const next = await this.#lines.next()
    if (next.done === true) throw nobody(question)
    return next.value
  }
}

function nobody(question: string): UsageError {
  return new UsageError(
    `${question.replace(/:? *$/, '')}: nobody is there to ask; run it on a terminal, pipe one line per question into it, or set KEYWISE_VAULT_PASSPHRASE`,
  )
}
