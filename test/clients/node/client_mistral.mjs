import { Mistral } from '@mistralai/mistralai'
import { Report, TOOLS } from './report.mjs'

const open = ({ origin, token }) => new Mistral({ serverURL: origin, apiKey: token })
const user = (content) => [{ role: 'user', content }]

function count(cell, usage) {
  if (usage) cell.usage = [usage.promptTokens, usage.completionTokens]
}

export async function plain(cell) {
  const { choices, usage } = await open(cell).chat.complete({ model: cell.model, messages: user(cell.prompt) })
  count(cell, usage)
  return choices[0].message.content
}

export async function* stream(cell) {
  const asked = { model: cell.model, messages: user(cell.prompt) }
  for await (const { data } of await open(cell).chat.stream(asked, { fetchOptions: { signal: cell.signal } })) {
    count(cell, data.usage)
    yield data.choices[0]?.delta.content
  }
}

export async function loop(cell) {
  const tools = TOOLS.map((tool) => ({ type: 'function', function: tool }))
  const messages = user(cell.loopPrompt)
  for (;;) {
    const { choices } = await open(cell).chat.complete({ model: cell.model, messages, tools })
    const { message } = choices[0]
    if ((message.toolCalls ?? []).length === 0) return message.content
    messages.push({ ...message, role: 'assistant' })
    for (const { id, function: called } of message.toolCalls) {
      const content = cell.run(called.name, called.arguments)
      messages.push({ role: 'tool', toolCallId: id, name: called.name, content })
    }
  }
}

export async function schema(cell) {
  const asked = { model: cell.model, messages: user(cell.schemaPrompt), responseFormat: Report }
  return (await open(cell).chat.parse(asked)).choices[0].message.parsed
}

export async function image(cell) {
  const picture = { type: 'image_url', imageUrl: `data:image/png;base64,${cell.image}` }
  const messages = user([{ type: 'text', text: cell.imagePrompt }, picture])
  return (await open(cell).chat.complete({ model: cell.model, messages })).choices[0].message.content
}

export async function embed(cell) {
  const { data } = await open(cell).embeddings.create({ model: cell.model, inputs: cell.texts })
  return data.map(({ embedding }) => embedding)
}

export async function models(cell) {
  return (await open(cell).models.list()).data.map(({ id }) => id)
}
