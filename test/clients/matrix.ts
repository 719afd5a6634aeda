/** The matrix of clients and features as a page of Markdown, and its rows of clients that were not run this time. */

export interface Cell {
  readonly feature: string
  readonly upstream: string
  /** `missing`: the client, or the upstream, offers nothing of the kind. `limit`: a known one of the client. */
  readonly kind: 'ok' | 'missing' | 'limit' | 'failed'
  /** What went wrong, or the reason of the limit. */
  readonly words?: string
}

export interface Row {
  readonly client: string
  readonly version: string
  readonly cells: readonly Cell[]
  /** Of the run: `2026-11-30`. */
  readonly day: string
  /** Why nothing was run. */
  readonly skipped?: string
}

/** One line of the table. */
export function rowText({ client, version, cells, skipped, day }: Row, features: readonly string[]): string {
  const fields = features.map((feature) =>
    skipped === undefined ? cellText(cells.filter((cell) => cell.feature === feature)) : `skipped: ${skipped}`,
  )
  return line([`${client} ${version}`.trim(), ...fields, day])
}

/** What holds for all upstreams is said once. */
export function cellText(cells: readonly Cell[]): string {
  const told = cells.filter(({ kind }) => kind !== 'missing')
  if (told.length === 0) return '–'
  const wrong = told.filter(({ kind }) => kind !== 'ok')
  if (wrong.length === 0) return 'ok'
  const words = [...Map.groupBy(wrong, wordsOf)].map(([said, those]) =>
    those.length === told.length ? said : `${those.map(({ upstream }) => upstream).join(', ')}: ${said}`,
  )
  return [...(wrong.length < told.length ? ['ok'] : []), ...words].join('; ')
}

const wordsOf = ({ kind, words = 'failed' }: Cell) => (kind === 'limit' ? `limit (${words})` : `**${words}**`)

const line = (fields: readonly string[]) => `| ${fields.map(escaped).join(' | ')} |`

const escaped = (text: string) => text.replaceAll(/\s+/g, ' ').replaceAll('|', '\\|').replaceAll('<', '&lt;')

interface Frame {
  readonly features: readonly string[]
  readonly clients: readonly string[]
  /** The page as it was. */
  readonly before: string
  readonly machine: string
}

/** The page with the rows that were run; it keeps those of `before` whose clients were not, in the order of `clients`. */
export function matrixPage(rows: readonly Row[], { features, clients, before, machine }: Frame): string {
  const fresh = new Map(rows.map((row) => [row.client, rowText(row, features)]))
  const kept = keptRows(before, features.length + 1, clients)
  const table = clients.flatMap((client) => fresh.get(client) ?? kept.get(client) ?? [])
  const head = ['client', ...features, 'day']
  const where = `\`npm run test:clients\`, ${machine}\n`
  return [INTRODUCTION, where, line(head), line(head.map(() => '---')), ...table, ''].join('\n')
}

/** The rows of an earlier page by their client; a row of another width is of another table. */
function keptRows(before: string, width: number, clients: readonly string[]): Map<string, string> {
  const lines = before.split('\n').filter((text) => text.split(/(?<!\\)\|/).length === width + 3)
  return new Map(
    lines.flatMap((text): [string, string][] => {
      const first = text.split('|')[1]?.trim() ?? ''
      const client = clients
        .filter((one) => first === one || first.startsWith(`${one} `))
        .sort((a, b) => b.length - a.length)[0]
      return client === undefined ? [] : [[client, text]]
    }),
  )
}

const INTRODUCTION = `# Clients

What real client libraries and programs manage through \`keywise serve\`, in front of four simulated upstreams that
refuse what OpenAI (Chat Completions and Responses), Anthropic and Gemini refuse. \`npm run test:clients\` writes this
page; \`npm run test:clients -- openai aider\` runs some of them again and keeps the other rows.

A cell is \`ok\` when it holds with all four upstreams, \`–\` where the client (or the service behind it) has nothing of
the kind, \`limit\` where the client itself is known to stand in the way, and else what went wrong, in bold.

Programs (Claude Code's SDK, aider, pi, Continue, Cline) run as a process with a home of their own and get the two tools
as a server of MCP or as an extension (aider has no place for tools: its models write edits as text); what they only do on
a screen they have nothing of here.

- **plain**, **stream**: the whole text arrives, and streams in pieces.
- **tool loop**: three turns, two calls at once in the second; every argument and every result arrives as it was written.
- **schema**: an object with a nested one, parsed by the client. **image**: its bytes reach the model.
- **embeddings**: two texts, from the upstreams that have such models.
- **errors**: a limit, a refused request and a wrong token raise the client's own classes.
- **cut**: a stream that breaks in the middle raises. **abort**: leaving a stream ends the call upstream.
- **models**: the list has the model. **usage**: the tokens are those that the upstream counted, plain and streamed.
`
