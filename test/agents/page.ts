/** What the agents managed, for `docs/numbers.md`: a row for a trial, a column for an agent, each cell with its day. */

export interface Result {
  readonly agent: string
  readonly trial: string
  readonly passed: boolean
  /** Calls that the services answered. */
  readonly answered: number
  /** Different refusals of the services. */
  readonly refused: number
  readonly unasked: readonly string[]
  /** `2026-11-30`. */
  readonly date: string
}

interface Frame {
  readonly agents: readonly { readonly name: string; readonly version: string }[]
  /** In the order of their rows; results of other trials are dropped. */
  readonly trials: readonly string[]
  readonly machine: string
}

/** The earlier results, with those of now in the place of the same agent's and trial's. */
export function withResults(before: readonly Result[], now: readonly Result[]): readonly Result[] {
  const byPlace = new Map([...before, ...now].map((result) => [`${result.agent} ${result.trial}`, result]))
  return [...byPlace.values()]
}

const [BEGIN, END] = ['<!-- agents -->', '<!-- /agents -->']

/** The page with its section of the agents written anew; at its end where it had none. */
export function withAgents(page: string, results: readonly Result[], frame: Frame): string {
  const text = `${BEGIN}\n${section(results, frame)}\n${END}`
  const [from, to] = [page.indexOf(BEGIN), page.indexOf(END)]
  if (from >= 0 && to > from) return page.slice(0, from) + text + page.slice(to + END.length)
  return `${page.trimEnd()}\n\n${text}\n`
}

function section(results: readonly Result[], { agents, trials, machine }: Frame): string {
  const last =
    results
      .map(({ date }) => date)
      .sort()
      .at(-1) ?? ''
  const cellOf = (trial: string, agent: string) => {
    const result = results.find((one) => one.trial === trial && one.agent === agent)
    return result === undefined ? '' : cell(result, last)
  }
  const rows = trials.map((trial) => [trial, ...agents.map(({ name }) => cellOf(trial, name))])
  return [
    '## Coding agents on strict services',
    '',
    `\`npm run test:agents\`, ${last}, ${machine}`,
    '',
    INTRODUCTION,
    line(['services', ...agents.map(({ name, version }) => `${name} ${version}`)]),
    line(['---', ...agents.map(() => '---')]),
    ...rows.filter(([, ...cells]) => cells.some(Boolean)).map(line),
  ].join('\n')
}

function cell({ passed, answered, refused, unasked, date }: Result, last: string): string {
  const told = [
    passed ? `done, ${answered}` : `**failed**, ${answered}`,
    ...(refused > 0 ? [`${refused} refused`] : []),
    ...unasked.map((model) => `without ${model}`),
    ...(date === last ? [] : [date]),
  ]
  const [first = '', ...rest] = told
  return rest.length === 0 ? first : `${first} (${rest.join('; ')})`
}

const line = (fields: readonly string[]) => `| ${fields.join(' | ')} |`

const INTRODUCTION = `Coding agents of npm read a file and change it. The services are simulated and refuse what the real ones refuse
([how](tour.md#what-they-refuse)); their models sign their thoughts, and take back no thought of another. A cell says
what became of it, how many calls were answered, and how many different refusals the services gave; what was refused and
mended ends as done. A cell of another day than the section's says its own.

- *resumed*: three turns, each a process of its own that goes on with the conversation.
- *moved*: the same with another service in each turn: the history was made elsewhere.
- *window of 32k*: ten such turns, with more to read than the model's window holds, so that the agent has to shorten the
  conversation by itself. Claude Code does it when it is told that the prompt is too long; codex has to be told the
  window (\`model_context_window\`), and gemini-cli, which takes every model for one of a million tokens, at which part
  of them to begin (\`model.compressionThreshold\`).
- *alias*: the agent asks for its usual model, and a service of its own language has another generation.
`
