/** The official `@anthropic-ai/sdk`. */

import Anthropic from '@anthropic-ai/sdk'
import type { MessageParam } from '@anthropic-ai/sdk/resources/messages'
import { type Driver, PIXEL, type Place, PROMPT, parametersOf, resultOf, SCHEMA, TOOLS } from './driver.ts'

export const anthropicClient = ({ origin, token }: Place) => new Anthropic({ baseURL: origin, apiKey: token })

const FUNCTIONS = TOOLS.map(({ name, description, field }) => ({
  name,
  description,
  input_schema: parametersOf(field),
}))
const MOST = { max_tokens: 1000 }

export function anthropicMessages(place: Place): Driver {
  const client = anthropicClient(place)
  const user = (content: MessageParam['content']): MessageParam[] => [{ role: 'user', content }]
  return {
    name: '@anthropic-ai/sdk',
    async plain(model, prompt) {
      const answer = await client.messages.create({ model, ...MOST, messages: user(prompt) })
      return { text: textOf(answer), outputTokens: answer.usage.output_tokens }
    },
    async stream(model, signal, onText) {
      const stream = client.messages.stream({ model, ...MOST, messages: user(PROMPT) }, { signal: signal ?? null })
      if (onText !== undefined) stream.on('text', onText)
      const answer = await stream.finalMessage()
      return {
        text: textOf(answer),
        complete: answer.stop_reason === 'end_turn',
        outputTokens: answer.usage.output_tokens,
      }
    },
    async tools(model) {
      const messages = user(PROMPT)
      const first = await client.messages.create({ model, ...MOST, messages, tools: FUNCTIONS })
      const calls = first.content.filter((block) => block.type === 'tool_use')
      messages.push({ role: 'assistant', content: first.content })
      messages.push({
        role: 'user',
        content: calls.map((call) => ({ type: 'tool_result', tool_use_id: call.id, content: resultOf(call.name) })),
      })
      const last = await client.messages.create({ model, ...MOST, messages, tools: FUNCTIONS })
      return { calls: calls.map(({ name, input }) => ({ name, arguments: input })), answer: textOf(last) }
    },
    async streamedTools(model) {
      const stream = client.messages.stream({ model, ...MOST, messages: user(PROMPT), tools: FUNCTIONS })
      const answer = await stream.finalMessage()
      return answer.content.flatMap((block) =>
        block.type === 'tool_use' ? [{ name: block.name, arguments: block.input }] : [],
      )
    },
    async reasoning(model) {
      const thinking = { type: 'enabled', budget_tokens: 1024 } as const
      const answer = await client.messages.create({ model, max_tokens: 4000, thinking, messages: user(PROMPT) })
      return answer.content.map((block) => (block.type === 'thinking' ? block.thinking : '')).join('')
    },
    async structured(model) {
      const output_config = { format: { type: 'json_schema' as const, schema: SCHEMA } }
      const answer = await client.messages.create({ model, ...MOST, messages: user(PROMPT), output_config })
      return JSON.parse(textOf(answer))
    },
    async image(model) {
      const source = { type: 'base64' as const, media_type: 'image/png' as const, data: PIXEL }
      const content = [
        { type: 'image' as const, source },
        { type: 'text' as const, text: 'What colour is it?' },
      ]
      return textOf(await client.messages.create({ model, ...MOST, messages: user(content) }))
    },
  }
}

function textOf(message: Anthropic.Message): string {
  return message.content.map((block) => (block.type === 'text' ? block.text : '')).join('')
}
