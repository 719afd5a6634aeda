import OpenAI from 'openai'
import { zodTextFormat } from 'openai/helpers/zod'
import { Report, TOOLS } from './report.mjs'

const open = ({ origin, token }) => new OpenAI({ baseURL: `${origin}/v1`, apiKey: token })
const ask = (cell, input, more) => open(cell).responses.create({ model: cell.model, input, ...more })

export async function plain(cell) {
  const { output_text, usage } = await ask(cell, cell.prompt)
  cell.usage = [usage.input_tokens, usage.output_tokens]
  return output_text
}

export async function* stream(cell) {
  const body = { model: cell.model, input: cell.prompt, stream: true }
  for await (const event of await open(cell).responses.create(body, { signal: cell.signal })) {
    if (event.type === 'response.output_text.delta') yield event.delta
    if (event.type !== 'response.completed') continue
    const { usage } = event.response
    cell.usage = [usage.input_tokens, usage.output_tokens]
  }
}

export async function loop(cell) {
  const tools = TOOLS.map((tool) => ({ type: 'function', strict: false, ...tool }))
  const talk = [{ role: 'user', content: cell.loopPrompt }]
  for (;;) {
    const { output, output_text } = await ask(cell, talk, { tools, store: false })
    talk.push(...output)
    const calls = output.filter(({ type }) => type === 'function_call')
    if (calls.length === 0) return output_text
    for (const { call_id, name, arguments: given } of calls)
      talk.push({ type: 'function_call_output', call_id, output: cell.run(name, given) })
  }
}

export async function schema(cell) {
  const body = { model: cell.model, input: cell.schemaPrompt, text: { format: zodTextFormat(Report, 'report') } }
  return (await open(cell).responses.parse(body)).output_parsed
}

export async function image(cell) {
  const picture = { type: 'input_image', detail: 'auto', image_url: `data:image/png;base64,${cell.image}` }
  const content = [{ type: 'input_text', text: cell.imagePrompt }, picture]
  return (await ask(cell, [{ role: 'user', content }])).output_text
}
