/** `keywise serve`: the gateway, and the line a user pastes next. */

import { join } from 'node:path'
import { request } from 'undici'
import { asRecord } from '../domain/json.ts'
import { consoleLogger } from '../observe/log.ts'
import { type RunningGateway, startGateway } from '../server/serve.ts'
import type { CommandContext, ExitCode, RunCommand } from './command.ts'
import { type Printer, plural, printer, wholeNumber } from './output.ts'
import { untilStopped } from './stop.ts'
import { onLongBody } from './tuneMemory.ts'

/** A second Ctrl-C within this time counts as the first. */
const HURRY_AFTER_MS = 500

export const run: RunCommand = async (context) => {
  const { options, env, cwd, stdout } = context
  const out = printer(stdout, env)
  const port = wholeNumber(options['port'], '--port')
  const host = typeof options['host'] === 'string' ? options['host'] : undefined
  let gateway: RunningGateway
  try {
    gateway = await startGateway({
      env,
      cwd,
      logger: consoleLogger(),
      onLongBody,
      ...(typeof options['config'] === 'string' && { config: options['config'] }),
      ...(typeof options['store'] === 'string' && { store: options['store'] }),
      ...(port !== undefined && { port }),
      ...(host !== undefined && { host }),
    })
  } catch (error) {
    if (asRecord(error)?.['code'] === 'EADDRINUSE') return alreadyThere(out, context, host ?? '127.0.0.1', port ?? 5397)
    throw error
  }
  printAddresses(out, gateway)
  void gateway.opened.ready().then(
    () => out.line(`  ${targetsText(gateway)}`),
    () => undefined,
  )
  return stopLater(gateway, wholeNumber(options['seconds'], '--seconds'))
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

function printAddresses(out: Printer, { app, tokens, folder }: RunningGateway): void {
  const { origin } = app
  out.line(out.paint('bold', `keywise serves on ${origin}`))
  out.line()
  out.line(`  OPENAI_BASE_URL=${origin}/v1`)
  out.line(`  ANTHROPIC_BASE_URL=${origin}`)
  out.line(`  GOOGLE_GEMINI_BASE_URL=${origin}`)
  out.line()
  for (const { scope, token, file } of tokens.fresh)
    out.line(`  new ${scope} token, shown once: ${token}${file === null ? ' (lasts as long as this process)' : ''}`)
  const file = folder === null ? null : join(folder, 'token')
  if (file !== null) out.line(`  the token is kept in ${file}, the admin token in ${join(folder ?? '', 'admin-token')}`)
  const shown = file === null ? '$KEYWISE_TOKEN' : `$(cat ${quoted(file)})`
  out.line()
  out.line(`  ${curlLine(origin, shown)}`)
  out.line()
}

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

/** The port is taken: by another keywise, whose addresses are printed instead, or by a different program. */
async function alreadyThere(out: Printer, { stderr }: CommandContext, host: string, port: number): Promise<ExitCode> {
  const origin = `http://${host}:${port}`
  const answer = await request(`${origin}/healthz`, { headersTimeout: 2000, bodyTimeout: 2000 }).catch(() => null)
  await answer?.body.dump().catch(() => undefined)
  if (answer?.headers['server'] !== 'keywise') {
    stderr.write(
      `keywise: port ${port} on ${host} is in use by another program; choose another: keywise serve --port ${port + 1}\n`,
    )
    return 1
  }
  out.line(`keywise is already running on ${origin}`)
  out.line(`  OPENAI_BASE_URL=${origin}/v1`)
  out.line(`  ANTHROPIC_BASE_URL=${origin}`)
  out.line(`  GOOGLE_GEMINI_BASE_URL=${origin}`)
  return 0
}
