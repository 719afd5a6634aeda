/** One agent in one trial: a folder with a note, a gateway over the services, the turns, and what came of it. */

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type GatewayWorld, openGateway, TOKEN } from '../support/gatewayWorld.ts'
import type { Agent } from './agents.ts'
import { runAgent, type Told } from './spawned.ts'
import { modelFor, type Trial } from './trials.ts'
import { modelFacts, scenarioOf, targetOf } from './upstreams.ts'

const [OLD, NEW] = ['PONG-42', 'PONG-43']
const TURN_MS = 90_000

const PROMPTS = ['Read the file note.txt and change 42 to 43 in it.', 'Go on with the file.', 'What did you change?']

export interface Attempt {
  readonly passed: boolean
  readonly seconds: number
  /** Calls that the services answered. */
  readonly answered: number
  /** What the services refused, but for what the trial itself does to them; each once. */
  readonly refusals: readonly string[]
  /** The end of what the agent wrote, and what it is blamed for. */
  readonly told: string
}

export async function attempt(agent: Agent, trial: Trial, modules: string): Promise<Attempt> {
  const root = mkdtempSync(join(tmpdir(), 'keywise-agent-'))
  const [folder, home] = [join(root, 'work'), join(root, 'home')]
  for (const path of [folder, home]) mkdirSync(path)
  const note = join(folder, 'note.txt')
  writeFileSync(note, `${OLD}\n`)
  const steps = [agent.reads(note), agent.edits({ file: note, old: OLD, new: NEW })]
  const window = trial.window === undefined ? {} : { context_tokens: trial.window }
  await using world = await openGateway(scenarioOf(trial.upstreams), {
    settings: { routing: { strategy: 'priority' }, models: { '*': trial.upstreams.map(targetOf) } },
  })
  if (trial.fault !== undefined) world.fakes.fault(trial.upstreams[0]?.provider ?? '', trial.fault)
  const began = performance.now()
  const told: Told[] = []
  for (const [turn, taken] of trial.turns.entries()) {
    for (const one of trial.upstreams)
      world.fakes.setModel(one.provider, one.model, modelFacts(one, steps.slice(0, taken), window))
    const place = {
      ...{ origin: world.origin, token: TOKEN, folder, home, prompt: PROMPTS[turn] ?? '' },
      ...{ model: modelFor(agent, trial), isContinued: turn > 0 },
    }
    told.push(await runAgent(agent, place, modules, TURN_MS))
    const answering = trial.upstreams[turn]
    if (turn < trial.turns.length - 1 && answering !== undefined) world.fakes.revoke(answering.provider, 1)
  }
  const seconds = (performance.now() - began) / 1000
  const isEdited = readFileSync(note, 'utf8') === `${NEW}\n`
  rmSync(root, { recursive: true, force: true })
  const faults = [
    ...(isEdited ? [] : ['the note was not changed']),
    ...told.flatMap((one, turn) => (isAnswered(one) ? [] : [`turn ${turn + 1} has no answer`])),
    ...unasked(world, trial).map((name) => `${name} was not asked`),
  ]
  return {
    passed: faults.length === 0,
    seconds,
    answered: world.fakes.calls.filter(({ status }) => status === 200).length,
    refusals: refusalsOf(world, trial),
    told: [...faults, ...told.map(({ output, errors }) => `${output}${errors}`.slice(-1500))].join('\n'),
  }
}

/** The sentences of the simulated models. */
const isAnswered = ({ output, isDone }: Told) => isDone && /All is well|The tool said/.test(output)

/** Each service of a conversation that moves has its turn. */
function unasked({ fakes }: GatewayWorld, { upstreams, window }: Trial): readonly string[] {
  const asked = new Set(fakes.calls.flatMap(({ status, provider }) => (status === 200 ? [provider] : [])))
  return window === undefined ? upstreams.flatMap(({ provider }) => (asked.has(provider) ? [] : [provider])) : []
}

function refusalsOf({ fakes }: GatewayWorld, { fault }: Trial): readonly string[] {
  const unwanted = fakes.calls.filter((call) => {
    return (
      call.refusal !== undefined && call.fault === null && !(fault === undefined && call.key === 1 && isRevoked(call))
    )
  })
  return [
    ...new Set(
      unwanted.map(({ model, path, status, refusal }) => `${model} ${path} ${status} ${JSON.stringify(refusal)}`),
    ),
  ]
}

/** What a key says that was taken away between two turns. */
const isRevoked = ({ refusal }: { readonly refusal?: unknown }) =>
  /Incorrect API key|invalid x-api-key|API_KEY_INVALID|Invalid API Key|Unauthorized/i.test(JSON.stringify(refusal))
