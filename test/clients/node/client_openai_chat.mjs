import OpenAI from 'openai'
import { zodResponseFormat } from 'openai/helpers/zod'
import { Report, TOOLS } from './report.mjs'

const open = ({ origin, token }) => new OpenAI({ baseURL: `${origin}/v1`, apiKey: token })
const user = (content) => [{ role: 'user', content }]
const ask = (cell, messages, more) => open(cell).chat.completions.create({ model: cell.model, messages, ...more })

export async function plain(cell) {
  const { choices, usage } = await ask(cell, user(cell.prompt))
  cell.usage = [usage.prompt_tokens, usage.completion_tokens]
  return choices[0].message.content
}

export async function* stream(cell) {
  const body = { model: cell.model, messages: user(cell.prompt), stream: true, stream_options: { include_usage: true } }
  for await (const { choices, usage } of await open(cell).chat.completions.create(body, { signal: cell.signal })) {
    if (usage) cell.usage = [usage.prompt_tokens, usage.completion_tokens]
    yield choices[0]?.delta.content
  }
}

/** The client's own runner. */
export async function loop(cell) {
  const tools = TOOLS.map(({ name, ...tool }) => ({
    type: 'function',
    function: { name, ...tool, parse: JSON.parse, function: (given) => cell.run(name, given) },
  }))
  const runner = open(cell).chat.completions.runTools({ model: cell.model, messages: user(cell.loopPrompt), tools })
  return runner.finalContent()
}

export async function schema(cell) {
  const body = {
    model: cell.model,
    messages: user(cell.schemaPrompt),
    response_format: zodResponseFormat(Report, 'report'),
  }
  return (await open(cell).chat.completions.parse(body)).choices[0].message.parsed
}

export async function image(cell) {
  const picture = { type: 'image_url', image_url: { url: `data:image/png;base64,${cell.image}` } }
  const { choices } = await ask(cell, user([{ type: 'text', text: cell.imagePrompt }, picture]))
  return choices[0].message.content
}

export async function embed(cell) {
  const { data } = await open(cell).embeddings.create({ model: cell.model, input: cell.texts })
  return data.map(({ embedding }) => embedding)
}

export async function models(cell) {
  const ids = []
  for await (const { id } of open(cell).models.list()) ids.push(id)
  return ids
}
