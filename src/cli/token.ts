/** `keywise token`: manages the tokens that may call the gateway. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { readEnvironment } from '../config/environment.ts'
import { stateFolderOf } from '../config/paths.ts'
import { InvalidRequestError } from '../domain/errors.ts'
import { isoOrNull } from '../domain/isoTime.ts'
import { SCOPES, type TokenScope, Tokens } from '../server/tokens.ts'
import { openStore } from '../store/open.ts'
import type { CommandContext, ExitCode, RunCommand } from './command.ts'
import { UsageError } from './command.ts'
import { type Printer, printer } from './output.ts'

const ACTIONS = ['add', 'list', 'show', 'revoke'] as const

export const run: RunCommand = async (context) => {
  const { args, options, env, stdout, stderr } = context
  const [action, name] = args
  const out = printer(stdout, env)
  const environment = readEnvironment(env)
  const folder = stateFolderOf(env)
  const location =
    typeof options['store'] === 'string' ? options['store'] : (environment.store ?? join(folder, 'keywise.db'))
  const store = openStore(location, { now: Date.now, warn: (line) => void stderr.write(`keywise: warning: ${line}\n`) })
  try {
    const tokens = new Tokens({
      store,
      folder,
      inference: environment.token?.reveal() ?? null,
      admin: environment.adminToken?.reveal() ?? null,
      now: Date.now,
    })
    return act({ action, name, tokens, folder, out, context })
  } finally {
    await store.close()
  }
}

interface TokenRequest {
  readonly action: string | undefined
  readonly name: string | undefined
  readonly tokens: Tokens
  readonly folder: string
  readonly out: Printer
  readonly context: CommandContext
}

function act({ action, name, tokens, folder, out, context }: TokenRequest): ExitCode {
  const { json } = context.options
  switch (action) {
    case 'list':
      return list(tokens, out, json === true)
    case 'add': {
      const scope = scopeOf(context.options['scope'])
      const token = tokens.add(needed(name, 'add'), scope)
      if (json) out.json({ name, scope, token })
      else out.lines(`${token}\n(shown once: keywise keeps only its hash)`)
      return 0
    }
    case 'revoke': {
      if (tokens.revoke(needed(name, 'revoke'))) return 0
      throw new InvalidRequestError(`no token "${name}" to revoke; keywise token list shows them`)
    }
    case 'show':
      return show(name ?? 'inference', folder, out)
    default:
      throw new UsageError(`keywise token ${action ?? ''}: one of ${ACTIONS.join(', ')}`)
  }
}

function list(tokens: Tokens, out: Printer, json: boolean): ExitCode {
  const all = tokens.list()
  if (json)
    out.json({
      generatedAt: new Date().toISOString(),
      tokens: all.map(({ name, scope, createdAt }) => ({ name, scope, createdAt: isoOrNull(createdAt) })),
    })
  else
    out.table(
      ['name', 'scope', 'made'],
      all.map(({ name, scope, createdAt }) => [name, scope, isoOrNull(createdAt) ?? 'at the first start']),
    )
  return 0
}

/** Only the two tokens of the first start can be shown: they are kept in separate files for programs to read. */
function show(name: string, folder: string, out: Printer): ExitCode {
  const file = name === 'inference' ? 'token' : name === 'admin' ? 'admin-token' : null
  if (file === null)
    throw new UsageError(
      'only "inference" and "admin" can be shown; others are kept as a hash: make a new one with keywise token add',
    )
  try {
    out.line(readFileSync(join(folder, file), 'utf8').trim())
    return 0
  } catch {
    throw new InvalidRequestError(
      `${join(folder, file)} cannot be read: the token comes from the environment, or no gateway was started yet`,
    )
  }
}

function needed(name: string | undefined, action: string): string {
  if (name === undefined) throw new UsageError(`keywise token ${action} NAME`)
  return name
}

function scopeOf(value: unknown): TokenScope {
  if (value === undefined) return 'inference'
  const scope = SCOPES.find((one) => one === value)
  if (scope === undefined) throw new UsageError(`--scope is one of ${SCOPES.join(', ')}`)
  return scope
}
