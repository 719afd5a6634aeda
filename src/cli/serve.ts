/** `keywise serve`: the gateway, and the line a user pastes next. */

import { join } from 'node:path'
import { type Environment, readEnvironment } from '../config/environment.ts'
import { asRecord } from '../domain/json.ts'
import { consoleLogger } from '../observe/log.ts'
import { noteInstance } from '../server/instance.ts'
import { isLoopback, type RunningGateway, startGateway } from '../server/serve.ts'
import type { CommandContext, ExitCode, RunCommand } from './command.ts'
import { freePort, type GatewayPlace, gatewayPlace, type Occupant, occupantOf, originOf } from './gatewayPort.ts'
import { type Printer, plural, printer, wholeNumber } from './output.ts'
import { untilStopped } from './stop.ts'
import { onLongBody } from './tuneMemory.ts'

/** What holds a port that is not free. */
type Holder = Exclude<Occupant, { kind: 'none' }>

/** A second Ctrl-C within this time counts as the first. */
const HURRY_AFTER_MS = 500

export const run: RunCommand = async (context) => {
  const { options, env, stdout, stderr } = context
  const place = gatewayPlace(context)
  const occupant = await occupantOf(place)
  const gateway = occupant.kind === 'none' ? await startAt(place, context) : occupant
  if ('kind' in gateway) return alreadyThere(place, gateway, context)
  const out = printer(stdout, env)
  const forget = noteInstance(gateway.port, gateway.instance)
  printAddresses(out, gateway, env)
  for (const weakness of gateway.tokens.weaknesses) stderr.write(`keywise: warning: ${weakness}\n`)
  void gateway.opened.ready().then(
    () => out.line(`  ${targetsText(gateway)}`),
    () => undefined,
  )
  return stopLater(gateway, wholeNumber(options['seconds'], '--seconds')).finally(forget)
}

/** The gateway; or what has taken the port since it was free. */
async function startAt(
  place: GatewayPlace,
  { options, env, cwd, stderr }: CommandContext,
): Promise<RunningGateway | Holder> {
  try {
    return await startGateway({
      env,
      cwd,
      logger: consoleLogger((text) => void stderr.write(text)),
      onLongBody,
      host: place.host,
      port: place.port,
      ...(typeof options['config'] === 'string' && { config: options['config'] }),
      ...(typeof options['store'] === 'string' && { store: options['store'] }),
    })
  } catch (error) {
    const occupant = asRecord(error)?.['code'] === 'EADDRINUSE' ? await occupantOf(place) : null
    if (occupant === null || occupant.kind === 'none') throw error
    return occupant
  }
}

/** Runs until a stop signal; a second signal skips the drain. */
async function stopLater(gateway: RunningGateway, seconds: number | undefined): Promise<ExitCode> {
  const code = await untilStopped(seconds)
  // The process group's signal and one forwarded by a parent arrive as two; only a later Ctrl-C means "at once".
  const since = performance.now()
  const hurry = () => performance.now() - since > HURRY_AFTER_MS && process.exit(130)
  const patient = () => {}
  process.on('SIGINT', hurry).on('SIGTERM', patient)
  await gateway.close()
  process.off('SIGINT', hurry).off('SIGTERM', patient)
  return code
}

function printAddresses(out: Printer, gateway: RunningGateway, env: CommandContext['env']): void {
  const { origin } = gateway.app
  out.line(out.paint('bold', `keywise serves on ${origin}`))
  if (!isLoopback(gateway.host)) out.line('  other machines can reach it')
  out.line()
  printBaseUrls(out, origin)
  out.line()
  const shown = printTokens(out, gateway, readEnvironment(env))
  out.line()
  out.line(`  ${curlLine(origin, shown)}`)
  out.line()
}

function printBaseUrls(out: Printer, origin: string): void {
  out.line(`  OPENAI_BASE_URL=${origin}/v1`)
  out.line(`  ANTHROPIC_BASE_URL=${origin}`)
  out.line(`  GOOGLE_GEMINI_BASE_URL=${origin}`)
}

/** Prints new tokens and where each is kept; returns what stands for the inference token in a shell. */
function printTokens(out: Printer, { tokens, folder }: RunningGateway, { token, adminToken }: TokenVariables): string {
  for (const { scope, token, file } of tokens.fresh)
    out.line(`  new ${scope} token, shown once: ${token}${file === null ? ' (lasts as long as this process)' : ''}`)
  const unkept = new Map(tokens.fresh.flatMap(({ scope, token, file }) => (file === null ? [[scope, token]] : [])))
  const fileOf = (name: string) => join(folder ?? '', name)
  const places = [
    token !== null
      ? 'the token is that of KEYWISE_TOKEN, which this line reads from its shell'
      : !unkept.has('inference') && `the token is kept in ${fileOf('token')}`,
    adminToken !== null
      ? 'the admin token is that of KEYWISE_ADMIN_TOKEN'
      : !unkept.has('admin') && `the admin token is kept in ${fileOf('admin-token')}`,
  ].filter((place) => place !== false)
  for (const place of places.reverse()) out.line(`  ${place}`)
  if (token !== null) return '$KEYWISE_TOKEN'
  return unkept.get('inference') ?? `$(cat ${quoted(fileOf('token'))})`
}

type TokenVariables = Pick<Environment, 'token' | 'adminToken'>

/** `12 targets: 5 models of groq, …`; printed once the models lists have arrived. */
function targetsText({ opened }: RunningGateway): string {
  const { targets, credentials } = opened.engine.registry
  if (targets.length === 0) return 'no targets yet: no models list could be read (keywise doctor says why)'
  return `${plural(targets.length, 'target')} with ${plural(credentials.length, 'key')} (keywise status shows them)`
}

/** One line that works as pasted. */
export function curlLine(origin: string, token: string): string {
  const body = `{"model":"auto","messages":[{"role":"user","content":"Say hi"}]}`
  return `curl ${origin}/v1/chat/completions -H "Authorization: Bearer ${token}" -H 'content-type: application/json' -d '${body}'`
}

const quoted = (path: string) => (/^[\w./-]+$/.test(path) ? path : `'${path.replace(/'/g, "'\\''")}'`)

/** The port is taken: the addresses of the gateway that runs already, or whose it is and which port is free. */
async function alreadyThere(
  { host, port }: GatewayPlace,
  occupant: Holder,
  { env, stdout, stderr }: CommandContext,
): Promise<ExitCode> {
  if (occupant.kind !== 'same') {
    const whose = occupantText(occupant)
    stderr.write(
      `keywise: port ${port} on ${host} is in use: ${whose}; choose another: ${await otherPort(host, port)}\n`,
    )
    return 1
  }
  const out = printer(stdout, env)
  const origin = originOf(host, port)
  out.line(`keywise is already running on ${origin}`)
  printBaseUrls(out, origin)
  return 0
}

const otherPort = async (host: string, port: number) => `keywise serve --port ${await freePort(host, port + 1)}`

/** Whose a busy port is. */
export function occupantText(occupant: Holder): string {
  if (occupant.kind === 'program') return 'another program has it'
  if (occupant.kind === 'same') return 'keywise serves this configuration there already'
  return `another keywise serves ${occupant.serves}`
}
