// Continue's command line (@continuedev/cli); it has tools of an MCP server.
import { callsIn, mcpServer, run, withHome } from './programs.mjs'

function asked(cell, prompt, more = []) {
  const { variant: provider, origin, token, model } = cell
  const chat = { name: 'm', provider, model, apiBase: `${origin}/v1`, apiKey: token, roles: ['chat'] }
  return withHome({}, async (place) => {
    const models = [{ ...chat, capabilities: ['tool_use'] }]
    const servers = more.length > 0 ? { mcpServers: [{ name: 'tools', ...mcpServer(place) }] } : {}
    // JSON is YAML.
    place.write('config.yaml', { name: 'keywise', version: '1.0.0', schema: 'v1', models, ...servers })
    const args = ['--config', `${place.home}/config.yaml`, ...more, '-p', prompt]
    const output = await run(place, 'cn', args, { CONTINUE_TELEMETRY_ENABLED: '0' })
    cell.calls.push(...callsIn(place))
    return output.trim()
  })
}

export const plain = (cell) => asked(cell, cell.prompt)

export const loop = (cell) => asked(cell, cell.loopPrompt, ['--auto'])
