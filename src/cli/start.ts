/**
 * `keywise` alone: with keys it tests them, shows their state and serves; without any it runs the demo. Commands that
 * do not exist yet are skipped with a message.
 */

import { loadConfig } from '../config/config.ts'
import { demandKeys } from '../config/demandKeys.ts'
import { loadOptions } from '../manager/locations.ts'
import type { CommandContext, ExitCode, RunCommand } from './command.ts'
import { freePort, gatewayPlace, occupantOf } from './gatewayPort.ts'
import { occupantText } from './serve.ts'
import { engineOptions } from './withEngine.ts'

/** The command of that name, or undefined. */
type FindCommand = (name: string) => Promise<RunCommand> | undefined

export async function start(context: CommandContext, find: FindCommand): Promise<ExitCode> {
  const config = loadConfig(loadOptions(engineOptions(context)))
  const demo = config.providers.length === 0 ? await find('demo') : undefined
  if (demo !== undefined) {
    context.stderr.write('No API key found: this is the demo, with simulated providers.\n')
    return demo(context)
  }
  demandKeys(config)
  const placed = await onFreePort(context)
  if ((await runIfThere('test', context, find)) === 130) return 130
  const serve = await find('serve')
  if (serve !== undefined) return serve(placed)
  await runIfThere('status', context, find)
  context.stdout.write('\nNext: keywise call "Say hi"    keywise why    keywise doctor    keywise --help\n')
  return 0
}

/** Looks at the port before the tests; where it is in use the gateway gets a free one. */
async function onFreePort(context: CommandContext): Promise<CommandContext> {
  const place = gatewayPlace(context)
  const occupant = await occupantOf(place)
  if (occupant.kind === 'none') return context
  const port = await freePort(place.host, place.port + 1)
  const whose = occupantText(occupant)
  context.stderr.write(
    `Port ${place.port} is in use: ${whose}. This one will serve on ${port === 0 ? 'a free port' : port}.\n`,
  )
  return { ...context, options: { ...context.options, port: String(port) } }
}

async function runIfThere(name: string, context: CommandContext, find: FindCommand): Promise<ExitCode> {
  const run = await find(name)
  return run === undefined ? 0 : run(context)
}
