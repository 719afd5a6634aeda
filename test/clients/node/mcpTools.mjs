// The two tools as an MCP server (https://modelcontextprotocol.io/specification/2025-06-18/server/tools): a message a
// line. Every call is added to the file that is named on the command line.
import { appendFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { RUN, TOOLS } from './report.mjs'

const [file = ''] = process.argv.slice(2)
const ANSWERS = {
  initialize: ({ protocolVersion }) => ({
    protocolVersion,
    capabilities: { tools: {} },
    serverInfo: { name: 'tools', version: '1.0.0' },
  }),
  ping: () => ({}),
  'tools/list': () => ({ tools: TOOLS.map(({ parameters, ...tool }) => ({ ...tool, inputSchema: parameters })) }),
  'tools/call': ({ name, arguments: given }) => {
    appendFileSync(file, `${JSON.stringify({ name, arguments: given })}\n`)
    return { content: [{ type: 'text', text: RUN[name](given) }] }
  },
}
for await (const line of createInterface({ input: process.stdin })) {
  const { id, method, params } = JSON.parse(line)
  if (id === undefined) continue
  const answer = ANSWERS[method]
  const said = answer ? { result: answer(params) } : { error: { code: -32601, message: `no ${method}` } }
  process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', id, ...said })}\n`)
}
