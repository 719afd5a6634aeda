/** What a command receives, and how it ends. */

/** 0 ok · 1 failed · 2 usage · 3 some targets failed, or an invoice differs · 4 all targets failed · 78 configuration · 130 interrupted. */
export type ExitCode = 0 | 1 | 2 | 3 | 4 | 78 | 130

export interface CommandContext {
  readonly args: readonly string[]
  readonly options: Readonly<Record<string, unknown>>
  readonly env: NodeJS.ProcessEnv
  readonly cwd: string
  readonly stdout: NodeJS.WriteStream
  readonly stderr: NodeJS.WriteStream
  /** Where answers come from, opened when the first is asked for; absent where nobody can answer. */
  readonly stdin?: () => NodeJS.ReadStream
}

export type RunCommand = (context: CommandContext) => Promise<ExitCode>

/** The command-line arguments are wrong; exit code 2. */
export class UsageError extends Error {}
