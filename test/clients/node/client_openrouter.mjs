import { OpenRouter } from '@openrouter/sdk'
import { REPORT_SCHEMA, TOOLS } from './report.mjs'

const open = ({ origin, token }) => new OpenRouter({ serverURL: `${origin}/v1`, apiKey: token })
const user = (content) => [{ role: 'user', content }]

function ask(cell, messages, more, options) {
  return open(cell).chat.send({ chatRequest: { model: cell.model, messages, ...more } }, options)
}

function count(cell, usage) {
  if (usage) cell.usage = [usage.promptTokens, usage.completionTokens]
}

export async function plain(cell) {
  const { choices, usage } = await ask(cell, user(cell.prompt))
  count(cell, usage)
  return choices[0].message.content
}

export async function* stream(cell) {
  for await (const chunk of await ask(
    cell,
    user(cell.prompt),
    { stream: true },
    { fetchOptions: { signal: cell.signal } },
  )) {
    // The client hands an error inside a stream on as a field:
    // https://openrouter.ai/docs/api/reference/streaming
    if (chunk.error) throw Object.assign(new Error(chunk.error.message), { name: 'ChatStreamChunkError' })
    count(cell, chunk.usage)
    yield chunk.choices[0]?.delta.content
  }
}

export async function loop(cell) {
  const tools = TOOLS.map((tool) => ({ type: 'function', function: tool }))
  const messages = user(cell.loopPrompt)
  for (;;) {
    const { message } = (await ask(cell, messages, { tools })).choices[0]
    if ((message.toolCalls ?? []).length === 0) return message.content
    messages.push(message)
    for (const { id, function: called } of message.toolCalls)
      messages.push({ role: 'tool', toolCallId: id, content: cell.run(called.name, called.arguments) })
  }
}

export async function schema(cell) {
  const jsonSchema = { name: 'report', strict: true, schema: REPORT_SCHEMA }
  const answer = await ask(cell, user(cell.schemaPrompt), { responseFormat: { type: 'json_schema', jsonSchema } })
  return JSON.parse(answer.choices[0].message.content)
}

export async function image(cell) {
  const picture = { type: 'image_url', imageUrl: { url: `data:image/png;base64,${cell.image}` } }
  const answer = await ask(cell, user([{ type: 'text', text: cell.imagePrompt }, picture]))
  return answer.choices[0].message.content
}

export async function embed(cell) {
  const { data } = await open(cell).embeddings.generate({ requestBody: { model: cell.model, input: cell.texts } })
  return data.map(({ embedding }) => embedding)
}

export async function models(cell) {
  const ids = []
  for await (const page of await open(cell).models.list()) for (const { id } of page.result.data) ids.push(id)
  return ids
}
