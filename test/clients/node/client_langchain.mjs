import { ChatAnthropic } from '@langchain/anthropic'
import { HumanMessage, ToolMessage } from '@langchain/core/messages'
import { tool } from '@langchain/core/tools'
import { ChatGoogleGenerativeAI, GoogleGenerativeAIEmbeddings } from '@langchain/google-genai'
import { ChatOpenAI, OpenAIEmbeddings } from '@langchain/openai'
import { LookUp, Note, Report } from './report.mjs'

// Its own six attempts take minutes.
const maxRetries = 0
const CHATS = {
  openai: ({ origin, token, model }) =>
    new ChatOpenAI({ model, apiKey: token, maxRetries, configuration: { baseURL: `${origin}/v1` } }),
  anthropic: ({ origin, token, model }) =>
    new ChatAnthropic({ model, apiKey: token, maxRetries, anthropicApiUrl: origin }),
  google: ({ origin, token, model }) =>
    new ChatGoogleGenerativeAI({ model, apiKey: token, maxRetries, baseUrl: origin }),
}

const chat = (cell) => CHATS[cell.variant](cell)

function count(cell, answer) {
  const usage = answer?.usage_metadata
  if (usage) cell.usage = [usage.input_tokens, usage.output_tokens]
}

export async function plain(cell) {
  const answer = await chat(cell).invoke(cell.prompt)
  count(cell, answer)
  return answer.text
}

export async function* stream(cell) {
  let whole
  for await (const chunk of await chat(cell).stream(cell.prompt, { signal: cell.signal })) {
    whole = whole === undefined ? chunk : whole.concat(chunk)
    yield chunk.text
  }
  count(cell, whole)
}

export async function loop(cell) {
  const made = (name, schema) => tool((given) => cell.run(name, given), { name, description: name, schema })
  const speaker = chat(cell).bindTools([made('look_up', LookUp), made('note', Note)])
  const messages = [new HumanMessage(cell.loopPrompt)]
  for (;;) {
    const answer = await speaker.invoke(messages)
    messages.push(answer)
    if ((answer.tool_calls ?? []).length === 0) return answer.text
    for (const { id, name, args } of answer.tool_calls)
      messages.push(new ToolMessage({ content: cell.run(name, args), tool_call_id: id, name }))
  }
}

export const schema = (cell) => chat(cell).withStructuredOutput(Report).invoke(cell.schemaPrompt)

export async function image(cell) {
  const picture = { type: 'image_url', image_url: { url: `data:image/png;base64,${cell.image}` } }
  const content = [{ type: 'text', text: cell.imagePrompt }, picture]
  return (await chat(cell).invoke([new HumanMessage({ content })])).text
}

export function embed({ variant, origin, token, model, texts }) {
  const maker =
    variant === 'google'
      ? new GoogleGenerativeAIEmbeddings({ model, apiKey: token, baseUrl: origin })
      : new OpenAIEmbeddings({ model, apiKey: token, configuration: { baseURL: `${origin}/v1` } })
  return maker.embedDocuments(texts)
}
