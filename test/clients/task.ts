/** What every client is asked for, and what it must come back with. The programs of all languages are handed it. */

import type { FakeModel } from '../../src/lab/fake/scenario.ts'

/** Long enough to be cut, and of more than one byte a letter. */
export const REPLY = 'Once upon a time a gateway stood in Zürich ☂ that never told half an answer as if it were whole.'

/** A red pixel. */
export const PIXEL = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=='

/** What a program is told beside the client, the model and the address. */
export const TASK = {
  prompt: 'Tell me the story of the gateway.',
  loopPrompt: 'Use the tools to look up the weather, note what matters, and tell me all of it.',
  schemaPrompt: 'Look up the report of Oslo.',
  imagePrompt: 'What colour is it?',
  image: PIXEL,
  texts: ['one', 'a longer text'],
}

/** The calls of three turns; two of the second turn at once. */
const TURNS = [
  [{ tool: 'look_up', arguments: { city: 'Zürich', days: 3 } }],
  [
    { tool: 'look_up', arguments: { city: 'São "Paulo"', days: 1 } },
    { tool: 'note', arguments: { text: '“quoted”,\na line, and ☂ 🌧' } },
  ],
  [{ tool: 'note', arguments: { text: '{"a": [1, 2.5, null]}' } }],
] as const

/** Frameworks that want the answer itself through a tool offer one of this name. */
const LAST_TURN = { tool: 'final_answer', arguments: { answer: 'rain for 3 days, rain for 1 days, noted' } }

/** Programs that have the tools of an MCP server put its name before theirs: Cline, and the SDK of Claude Code. */
const PREFIXES = ['', 'tools__', 'mcp__tools__']

type Call = (typeof TURNS)[number][number]
const underEachName = ({ tool, arguments: given }: Call) =>
  PREFIXES.map((prefix) => ({ tool: `${prefix}${tool}`, arguments: given }))

/** It calls only the tools that it is offered. */
export const LOOP_MODEL: Partial<FakeModel> = {
  turns: [...TURNS.map((turn) => turn.flatMap(underEachName)), [LAST_TURN]],
  reply: 'All of it: {results}',
}

export const LOOP_CALLS = TURNS.flat().map(({ tool, arguments: given }) => ({ name: tool, arguments: given }))

/** What the tools say, each of which must be in the answer: the model repeats what it was given. */
export const LOOP_RESULTS = ['rain for 3 days', 'rain for 1 days', 'noted']

/** What the simulated models make of the schema that every program writes in its client's own way. */
export const REPORT = { city: 'Oslo', days: 1, tags: ['text'], place: { country: 'text', inland: true } }

/** The vectors of `TASK.texts`, as the simulated providers make them. */
export const VECTORS = TASK.texts.map((text) => [0.1, 0.2, text.length / 1000])
