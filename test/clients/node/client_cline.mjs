// Cline's command line; it has tools of an MCP server, and tells what it used.
import { callsIn, mcpServer, run, withHome } from './programs.mjs'

function asked(cell, prompt, hasTools = false) {
  const { origin, token, model } = cell
  return withHome({}, async (place) => {
    if (hasTools) {
      const { command, args } = mcpServer(place)
      await run(place, 'cline', ['mcp', 'add', 'tools', '--yes', '--', command, ...args])
    }
    await run(place, 'cline', ['auth', PROVIDER, '-k', token, '-m', model, '-b', `${origin}/v1`])
    const output = await run(place, 'cline', ['-P', PROVIDER, '--json', '--retries', '1', prompt])
    cell.calls.push(...callsIn(place))
    const lines = output.split('\n').filter((line) => line.startsWith('{'))
    const { text, usage } = lines.map((line) => JSON.parse(line)).find(({ type }) => type === 'run_result') ?? {}
    if (usage) cell.usage = [usage.inputTokens, usage.outputTokens]
    return text
  })
}

const PROVIDER = 'openai-compatible'

export const plain = (cell) => asked(cell, cell.prompt)

export const loop = (cell) => asked(cell, cell.loopPrompt, true)
