/** `keywise keys list|retest`: lists the keys, masked, or clears them for another attempt. */

import { nearest } from '../domain/nearest.ts'
import type { Engine } from '../engine/engine.ts'
import { type Retested, retest } from '../manager/retest.ts'
import { type KeyRow, keysView } from '../views/keys.ts'
import type { CommandContext, ExitCode, RunCommand } from './command.ts'
import { UsageError } from './command.ts'
import { differenceLines } from './differenceLines.ts'
import { age, dollars, type Printer, printer } from './output.ts'
import { withEngine } from './withEngine.ts'

type KeysAction = (engine: Engine, context: CommandContext, out: Printer) => Promise<ExitCode>

const ACTIONS: Readonly<Record<string, KeysAction>> = { list, retest: again }

export const run: RunCommand = (context) => {
  const { args, stdout, env } = context
  const name = args[0] ?? ''
  const action = Object.hasOwn(ACTIONS, name) ? ACTIONS[name] : undefined
  if (action === undefined) {
    const names = Object.keys(ACTIONS)
    const [near] = nearest(name, names, 1)
    const hint = near === undefined ? '' : ` (did you mean "${near}"?)`
    throw new UsageError(`"keys" knows ${names.join(' and ')}, not "${name}"${hint}`)
  }
  return withEngine(context, (engine) => action(engine, context, printer(stdout, env)))
}

async function list(engine: Engine, { options, args }: CommandContext, out: Printer): Promise<ExitCode> {
  if (args.length > 1) throw new UsageError('"keys list" takes nothing else')
  const view = keysView(engine)
  if (options['json']) out.json(view)
  else {
    const now = Date.parse(view.generatedAt)
    out.table(
      HEAD,
      view.keys.map((key) => rowOf(key, now, out)),
    )
    for (const line of kinshipLines(view.keys)) out.line(line)
    for (const line of differenceLines(view.keys.flatMap(({ differences }) => differences))) out.line(line)
  }
  return 0
}

async function again(engine: Engine, { options, args }: CommandContext, out: Printer): Promise<ExitCode> {
  const result = await retest(engine, args[1] ?? null)
  if (options['json']) out.json(result)
  else printRetested(result, out)
  return result.keys.some(({ check }) => check === 'refused') ? 1 : 0
}

/** Keys that stand in the configuration twice, and those that share the quota of an account. */
function kinshipLines(keys: readonly KeyRow[]): string[] {
  const nameOf = ({ provider, keyIndex }: KeyRow) => `${provider}#${keyIndex}`
  const first = (key: KeyRow, others: readonly string[]) =>
    others.length > 0 && keys.findIndex((one) => one === key || others.includes(nameOf(one))) === keys.indexOf(key)
  return [
    ...keys
      .filter((key) => first(key, key.sameKeyAs))
      .map((key) => `${[nameOf(key), ...key.sameKeyAs].join(' and ')} are the same key: its limits are counted twice`),
    ...keys
      .filter((key) => first(key, key.sharesAccountWith))
      .map((key) => `${[nameOf(key), ...key.sharesAccountWith].join(' and ')} share the limits of one account`),
  ]
}

const HEAD = ['key', 'masked', 'label', 'account', 'state', 'last answer', 'used', 'since', 'targets', 'from', '']

function rowOf(key: KeyRow, now: number, out: Printer): string[] {
  return [
    `${key.provider}#${key.keyIndex}`,
    key.key ?? '(none needed)',
    key.label ?? '',
    key.account ?? '',
    out.paint(COLOURS[key.state], key.state),
    ago(key.lastSuccess, now),
    ago(key.lastUsed, now),
    key.since?.slice(0, 10) ?? '-',
    String(key.targets),
    key.vault === null ? key.source : `vault ${key.vault}`,
    key.reason ?? creditOf(key),
  ]
}

const ago = (at: string | null, now: number) => (at === null ? '-' : `${age(now - Date.parse(at))} ago`)

const COLOURS = { valid: 'green', refused: 'red', parked: 'yellow', unproven: 'dim' } as const

function creditOf({ creditLeftUsd, freeRequestsLeftToday }: KeyRow): string {
  if (creditLeftUsd !== null) return `${dollars(creditLeftUsd)} credit left`
  return freeRequestsLeftToday === null ? '' : `${freeRequestsLeftToday} free requests left today`
}

const CHECKS = {
  valid: 'the provider accepts it',
  refused: 'refused',
  unproven: 'has no free check; the next call proves it',
} as const

function printRetested({ keys, lifted }: Retested, out: Printer): void {
  out.line(`${lifted === 0 ? 'No target' : lifted === 1 ? '1 target' : `${lifted} targets`} taken out of park.`)
  for (const { provider, keyIndex, key, check, message } of keys) {
    const sign = { valid: '✅', refused: '❌', unproven: '· ' }[check]
    out.line(`${sign} ${provider}#${keyIndex} ${key ?? ''}: ${CHECKS[check]}${message === null ? '' : `: ${message}`}`)
  }
}
