/** `keywise replay`: the routing benchmark on simulated providers, on traces, or on the user's own recorded weeks. */

import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import type { StoreEvent } from '../domain/store.ts'
import { POLICIES, runReplay } from '../lab/replay/replay.ts'
import { replayText } from '../lab/replay/report.ts'
import { recordedScenario } from '../lab/replay/store.ts'
import { APIManager } from '../manager/apiManager.ts'
import type { CommandContext, RunCommand } from './command.ts'
import { UsageError } from './command.ts'
import { printer } from './output.ts'

export const run: RunCommand = async (context) => {
  const { options, cwd, stdout, stderr, env } = context
  const out = printer(stdout, env)
  const policy = options['policy']
  if (typeof policy === 'string' && !(policy in POLICIES))
    throw new UsageError(`unknown policy "${policy}"; one of: ${Object.keys(POLICIES).join(', ')}`)
  const folder = typeof options['data'] === 'string' ? resolve(cwd, options['data']) : null
  if (folder !== null && !existsSync(folder)) throw new UsageError(`--data ${folder}: the folder does not exist`)
  const recorded = options['fromStore'] === true ? recordedScenario(await recordedEvents(context)) : null
  if (options['fromStore'] === true && recorded === null)
    throw new UsageError('the store holds too little to replay: it needs requests to at least two targets')
  const result = await runReplay({
    data: folder,
    ...(typeof policy === 'string' && { policies: [policy] }),
    ...(recorded !== null && { recorded: [recorded], scenarios: [recorded.name] }),
    onProgress: (scenario, done, all) => void stderr.write(`[${done + 1}/${all}] ${scenario}\n`),
  })
  if (options['json']) out.json(result)
  else out.lines(replayText(result))
  return 0
}

const READ_AT_ONCE = 1000

async function recordedEvents({ options, env, cwd }: CommandContext): Promise<StoreEvent[]> {
  const manager = new APIManager({
    env,
    cwd,
    logger: false,
    ...(typeof options['config'] === 'string' && { config: options['config'] }),
    ...(typeof options['store'] === 'string' && { store: options['store'] }),
  })
  try {
    const { store } = manager.engine
    const events: StoreEvent[] = []
    for (let seq = 0; ; ) {
      const read = store.read(seq, READ_AT_ONCE)
      events.push(...read)
      seq = read.at(-1)?.seq ?? seq
      if (read.length < READ_AT_ONCE) return events
    }
  } finally {
    await manager.close()
  }
}
