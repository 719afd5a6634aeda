/** `keywise fake`: only the simulated providers, as a real server. */

import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { ConfigError } from '../domain/errors.ts'
import { type FakeWorld, startFakeProviders } from '../lab/fake/fakeProviders.ts'
import { type FakeScenario, scenarioSchema } from '../lab/fake/scenario.ts'
import { demoScenario } from '../lab/fake/worlds.ts'
import { findProvider } from '../providers/catalog.ts'
import type { RunCommand } from './command.ts'
import { printer, wholeNumber } from './output.ts'
import { untilStopped } from './stop.ts'

const DEFAULT_PORT = 5398

export const run: RunCommand = async ({ options, cwd, stdout, stderr, env }) => {
  const file = options['scenario']
  const scenario = typeof file === 'string' ? await readScenario(resolve(cwd, file)) : demoScenario()
  const world = await startFakeProviders(scenario, { port: wholeNumber(options['port'], '--port') ?? DEFAULT_PORT })
  const out = printer(stdout, env)
  const config = withAllDialects(world.config())
  if (options['json']) out.json({ origin: world.origin, config })
  else {
    out.line(`Simulated providers on ${world.origin}:`)
    for (const provider of Object.keys(scenario.providers)) out.line(`  ${provider}  ${world.endpoint(provider)}`)
    out.line()
    out.line('A configuration that uses them:')
    out.json(config)
  }
  stderr.write('Ctrl-C stops them.\n')
  const code = await untilStopped(wholeNumber(options['seconds'], '--seconds'))
  await world.close()
  return code
}

/** At an address that is not its own, a service is taken to have one dialect unless its block says otherwise. */
function withAllDialects(config: ReturnType<FakeWorld['config']>) {
  const blocks = Object.entries(config).map(([id, block]) => {
    const spec = findProvider(id)
    if (spec?.alsoSpeaks === undefined || block['dialect'] !== undefined) return [id, block]
    return [id, { ...block, dialect: [spec.dialect, ...spec.alsoSpeaks.map(({ dialect }) => dialect)] }]
  })
  return Object.fromEntries(blocks)
}

async function readScenario(file: string): Promise<FakeScenario> {
  let value: unknown
  try {
    value = JSON.parse(await readFile(file, 'utf8'))
  } catch (error) {
    throw new ConfigError(
      `${file}: cannot be read as JSON (${error instanceof Error ? error.message : error}); write a scenario as docs/tour.md shows`,
      { file, cause: error },
    )
  }
  const read = scenarioSchema.safeParse(value)
  if (read.success) return read.data
  const issue = read.error.issues[0]
  throw new ConfigError(`${file}: "${issue?.path.join('.')}": ${issue?.message}`, {
    file,
    path: issue?.path.join('.') ?? null,
  })
}
