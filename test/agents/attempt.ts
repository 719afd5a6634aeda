/** One agent in one trial: a folder with a note, a gateway over the services, the turns, and what came of it. */

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { present } from '../../src/domain/present.ts'
import { type GatewayWorld, openGateway, TOKEN } from '../support/gatewayWorld.ts'
import type { Agent, Place } from './agents.ts'
import { runAgent, type Told } from './spawned.ts'
import { modelFor, type Trial } from './trials.ts'
import { modelFacts, scenarioOf, targetOf, type Upstream } from './upstreams.ts'

const [OLD, NEW] = ['PONG-42', 'PONG-43']
const TURN_MS = 90_000

const TASKS = ['Read the file note.txt and change 42 to 43 in it.', 'Go on with the file.', 'What did you change?']
/** About three and a half thousand tokens: less than what agents keep free. */
const LONG = `Keep this list in mind: ${Array.from({ length: 1650 }, (_, index) => `item${index}`).join(' ')}`

function promptsOf({ turns }: Trial): readonly string[] {
  const talk = turns.filter((taken) => taken === 0)
  return [...talk.map((_, index) => `${index + 1}. ${LONG}`), ...TASKS]
}

export interface Attempt {
  readonly passed: boolean
  readonly seconds: number
  /** Calls that the services answered. */
  readonly answered: number
  /** What the services refused, but for what the trial itself does to them; each once. */
  readonly refusals: readonly string[]
  /** Services of the trial that were not asked: a request goes first to where nothing of it is lost. */
  readonly unasked: readonly string[]
  /** What the agent is blamed for, and the end of what it wrote. */
  readonly told: string
}

interface Turn {
  readonly told: Told
  readonly calls: GatewayWorld['fakes']['calls']
}

export async function attempt(agent: Agent, trial: Trial, modules: string): Promise<Attempt> {
  const root = mkdtempSync(join(tmpdir(), 'keywise-agent-'))
  const place = { folder: join(root, 'work'), home: join(root, 'home') }
  for (const path of Object.values(place)) mkdirSync(path)
  const note = join(place.folder, 'note.txt')
  writeFileSync(note, `${OLD}\n`)
  const read = agent.reads(note)
  const reads = trial.turns.length > 1 ? [read, read] : [read]
  const steps = [...reads, agent.edits({ file: note, old: OLD, new: NEW })]
  const began = performance.now()
  const turns: Turn[] = []
  // One for all turns: a service goes on counting, and its answers never have the same id twice.
  await using whole = trial.isMoved ? null : await openWorld(agent, trial, trial.upstreams)
  for (const [index, taken] of trial.turns.entries()) {
    const upstreams = trial.isMoved ? trial.upstreams.slice(index, index + 1) : trial.upstreams
    await using own = whole === null ? await openWorld(agent, trial, upstreams) : null
    const world = present(whole ?? own ?? undefined)
    setSteps(world, trial, upstreams, steps.slice(0, taken))
    const told = await runAgent(agent, { ...place, ...turnOf(agent, trial, index, world) }, modules, TURN_MS)
    turns.push({ told, calls: [...world.fakes.calls] })
    world.fakes.forget()
  }
  const seconds = (performance.now() - began) / 1000
  const isEdited = readFileSync(note, 'utf8').includes(NEW)
  rmSync(root, { recursive: true, force: true })
  return { seconds, ...judged(turns, trial, isEdited) }
}

function turnOf(agent: Agent, trial: Trial, index: number, { origin }: GatewayWorld): Omit<Place, 'folder' | 'home'> {
  return {
    origin,
    token: TOKEN,
    prompt: present(promptsOf(trial)[index]),
    model: modelFor(agent, trial),
    isContinued: index > 0,
    ...(trial.window !== undefined && { window: trial.window }),
  }
}

async function openWorld(agent: Agent, trial: Trial, upstreams: readonly Upstream[]): Promise<GatewayWorld> {
  const targets = upstreams.map(targetOf)
  const model = modelFor(agent, trial)
  const world = await openGateway(scenarioOf(upstreams, trial.window), {
    settings: { routing: { strategy: 'priority' }, models: { [model]: targets, '*': targets } },
  })
  const [first] = upstreams
  if (trial.fault !== undefined && first !== undefined) world.fakes.fault(first.provider, trial.fault)
  return world
}

type Steps = Parameters<typeof modelFacts>[1]

function setSteps({ fakes }: GatewayWorld, trial: Trial, upstreams: readonly Upstream[], steps: Steps): void {
  const window = trial.window === undefined ? {} : { context_tokens: trial.window }
  for (const one of upstreams) fakes.setModel(one.provider, one.model, modelFacts(one, steps, window))
}

function judged(turns: readonly Turn[], trial: Trial, isEdited: boolean): Omit<Attempt, 'seconds'> {
  const calls = turns.flatMap((turn) => turn.calls)
  const faults = [
    ...(isEdited ? [] : ['the note was not changed']),
    ...turns.flatMap(({ told }, index) => (isAnswered(told) ? [] : [`turn ${index + 1} has no answer`])),
  ]
  const answering = calls.filter(({ status }) => status === 200)
  const asked = new Set(answering.map(({ provider }) => provider))
  return {
    passed: faults.length === 0,
    answered: answering.length,
    refusals: refusalsIn(calls),
    unasked: trial.upstreams.flatMap(({ provider, model }) => (asked.has(provider) ? [] : [model])),
    told: [...faults, ...turns.map(({ told }) => `${told.output}${told.errors}`.slice(-1500))].join('\n'),
  }
}

/** The sentences of the simulated models. */
const isAnswered = ({ output, isDone }: Told) => isDone && /All is well|The tool said/.test(output)

function refusalsIn(calls: Turn['calls']): readonly string[] {
  const unwanted = calls.filter(({ refusal, fault }) => refusal !== undefined && fault === null)
  const lines = unwanted.map(({ model, path, status, refusal }) => {
    return `${model} ${path} ${status} ${JSON.stringify(refusal)}`
  })
  return [...new Set(lines)]
}
