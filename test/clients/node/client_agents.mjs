import { Agent, OpenAIProvider, Runner, tool } from '@openai/agents'
import { LookUp, Note, Report } from './report.mjs'

function runner({ origin, token, variant }) {
  const modelProvider = new OpenAIProvider({
    apiKey: token,
    baseURL: `${origin}/v1`,
    useResponses: variant === 'responses',
  })
  return new Runner({ modelProvider, tracingDisabled: true })
}

const agent = ({ model }, more) => new Agent({ name: 'Teller', model, ...more })

function count(cell, { rawResponses }) {
  const usage = rawResponses.at(-1)?.usage
  if (usage) cell.usage = [usage.inputTokens, usage.outputTokens]
}

export async function plain(cell) {
  const result = await runner(cell).run(agent(cell), cell.prompt)
  count(cell, result)
  return result.finalOutput
}

export async function* stream(cell) {
  const result = await runner(cell).run(agent(cell), cell.prompt, { stream: true, signal: cell.signal })
  for await (const event of result) {
    if (event.type === 'raw_model_stream_event' && event.data.type === 'output_text_delta') yield event.data.delta
  }
  await result.completed
  count(cell, result)
}

export async function loop(cell) {
  const made = (name, parameters) =>
    tool({ name, description: name, parameters, execute: (given) => cell.run(name, given) })
  const tools = [made('look_up', LookUp), made('note', Note)]
  return (await runner(cell).run(agent(cell, { tools }), cell.loopPrompt)).finalOutput
}

export async function schema(cell) {
  return (await runner(cell).run(agent(cell, { outputType: Report }), cell.schemaPrompt)).finalOutput
}

export async function image(cell) {
  const picture = { type: 'input_image', image: `data:image/png;base64,${cell.image}` }
  const content = [{ type: 'input_text', text: cell.imagePrompt }, picture]
  return (await runner(cell).run(agent(cell), [{ role: 'user', content }])).finalOutput
}
