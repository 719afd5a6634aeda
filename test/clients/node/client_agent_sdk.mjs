// @anthropic-ai/claude-agent-sdk: Claude Code as a library.
import { createSdkMcpServer, query, tool } from '@anthropic-ai/claude-agent-sdk'
import { LookUp, Note, REPORT_SCHEMA } from './report.mjs'

const options = ({ origin, token, model, controller }, more) => ({
  ...{ model, tools: [], settingSources: [], persistSession: false, abortController: controller },
  env: {
    ...{ PATH: process.env.PATH, HOME: process.env.HOME, CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1' },
    ...{ ANTHROPIC_BASE_URL: origin, ANTHROPIC_API_KEY: token, CLAUDE_CODE_MAX_RETRIES: '0' },
  },
  ...more,
})

class ResultError extends Error {}

async function asked(cell, prompt, more = {}) {
  for await (const message of query({ prompt, options: options(cell, more) })) {
    if (message.type !== 'result') continue
    if (message.is_error) throw new ResultError(message.result ?? message.errors?.join())
    count(cell, message.usage)
    return message
  }
}

function count(cell, { input_tokens, output_tokens }) {
  cell.usage = [input_tokens, output_tokens]
}

export const plain = async (cell) => (await asked(cell, cell.prompt)).result

export async function* stream(cell) {
  for await (const message of query({
    prompt: cell.prompt,
    options: options(cell, { includePartialMessages: true }),
  })) {
    const { type, event } = message
    if (type === 'stream_event' && event.delta?.type === 'text_delta') yield event.delta.text
    if (type === 'result' && message.is_error) throw new ResultError(message.result ?? message.errors?.join())
    if (type === 'result') count(cell, message.usage)
  }
}

export async function loop(cell) {
  const made = (name, shape) =>
    tool(name, name, shape.shape, async (given) => ({ content: [{ type: 'text', text: cell.run(name, given) }] }))
  const tools = createSdkMcpServer({
    name: 'tools',
    version: '1.0.0',
    tools: [made('look_up', LookUp), made('note', Note)],
  })
  const allowedTools = ['mcp__tools__look_up', 'mcp__tools__note']
  return (await asked(cell, cell.loopPrompt, { mcpServers: { tools }, allowedTools })).result
}

export async function schema(cell) {
  const outputFormat = { type: 'json_schema', schema: REPORT_SCHEMA }
  return (await asked(cell, cell.schemaPrompt, { outputFormat })).structured_output
}

export async function image(cell) {
  const source = { type: 'base64', media_type: 'image/png', data: cell.image }
  const content = [
    { type: 'text', text: cell.imagePrompt },
    { type: 'image', source },
  ]
  async function* said() {
    yield { type: 'user', parent_tool_use_id: null, message: { role: 'user', content } }
  }
  return (await asked(cell, said())).result
}
