/** docs/numbers.md: one section per benchmark between markers; whatever a person wrote around them stays. */

export interface NumberSection {
  readonly name: string
  /** Default: `npm run bench -- <name>`. */
  readonly command?: string
  readonly title: string
  readonly lines: readonly string[]
  readonly machine: string
  /** `2026-11-23`. */
  readonly date: string
  /** Stands before all others, wherever it stood. */
  readonly isFirst?: boolean
}

const HEAD = `# Numbers

What was measured, with the command, the machine and the day. Noise only adds, so the least is the steady figure.
`

/** The page with this section put in place of its last version, or added at the end. */
export function withSection(page: string, section: NumberSection): string {
  const [begin, end] = [`<!-- bench:${section.name} -->`, `<!-- /bench:${section.name} -->`]
  const text = `${begin}\n${body(section)}\n${end}`
  if (section.isFirst) return placedFirst(without(page, begin, end), text)
  const from = page.indexOf(begin)
  const to = page.indexOf(end, from)
  if (from >= 0 && to >= 0) return page.slice(0, from) + text + page.slice(to + end.length)
  return `${(page || HEAD).trimEnd()}\n\n${text}\n`
}

function without(page: string, begin: string, end: string): string {
  const from = page.indexOf(begin)
  const to = page.indexOf(end, from)
  return from >= 0 && to >= 0 ? page.slice(0, from) + page.slice(to + end.length).trimStart() : page
}

function placedFirst(page: string, text: string): string {
  const start = page.indexOf('<!-- bench:')
  const [head, rest] = start < 0 ? [page || HEAD, ''] : [page.slice(0, start), page.slice(start)]
  return `${head.trimEnd()}\n\n${text}\n${rest === '' ? '' : `\n${rest}`}`
}

function body({ name, command = `npm run bench -- ${name}`, title, lines, machine, date }: NumberSection): string {
  return [`## ${title}`, '', `\`${command}\`, ${date}, ${machine}`, '', ...lines.map((one) => `- ${one}`)].join('\n')
}
