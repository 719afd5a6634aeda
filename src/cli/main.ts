/** The command line: a table of commands. What a command does is loaded only when it is called. */

import { readFileSync } from 'node:fs'
import { Command, CommanderError, Option } from 'commander'
import { KeywiseError } from '../domain/errors.ts'
import { nearest } from '../domain/nearest.ts'
import { redactShapes } from '../domain/redact.ts'
import { UsageError } from './output.ts'

/** 0 ok · 1 failed · 2 usage · 3 some targets failed · 4 all targets failed · 78 configuration · 130 interrupted. */
export type ExitCode = 0 | 1 | 2 | 3 | 4 | 78 | 130

export interface CommandContext {
  readonly args: readonly string[]
  readonly options: Readonly<Record<string, unknown>>
  readonly env: NodeJS.ProcessEnv
  readonly cwd: string
  readonly stdout: NodeJS.WriteStream
  readonly stderr: NodeJS.WriteStream
}

export type RunCommand = (context: CommandContext) => Promise<ExitCode>

interface Row {
  /** As commander writes it: `call <prompt...>`. */
  readonly usage: string
  readonly does: string
  readonly options: readonly (readonly [flags: string, does: string])[]
  readonly examples: readonly string[]
  readonly load: () => Promise<{ readonly run: RunCommand }>
}

const JSON_OPTION = ['--json', 'print JSON'] as const
const CONFIG = [
  '--config <file>',
  'configuration (default: KEYWISE_CONFIG, ./config/api-keys.json, the user folder)',
] as const
const STORE = [
  '--store <path>',
  'where state is kept (default: KEYWISE_STORE, the user state folder; memory: keeps nothing)',
] as const
const COMMON = [CONFIG, STORE] as const

const COMMANDS: readonly Row[] = [
  {
    usage: 'serve',
    does: 'the gateway: one address for every OpenAI, Anthropic and Gemini client',
    options: [
      ['--port <n>', 'default settings.gateway.port: 5397'],
      ['--host <name>', 'default settings.gateway.host: 127.0.0.1'],
      ['--seconds <n>', 'stop after so long'],
      ['--no-open', 'open no browser'],
      ...COMMON,
    ],
    examples: ['keywise serve', 'keywise serve --port 8080'],
    load: async () => {
      const { beFrugal } = await import('./frugal.ts')
      beFrugal()
      return import('./serve.ts')
    },
  },
  {
    usage: 'test',
    does: 'call every key with every model and say what works, why not, and what to do',
    options: [
      ['--abilities', 'also prove streaming, tools, JSON and images where the catalogue says so'],
      ['--provider <name>', 'only this provider'],
      ['--model <name>', 'only models whose id contains this'],
      ['--key <n>', 'only the n-th key of each provider'],
      ['--all', 'every model of every list, also of long ones'],
      ['--concurrency <n>', 'most calls at once per account (default 8)'],
      ['--timeout <ms>', 'most milliseconds per call (default settings.test.timeout_ms)'],
      ['--out <file>', 'where the results go (default ./api-test-results.json)'],
      ['--html <file>', 'also write a page'],
      JSON_OPTION,
      ...COMMON,
    ],
    examples: ['keywise test', 'keywise test --provider groq --abilities', 'keywise test --json > report.json'],
    load: () => import('./test.ts'),
  },
  {
    usage: 'call <prompt>',
    does: 'one request, with the trail of who was asked',
    options: [
      ['--model <name>', 'a model, provider/model, an alias or auto (default)'],
      ['--stream', 'print as it arrives'],
      ['--system <text>', 'system prompt'],
      ['--max-tokens <n>', 'longest answer'],
      ['--timeout <ms>', 'most milliseconds until the first content'],
      JSON_OPTION,
      ...COMMON,
    ],
    examples: ['keywise call "Say hi"', 'keywise call "Why is the sky blue?" --model auto:fast --stream'],
    load: () => import('./call.ts'),
  },
  {
    usage: 'status',
    does: 'every target with its health, what is left of its limits, and what was spent',
    options: [
      ['--hours', 'instead what was learned by the hour of the day, and the rules about hours'],
      ['--watch', 'again every two seconds'],
      ['--seconds <n>', 'watch for so long'],
      JSON_OPTION,
      ...COMMON,
    ],
    examples: ['keywise status', 'keywise status --hours', 'keywise status --json'],
    load: () => import('./status.ts'),
  },
  {
    usage: 'why',
    does: 'the ranking with its terms, and the reason for each target that is out',
    options: [
      ['--model <name>', 'for this model or alias (default auto)'],
      ['--request <id>', 'as it was when that request was decided, with its attempts'],
      ['--terms', 'also the inputs of each term'],
      JSON_OPTION,
      ...COMMON,
    ],
    examples: ['keywise why', 'keywise why --model auto:cheap --json'],
    load: () => import('./why.ts'),
  },
  {
    usage: 'models',
    does: 'every model that can be asked for, and who serves it',
    options: [['--refresh', "read the providers' lists again"], JSON_OPTION, ...COMMON],
    examples: ['keywise models'],
    load: () => import('./models.ts'),
  },
  {
    usage: 'keys <action> [target]',
    does: 'list the keys (masked), or lift the parks of a target or of all (retest)',
    options: [JSON_OPTION, ...COMMON],
    examples: ['keywise keys list', 'keywise keys retest', 'keywise keys retest groq/openai/gpt-oss-120b#1'],
    load: () => import('./keys.ts'),
  },
  {
    usage: 'experiment <action> [target]',
    does: 'compare prompts, models, providers and parameters: list, show NAME, start FILE, stop NAME, export NAME',
    options: [['--keep <variant>', 'stop: everybody gets this variant from now on'], JSON_OPTION, ...COMMON],
    examples: [
      'keywise experiment start greeting.json',
      'keywise experiment show greeting',
      'keywise experiment stop greeting --keep short',
      'keywise experiment export greeting > greeting.csv',
    ],
    load: () => import('./experiment.ts'),
  },
  {
    usage: 'demo',
    does: 'no keys, no network: simulated providers with faults, and traffic over them',
    options: [
      ['--seconds <n>', 'stop after so long'],
      ['--no-open', 'open no browser'],
      ['--tour', "the original's three days in half a minute"],
      JSON_OPTION,
    ],
    examples: ['keywise demo', 'keywise demo --tour'],
    load: () => import('./demo.ts'),
  },
  {
    usage: 'fake',
    does: 'only the simulated providers, for testing your own software',
    options: [
      ['--port <n>', 'default 5398'],
      ['--scenario <file>', 'what they are like (JSON)'],
      ['--seconds <n>', 'stop after so long'],
      JSON_OPTION,
    ],
    examples: ['keywise fake --port 5398', 'keywise fake --scenario faults.json'],
    load: () => import('./fake.ts'),
  },
  {
    usage: 'budget [action]',
    does: 'what may be spent and what was spent on what (list); the ledger as a file (export); free what killed processes held (forgive)',
    options: [
      ['--by <names>', 'one table by these: provider, model, key, account, token, source, day, hour, label:NAME'],
      ['--since <time>', 'such as 2026-11-01 or 7d (default: list this month, export everything)'],
      ['--until <time>', 'before this time'],
      ['--csv', 'for export: CSV (default)'],
      ['--jsonl', 'for export: JSON lines'],
      ['--out <file>', 'for export: into this file'],
      JSON_OPTION,
      ...COMMON,
    ],
    examples: [
      'keywise budget',
      'keywise budget --by label:team,model --since 7d',
      'keywise budget export --out ledger.csv',
    ],
    load: () => import('./budget.ts'),
  },
  {
    usage: 'token <action> [name]',
    does: 'who may call the gateway: add, list, show, revoke',
    options: [['--scope <scope>', 'for add: inference (default), read or admin'], JSON_OPTION, STORE],
    examples: ['keywise token add ci', 'keywise token list', 'keywise token show', 'keywise token revoke ci'],
    load: () => import('./token.ts'),
  },
  {
    usage: 'replay',
    does: 'the routing benchmark: every policy on the same luck, against who knows the truth',
    options: [
      ['--data <dir>', 'also scenarios from the trace files there'],
      ['--policy <name>', 'only this policy (and the oracle)'],
      ['--from-store', 'your own recorded weeks instead'],
      JSON_OPTION,
      ...COMMON,
    ],
    examples: ['keywise replay', 'keywise replay --policy learned --json', 'keywise replay --from-store'],
    load: () => import('./replay.ts'),
  },
  {
    usage: 'doctor',
    does: 'check node, configuration, store, permissions, ports, clock and reachability',
    options: [['--alerts', 'also send a test alert through every channel'], JSON_OPTION, ...COMMON],
    examples: ['keywise doctor', 'keywise doctor --alerts'],
    load: () => import('./doctor.ts'),
  },
  {
    usage: 'init',
    does: 'write the shims with which a program of the original runs unchanged',
    options: [
      ['--compat', 'apiKeyTester.js, apiManager.js and apiClient.js in this folder'],
      ['--force', 'overwrite what is there (a copy is kept)'],
    ],
    examples: ['keywise init --compat'],
    load: () => import('./init.ts'),
  },
]

/** Runs one command line; sets the process's exit code. */
export async function main(args: readonly string[]): Promise<void> {
  const stop = (code: ExitCode) => {
    process.exitCode = code
  }
  // Whoever reads only the first lines (`| head`) has what it wanted.
  process.stdout.on('error', (error) => {
    if ('code' in error && error.code === 'EPIPE') process.exit(process.exitCode ?? 0)
    throw error
  })
  try {
    stop(await runCommand(args))
  } catch (error) {
    stop(explainError(error))
  }
}

async function runCommand(args: readonly string[]): Promise<ExitCode> {
  let done: Promise<ExitCode> | undefined
  const program = new Command('keywise')
    .description('Takes all your LLM API keys and gives every request to the best one that can answer it now.')
    .version(version(), '-V, --version')
    .exitOverride()
    .configureOutput({ writeErr: (text) => process.stderr.write(text) })
    .addHelpText(
      'after',
      '\nExit codes: 0 ok, 1 failed, 2 usage, 3 some targets failed, 4 all targets failed, 78 configuration, 130 interrupted.',
    )
    .usage('[options] [command]')
  for (const row of COMMANDS) addCommand(program, row, (running) => (done = running))
  program.argument('[command]').action((name: string | undefined) => {
    if (name !== undefined) throw unknownCommand(name)
    done = import('./start.ts').then(({ start }) => start(contextOf([], program.opts()), findCommand))
  })
  for (const [flags, does] of [
    ...COMMON,
    ['--seconds <n>', 'stop after so long'],
    ['--no-open', 'open no browser'],
  ] as const)
    program.addOption(new Option(flags, does))
  await program.parseAsync([...args], { from: 'user' })
  return (await done) ?? 0
}

function unknownCommand(name: string): UsageError {
  const [near] = nearest(name, COMMANDS.map(nameOf), 1)
  const advice = near === undefined ? '"keywise --help" lists them' : `did you mean "${near}"?`
  return new UsageError(`there is no command ${JSON.stringify(name.slice(0, 60))}; ${advice}`)
}

const nameOf = ({ usage }: Row) => usage.split(' ')[0] ?? usage

function findCommand(name: string): Promise<RunCommand> | undefined {
  return COMMANDS.find((row) => nameOf(row) === name)
    ?.load()
    .then(({ run }) => run)
}

function addCommand(program: Command, row: Row, started: (running: Promise<ExitCode>) => void): void {
  const command = program.command(row.usage).description(row.does)
  for (const [flags, does] of row.options) command.option(flags, does)
  command.addHelpText('after', `\nExamples:\n${row.examples.map((example) => `  ${example}`).join('\n')}`)
  command.action(() => {
    started(row.load().then(({ run }) => run(contextOf(command.args, { ...program.opts(), ...command.opts() }))))
  })
}

function contextOf(args: readonly string[], options: Record<string, unknown>): CommandContext {
  return {
    args,
    options,
    env: process.env,
    cwd: process.cwd(),
    stdout: process.stdout,
    stderr: process.stderr,
  }
}

/** Says what went wrong in a way a person can act on, without a stack and without secrets. */
function explainError(error: unknown): ExitCode {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
  const text = redactShapes(error instanceof Error ? error.message : String(error))
  process.stderr.write(`keywise: ${text}\n`)
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
