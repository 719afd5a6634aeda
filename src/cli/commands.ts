/** The table of commands, one row each. A command's module is loaded only when it runs. */

import type { RunCommand } from './command.ts'

/** One row of the command-line help. */
export interface CommandRow {
  /** In commander's syntax: `call <prompt...>`. */
  readonly usage: string
  readonly does: string
  readonly options: readonly (readonly [flags: string, does: string])[]
  readonly examples: readonly string[]
  /** False: it reads the configuration and asks for the vault's passphrase by itself, if it needs it at all. */
  readonly opensVault?: false
  readonly load: () => Promise<{ readonly run: RunCommand }>
}

const JSON_OPTION = ['--json', 'print JSON'] as const
/** Option of every command that reads the configuration. */
export const CONFIG = [
  '--config <file>',
  'configuration (default: KEYWISE_CONFIG, ./config/api-keys.json, the user folder)',
] as const
const STORE = [
  '--store <path>',
  'where state is kept (default: KEYWISE_STORE, the user state folder; memory: keeps nothing)',
] as const
/** Options of every command that opens the store. */
export const COMMON = [CONFIG, STORE] as const

export const COMMANDS: readonly CommandRow[] = [
  {
    usage: 'serve',
    does: 'the gateway: one address for every OpenAI, Anthropic and Gemini client',
    options: [
      ['--port <n>', 'default settings.gateway.port: 5397'],
      ['--host <name>', 'default settings.gateway.host: 127.0.0.1'],
      ['--seconds <n>', 'stop after this many seconds'],
      ['--no-open', 'open no browser'],
      ...COMMON,
    ],
    examples: ['keywise serve', 'keywise serve --port 8080'],
    load: async () => {
      const { tuneMemory } = await import('./tuneMemory.ts')
      tuneMemory()
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
      ['--concurrency <n>', 'maximum concurrent calls per account (default 8)'],
      ['--timeout <ms>', 'maximum milliseconds per call (default settings.test.timeout_ms)'],
      ['--out <file>', 'where the results go (default ./api-test-results.json)'],
      ['--html <file>', 'also write a page'],
      ['--facts <file>', 'also write what was seen (limits, windows, abilities …), without key, account or text'],
      JSON_OPTION,
      ...COMMON,
    ],
    examples: ['keywise test', 'keywise test --provider groq --abilities', 'keywise test --json > report.json'],
    load: () => import('./test/test.ts'),
  },
  {
    usage: 'call <prompt>',
    does: 'one request, with the trail of the targets tried',
    options: [
      [
        '--model <name>',
        'a model, provider/model, an alias, auto (default), or auto:fast, :cheap, :smart, :free, :vision, :long',
      ],
      ['--stream', 'print as it arrives'],
      ['--system <text>', 'system prompt'],
      ['--max-tokens <n>', 'longest answer'],
      ['--timeout <ms>', 'maximum milliseconds until the first content'],
      JSON_OPTION,
      ...COMMON,
    ],
    examples: ['keywise call "Say hi"', 'keywise call "Why is the sky blue?" --model auto:fast --stream'],
    load: () => import('./call.ts'),
  },
  {
    usage: 'status',
    does: 'every target with its health, its remaining limits, and what was spent',
    options: [
      ['--hours', 'instead what was learned by the hour of the day, and the rules about hours'],
      ['--zone <zone>', 'with --hours: by the clock of this time zone (default: that of this machine)'],
      ['--refresh', 'ask first what accounts have left, where their providers tell'],
      ['--watch', 'again every two seconds'],
      ['--seconds <n>', 'watch for this many seconds'],
      JSON_OPTION,
      ...COMMON,
    ],
    examples: ['keywise status', 'keywise status --hours --zone Europe/Madrid', 'keywise status --json'],
    load: () => import('./status/status.ts'),
  },
  {
    usage: 'why',
    does: 'the ranking with its terms, and the reason for each excluded target',
    options: [
      ['--model <name>', 'for this model or alias (default auto)'],
      ['--request <id>', 'as it was when that request was decided, with its attempts'],
      ['--terms', 'also the inputs of each term'],
      JSON_OPTION,
      ...COMMON,
    ],
    examples: ['keywise why', 'keywise why --model auto:cheap --json', 'keywise why --request kw_…'],
    load: () => import('./why.ts'),
  },
  {
    usage: 'models',
    does: 'every model that can be requested, and which targets serve it',
    options: [
      [
        '--refresh [file]',
        "read the providers' lists again; with a file or https address: install the facts it holds (prices, limits, …)",
      ],
      ['--digest <sha256>', 'with --refresh FILE: refuse another content'],
      ['--facts', 'every value with its source and date, and whether it is only "as of" that date'],
      ['--undo', 'restore the facts that were installed before'],
      [
        '--explain <name>',
        'who an alias or another name stands for, in their order, and why each other target is not in it',
      ],
      JSON_OPTION,
      ...COMMON,
    ],
    examples: [
      'keywise models',
      'keywise models --explain auto:free',
      'keywise models --explain coder --json',
      'keywise models --refresh facts.json',
      'keywise models --undo',
    ],
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
    usage: 'vault <action> [target]',
    does: 'keys encrypted at rest: init, list, add NAME, remove NAME, rotate [NAME], passphrase, unlock, lock, export FILE, import FILE',
    options: [
      [
        '--provider <name>',
        'add: for whom the key is (default: who asks for it in the configuration, or by its shape)',
      ],
      ['--note <text>', 'add: a note, which is not encrypted'],
      ['--key-file <file>', 'init, unlock: write a new key into this file, which opens the vault too'],
      ['--unproven', 'rotate NAME: take the new key although no call has proved it'],
      ['--replace', 'import: take the place of keys of the same name'],
      ['--keep-plain', 'init, import: leave other files that hold the same keys as they are'],
      ['--yes', 'do not ask'],
      JSON_OPTION,
      ...COMMON,
    ],
    examples: [
      'keywise vault init',
      'keywise vault add work --provider groq',
      'keywise vault list',
      'keywise vault rotate work',
      'keywise vault unlock',
      'keywise vault export keys.sealed',
    ],
    opensVault: false,
    load: () => import('./vault/vault.ts'),
  },
  {
    usage: 'experiment <action> [target]',
    does: 'compare prompts, models, providers and parameters: list, show NAME, start FILE or NAME, stop NAME, export NAME',
    options: [['--keep <variant>', 'stop: all requests get this variant from now on'], JSON_OPTION, ...COMMON],
    examples: [
      'keywise experiment start greeting.json',
      'keywise experiment show greeting',
      'keywise experiment stop greeting --keep short',
      'keywise experiment start greeting',
      'keywise experiment export greeting > greeting.csv',
    ],
    load: () => import('./experiment.ts'),
  },
  {
    usage: 'demo',
    does: 'no keys, no network: simulated providers with faults, and traffic over them',
    options: [
      ['--seconds <n>', 'stop after this many seconds'],
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
      ['--scenario <file>', 'the scenario (JSON)'],
      ['--seconds <n>', 'stop after this many seconds'],
      JSON_OPTION,
    ],
    examples: ['keywise fake --port 5398', 'keywise fake --scenario faults.json'],
    load: () => import('./fake.ts'),
  },
  {
    usage: 'budget [action] [files...]',
    does: 'budgets and what was spent on what (list); the ledger as a file (export); the ledger against an invoice (reconcile); release what killed processes held (forgive)',
    options: [
      [
        '--by <names>',
        'one table by these: provider, model, target, key, account, token, session, tier, price, source, day, hour, label:NAME',
      ],
      ['--since <time>', 'such as 2026-11-01 or 7d (default: list this month, export everything)'],
      ['--until <time>', 'before this time'],
      ['--csv', 'for export: CSV (default)'],
      ['--jsonl', 'for export: JSON lines'],
      ['--out <file>', 'for export: into this file'],
      ['--provider <names>', 'for reconcile: these of the ledger (default: whose form the file has)'],
      ['--key <name>', 'for reconcile: only this key or account, such as openai#1'],
      JSON_OPTION,
      ...COMMON,
    ],
    examples: [
      'keywise budget',
      'keywise budget --by label:team,model --since 7d',
      'keywise budget --by session,target',
      'keywise budget export --out ledger.csv',
      'keywise budget reconcile costs.csv',
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
    does: 'the routing benchmark: every policy with the same random draws, against an oracle',
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
    options: [
      ['--repair', 'first mend the store: bring back what a damaged one held, from it and from backups'],
      ['--alerts', 'also send a test alert through every channel'],
      JSON_OPTION,
      ...COMMON,
    ],
    examples: ['keywise doctor', 'keywise doctor --repair', 'keywise doctor --alerts'],
    load: () => import('./doctor/doctor.ts'),
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
