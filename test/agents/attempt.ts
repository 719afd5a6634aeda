/** One agent in one trial: a folder with a note, a gateway over the services, the turns, and what came of it. */

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { asRecord } from '../../src/domain/json.ts'
import { present } from '../../src/domain/present.ts'
import { type GatewayWorld, openGateway, TOKEN } from '../support/gatewayWorld.ts'
import type { Agent, Place } from './agents.ts'
import { runAgent, type Told } from './spawned.ts'
import { modelFor, type Trial } from './trials.ts'
import { modelFacts, scenarioOf, targetOf, type Upstream } from './upstreams.ts'

const [OLD, NEW] = ['PONG-42', 'PONG-43']
const TURN_MS = 90_000

const TASKS = ['Read the file note.txt and change 42 to 43 in it.', 'Go on with the file.', 'What did you change?']
/** About seven hundred tokens: Claude Code hands in five files again when it has shortened a conversation. */
const LIST = Array.from({ length: 28 }, (_, line) => `${line} ${'of the long list '.repeat(5)}`).join('\n')

const promptsOf = ({ turns }: Trial): readonly string[] => [
  ...turns.slice(TASKS.length).map(() => 'Read the next lists.'),
  ...TASKS,
]

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
  const lists = Array.from({ length: trial.lists ?? 0 }, (_, index) => join(place.folder, `list${index + 1}.txt`))
  for (const list of lists) writeFileSync(list, LIST)
  const read = agent.reads(note)
  const reads = [...lists.map((list) => agent.reads(list)), ...(trial.turns.length > 1 ? [read, read] : [read])]
  const steps = [...reads, agent.edits({ file: note, old: OLD, new: NEW })]
  const began = performance.now()
  const turns: Turn[] = []
  // One for all turns: a service goes on counting, and its answers never have the same id twice.
  await using whole = trial.isMoved ? null : await openWorld(agent, trial, trial.upstreams)
  for (const [index, taken] of trial.turns.entries()) {
    const upstreams = trial.isMoved ? trial.upstreams.slice(index, index + 1) : trial.upstreams
    await using own = whole === null ? await openWorld(agent, trial, upstreams) : null
    const world = present(whole ?? own ?? undefined)
    setSteps(world, { agent, trial, upstreams, steps: steps.slice(stepsBefore(trial, index), taken) })
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

/** Steps that the model does not see in the conversation: it may have been shortened, so they are not repeated. */
const stepsBefore = ({ window, turns }: Trial, index: number) => (window === undefined ? 0 : (turns[index - 1] ?? 0))

interface Task {
  readonly agent: Agent
  readonly trial: Trial
  readonly upstreams: readonly Upstream[]
  readonly steps: Parameters<typeof modelFacts>[1]
}

function setSteps({ fakes }: GatewayWorld, { agent, trial: { window }, upstreams, steps }: Task): void {
  const short = window === undefined ? {} : { context_tokens: window, counts_steps: true, summary: agent.summary }
  for (const one of upstreams) fakes.setModel(one.provider, one.model, modelFacts(one, steps, short))
}

function judged(turns: readonly Turn[], trial: Trial, isEdited: boolean): Omit<Attempt, 'seconds'> {
  const calls = turns.flatMap((turn) => turn.calls)
  const faults = [
    ...(isEdited ? [] : ['the note was not changed']),
    ...(trial.window === undefined || isShortened(calls) ? [] : ['the conversation was not shortened']),
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

/** A request of the conversation, which offers tools, is clearly shorter than the one before it. */
function isShortened(calls: Turn['calls']): boolean {
  const bodies = calls.filter(({ status }) => status === 200).map(({ body }) => body)
  const lengths = bodies
    .filter((body) => asRecord(body)?.['tools'] !== undefined)
    .map((body) => JSON.stringify(body).length)
  return lengths.some((length, index) => length < 0.9 * (lengths[index - 1] ?? 0))
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
