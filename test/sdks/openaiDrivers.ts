/** The official `openai` client, and `groq-sdk`, which is made after it. */

import Groq from 'groq-sdk'
import OpenAI from 'openai'
import type { ChatCompletionMessageParam } from 'openai/resources/chat/completions'
import type { ResponseInput } from 'openai/resources/responses/responses'
import { type Driver, PIXEL, type Place, PROMPT, parametersOf, resultOf, SCHEMA, TOOLS } from './driver.ts'

export const openaiClient = ({ origin, token }: Place) => new OpenAI({ baseURL: `${origin}/v1`, apiKey: token })
export const groqClient = ({ origin, token }: Place) => new Groq({ baseURL: origin, apiKey: token })

const FUNCTIONS = TOOLS.map(({ name, description, field }) => ({
  type: 'function' as const,
  function: { name, description, parameters: parametersOf(field) },
}))

export function openaiChat(place: Place): Driver {
  return chatDriver('openai chat', openaiClient(place))
}

export function groq(place: Place): Driver {
  // The two clients are generated from the same description; what is used here is the same in both.
  return chatDriver('groq-sdk', groqClient(place) as unknown as OpenAI)
}

function chatDriver(name: string, client: OpenAI): Driver {
  return {
    name,
    async plain(model, prompt) {
      const answer = await client.chat.completions.create({ model, messages: [{ role: 'user', content: prompt }] })
      return {
        text: answer.choices[0]?.message.content ?? '',
        outputTokens: answer.usage?.completion_tokens ?? null,
      }
    },
    async stream(model, signal, onText) {
      const stream = await client.chat.completions.create(
        { model, messages: [{ role: 'user', content: PROMPT }], stream: true, stream_options: { include_usage: true } },
        { signal: signal ?? null },
      )
      let text = ''
      let complete = false
      let outputTokens: number | null = null
      for await (const chunk of stream) {
        const choice = chunk.choices[0]
        text += choice?.delta.content ?? ''
        if (choice?.delta.content) onText?.()
        complete ||= choice?.finish_reason === 'stop'
        outputTokens = chunk.usage?.completion_tokens ?? outputTokens
      }
      return { text, complete, outputTokens }
    },
    async tools(model) {
      const messages: ChatCompletionMessageParam[] = [{ role: 'user', content: PROMPT }]
      const first = await client.chat.completions.create({ model, messages, tools: FUNCTIONS })
      const message = first.choices[0]!.message
      const calls = (message.tool_calls ?? []).filter((call) => call.type === 'function')
      messages.push(message)
      for (const call of calls)
        messages.push({ role: 'tool', tool_call_id: call.id, content: resultOf(call.function.name) })
      const last = await client.chat.completions.create({ model, messages, tools: FUNCTIONS })
      return {
        calls: calls.map((call) => ({ name: call.function.name, arguments: JSON.parse(call.function.arguments) })),
        answer: last.choices[0]?.message.content ?? '',
      }
    },
    async streamedTools(model) {
      const stream = await client.chat.completions.create({
        model,
        messages: [{ role: 'user', content: PROMPT }],
        tools: FUNCTIONS,
        stream: true,
      })
      const calls: { name: string; text: string }[] = []
      for await (const chunk of stream) {
        for (const delta of chunk.choices[0]?.delta.tool_calls ?? []) {
          const call = calls[delta.index] ?? { name: '', text: '' }
          calls[delta.index] = call
          call.name += delta.function?.name ?? ''
          call.text += delta.function?.arguments ?? ''
        }
      }
      return calls.map((call) => ({ name: call.name, arguments: JSON.parse(call.text) }))
    },
    async reasoning(model) {
      const answer = await client.chat.completions.create({ model, messages: [{ role: 'user', content: PROMPT }] })
      const message: { reasoning_content?: string } = answer.choices[0]!.message as object
      return message.reasoning_content ?? ''
    },
    async structured(model) {
      const answer = await client.chat.completions.create({
        model,
        messages: [{ role: 'user', content: PROMPT }],
        response_format: { type: 'json_schema', json_schema: { name: 'report', schema: SCHEMA, strict: true } },
      })
      return JSON.parse(answer.choices[0]?.message.content ?? '')
    },
    async image(model) {
      const url = `data:image/png;base64,${PIXEL}`
      const content = [
        { type: 'text' as const, text: 'What colour is it?' },
        { type: 'image_url' as const, image_url: { url } },
      ]
      const answer = await client.chat.completions.create({ model, messages: [{ role: 'user', content }] })
      return answer.choices[0]?.message.content ?? ''
    },
  }
}

const RESPONSE_TOOLS = TOOLS.map(({ name, description, field }) => ({
  type: 'function' as const,
  name,
  description,
  parameters: parametersOf(field),
  strict: false,
}))

export function openaiResponses(place: Place): Driver {
  const client = openaiClient(place)
  return {
    name: 'openai responses',
    async plain(model, prompt) {
      const answer = await client.responses.create({ model, input: prompt })
      return { text: answer.output_text, outputTokens: answer.usage?.output_tokens ?? null }
    },
    async stream(model, signal, onText) {
      const stream = await client.responses.create({ model, input: PROMPT, stream: true }, { signal: signal ?? null })
      let text = ''
      let complete = false
      let outputTokens: number | null = null
      for await (const event of stream) {
        if (event.type === 'response.output_text.delta') {
          text += event.delta
          onText?.()
        }
        if (event.type !== 'response.completed') continue
        complete = true
        outputTokens = event.response.usage?.output_tokens ?? null
      }
      return { text, complete, outputTokens }
    },
    async tools(model) {
      const input: ResponseInput = [{ role: 'user', content: PROMPT }]
      const first = await client.responses.create({ model, input, tools: RESPONSE_TOOLS })
      const calls = first.output.filter((item) => item.type === 'function_call')
      input.push(...(first.output as ResponseInput)) // an answer's items are what the next request takes
      for (const call of calls)
        input.push({ type: 'function_call_output', call_id: call.call_id, output: resultOf(call.name) })
      const last = await client.responses.create({ model, input, tools: RESPONSE_TOOLS })
      return {
        calls: calls.map((call) => ({ name: call.name, arguments: JSON.parse(call.arguments) })),
        answer: last.output_text,
      }
    },
    async streamedTools(model) {
      const stream = await client.responses.create({ model, input: PROMPT, tools: RESPONSE_TOOLS, stream: true })
      const calls = []
      for await (const event of stream)
        if (event.type === 'response.output_item.done' && event.item.type === 'function_call') calls.push(event.item)
      return calls.map((call) => ({ name: call.name, arguments: JSON.parse(call.arguments) }))
    },
    async reasoning(model) {
      const answer = await client.responses.create({ model, input: PROMPT, reasoning: { summary: 'auto' } })
      return answer.output
        .flatMap((item) => (item.type === 'reasoning' ? item.summary : []))
        .map((part) => part.text)
        .join('')
    },
    async structured(model) {
      const answer = await client.responses.create({
        model,
        input: PROMPT,
        text: { format: { type: 'json_schema', name: 'report', schema: SCHEMA, strict: true } },
      })
      return JSON.parse(answer.output_text)
    },
    async image(model) {
      const image_url = `data:image/png;base64,${PIXEL}`
      const content = [
        { type: 'input_text' as const, text: 'What colour is it?' },
        { type: 'input_image' as const, image_url, detail: 'auto' as const },
      ]
      return (await client.responses.create({ model, input: [{ role: 'user', content }] })).output_text
    },
  }
}
