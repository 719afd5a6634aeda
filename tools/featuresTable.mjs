// The table of docs/gateway.md that shows what becomes of a request between dialects, from the code's own.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { FEATURES } from '../src/dialects/features/table.ts'

const BEGIN = '<!-- features -->'
const END = '<!-- /features -->'
const NAMES = {
  openai: 'Chat Completions',
  'openai-responses': 'Responses',
  anthropic: 'Anthropic',
  google: 'Gemini',
}

/** docs/gateway.md with its table written anew. */
export function gatewayPage(root) {
  const text = readFileSync(join(root, 'docs/gateway.md'), 'utf8')
  const before = text.slice(0, text.indexOf(BEGIN) + BEGIN.length)
  return `${before}\n${table()}\n${text.slice(text.indexOf(END))}`
}

function table() {
  const upstreams = Object.keys(NAMES)
  const rows = Object.values(FEATURES).map(
    ({ title, upstreams: cells }) => `| ${title} | ${upstreams.map((dialect) => cells[dialect]).join(' | ')} |`,
  )
  const head = `| a request with | to ${Object.values(NAMES).join(' | ')} |`
  return [head, '|---|---|---|---|---|', ...rows].join('\n')
}
