import Anthropic from '@anthropic-ai/sdk'
import { betaZodTool } from '@anthropic-ai/sdk/helpers/beta/zod'
import { zodOutputFormat } from '@anthropic-ai/sdk/helpers/zod'
import { LookUp, Note, Report } from './report.mjs'

const open = ({ origin, token }) => new Anthropic({ baseURL: origin, apiKey: token })
const body = ({ model }, content) => ({ model, max_tokens: 1000, messages: [{ role: 'user', content }] })

export async function plain(cell) {
  const { content, usage } = await open(cell).messages.create(body(cell, cell.prompt))
  cell.usage = [usage.input_tokens, usage.output_tokens]
  return content[0].text
}

export async function* stream(cell) {
  const events = open(cell).messages.stream(body(cell, cell.prompt), { signal: cell.signal })
  for await (const event of events) {
    if (event.type === 'content_block_delta' && event.delta.type === 'text_delta') yield event.delta.text
  }
  const { usage } = await events.finalMessage()
  cell.usage = [usage.input_tokens, usage.output_tokens]
}

/** The official runner, in the way it goes by default: with threads that the server holds. */
export async function loop(cell) {
  const tool = (name, inputSchema) =>
    betaZodTool({ name, description: name, inputSchema, run: (given) => cell.run(name, given) })
  const tools = [tool('look_up', LookUp), tool('note', Note)]
  return (await open(cell).beta.messages.toolRunner({ ...body(cell, cell.loopPrompt), tools })).content[0].text
}

export async function schema(cell) {
  const asked = { ...body(cell, cell.schemaPrompt), output_config: { format: zodOutputFormat(Report) } }
  return (await open(cell).messages.parse(asked)).parsed_output
}

export async function image(cell) {
  const source = { type: 'base64', media_type: 'image/png', data: cell.image }
  const content = [
    { type: 'image', source },
    { type: 'text', text: cell.imagePrompt },
  ]
  return (await open(cell).messages.create(body(cell, content))).content[0].text
}

export async function models(cell) {
  const ids = []
  for await (const { id } of open(cell).models.list()) ids.push(id)
  return ids
}
