/** The command line: finds the command, runs it, and reports errors. */

import { readFileSync } from 'node:fs'
import { Command, CommanderError, Option } from 'commander'
import { showName } from '../config/showPath.ts'
import { KeywiseError } from '../domain/errors.ts'
import { nearest } from '../domain/nearest.ts'
import { redactShapes } from '../domain/redact.ts'
import { type CommandContext, type ExitCode, type RunCommand, UsageError } from './command.ts'
import { COMMANDS, COMMON, CONFIG, type CommandRow } from './commands.ts'
import { cleanStream } from './output.ts'

/** What a command line reads and writes beside files. */
type Surroundings = Pick<CommandContext, 'env' | 'cwd' | 'stdout' | 'stderr' | 'stdin'>

/** Runs the command line of this process; sets its exit code. */
export async function main(args: readonly string[]): Promise<void> {
  // A reader that closes early (`| head`) already has what it wanted.
  process.stdout.on('error', (error) => {
    if ('code' in error && error.code === 'EPIPE') process.exit(process.exitCode ?? 0)
    throw error
  })
  const { env, stdout, stderr } = process
  const stdin = () => process.stdin
  process.exitCode = await runLine(args, { env, cwd: process.cwd(), stdout, stderr, stdin })
}

/** Runs one command line; resolves with its exit code, whatever goes wrong. */
export async function runLine(args: readonly string[], around: Surroundings): Promise<ExitCode> {
  const surroundings = { ...around, stdout: cleanStream(around.stdout), stderr: cleanStream(around.stderr) }
  try {
    return await runCommand(args, surroundings)
  } catch (error) {
    return explainError(error, surroundings)
  }
}

async function runCommand(args: readonly string[], surroundings: Surroundings): Promise<ExitCode> {
  const { stdout, stderr } = surroundings
  let done: Promise<ExitCode> | undefined
  const program = new Command('keywise')
    .description('Takes all your LLM API keys and gives every request to the best one that can answer it now.')
    .version(version(), '-V, --version')
    .exitOverride()
    .configureOutput({ writeOut: (text) => stdout.write(text), writeErr: (text) => stderr.write(withoutKeys(text)) })
    .addHelpText(
      'after',
      '\nExit codes: 0 ok, 1 failed, 2 usage, 3 some targets failed or an invoice differs, 4 all targets failed, 78 configuration, 130 interrupted.',
    )
    .usage('[options] [command]')
  for (const row of COMMANDS) addCommand(program, row, surroundings, (running) => (done = running))
  program.argument('[command]').action((name: string | undefined) => {
    if (name !== undefined) throw unknownCommand(name)
    const context = { args: [], options: program.opts(), ...surroundings }
    done = Promise.all([import('./start.ts'), import('./vault/withVaultKey.ts')]).then(
      async ([{ start }, { withVaultKey }]) => start(await withVaultKey(context), findCommand),
    )
  })
  for (const [flags, does] of [
    ...COMMON,
    ['--seconds <n>', 'stop after this many seconds'],
    ['--no-open', 'open no browser'],
  ] as const)
    program.addOption(new Option(flags, does))
  await program.parseAsync([...args], { from: 'user' })
  return (await done) ?? 0
}

function unknownCommand(name: string): UsageError {
  const [near] = nearest(name, COMMANDS.map(nameOf), 1)
  const advice = near === undefined ? '"keywise --help" lists them' : `did you mean "${near}"?`
  return new UsageError(`unknown command ${JSON.stringify(showName(name).slice(0, 60))}; ${advice}`)
}

/** A key that was typed by mistake among the arguments is not repeated: logs keep what is printed. */
const withoutKeys = (text: string) => text.replace(/[^\s'",]+/g, (word) => showName(word))

const nameOf = ({ usage }: CommandRow) => usage.split(' ')[0] ?? usage

function findCommand(name: string): Promise<RunCommand> | undefined {
  return COMMANDS.find((row) => nameOf(row) === name)
    ?.load()
    .then(({ run }) => run)
}

function addCommand(
  program: Command,
  row: CommandRow,
  surroundings: Surroundings,
  started: (running: Promise<ExitCode>) => void,
): void {
  const command = program.command(row.usage).description(row.does)
  for (const [flags, does] of row.options) command.option(flags, does)
  command.addHelpText('after', `\nExamples:\n${row.examples.map((example) => `  ${example}`).join('\n')}`)
  command.action(() => {
    const options = { ...program.opts(), ...command.opts() }
    started(runRow(row, { args: command.args, options, ...surroundings }))
  })
}

/** A command that reads the configuration finds the vault open, where somebody can open it. */
async function runRow(row: CommandRow, context: CommandContext): Promise<ExitCode> {
  const { run } = await row.load()
  if (row.opensVault === false || !row.options.includes(CONFIG)) return run(context)
  const { withVaultKey } = await import('./vault/withVaultKey.ts')
  return run(await withVaultKey(context))
}

/** Explains an error in a way the user can act on, without a stack trace or secrets. */
function explainError(error: unknown, { stderr }: Surroundings): ExitCode {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
  const text = redactShapes(error instanceof Error ? error.message : String(error))
  stderr.write(`keywise: ${text}\n`)
  if (error instanceof UsageError) return 2
  if (!(error instanceof KeywiseError)) return 1
  if (error.code === 'ABORTED') return 130
  if (error.code === 'ALL_TARGETS_FAILED') return 4
  if (error.code === 'CONFIG' || error.code === 'VAULT') return 78
  return error.code === 'INVALID_REQUEST' || error.code === 'MODEL_NOT_FOUND' ? 2 : 1
}

function version(): string {
  const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string
  } // our own file
  return manifest.version
}
