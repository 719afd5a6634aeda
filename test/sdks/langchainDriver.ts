/** `@langchain/openai`; its own retries, which no header stops, are off. */

import { type AIMessage, type BaseMessage, HumanMessage, ToolMessage } from '@langchain/core/messages'
import { ChatOpenAI } from '@langchain/openai'
import { type Driver, PIXEL, type Place, PROMPT, parametersOf, resultOf, SCHEMA, TOOLS } from './driver.ts'

const FUNCTIONS = TOOLS.map(({ name, description, field }) => ({
  type: 'function' as const,
  function: { name, description, parameters: parametersOf(field) },
}))

export function langchain({ origin, token }: Place): Driver {
  const chat = (model: string) =>
    new ChatOpenAI({
      model,
      apiKey: token,
      maxRetries: 0,
      configuration: { baseURL: `${origin}/v1` },
      streamUsage: true,
    })
  return {
    name: '@langchain/openai',
    async plain(model, prompt) {
      const answer = await chat(model).invoke(prompt)
      return { text: answer.text, outputTokens: answer.usage_metadata?.output_tokens ?? null }
    },
    async stream(model, signal, onText) {
      let text = ''
      let complete = false
      let outputTokens: number | null = null
      for await (const chunk of await chat(model).stream(PROMPT, signal === undefined ? {} : { signal })) {
        text += chunk.text
        if (chunk.text !== '') onText?.()
        complete ||= chunk.response_metadata['finish_reason'] === 'stop'
        outputTokens = chunk.usage_metadata?.output_tokens ?? outputTokens
      }
      return { text, complete, outputTokens }
    },
    async tools(model) {
      const bound = chat(model).bindTools(FUNCTIONS)
      const messages: BaseMessage[] = [new HumanMessage(PROMPT)]
      const first: AIMessage = await bound.invoke(messages)
      const calls = first.tool_calls ?? []
      messages.push(first)
      for (const { id, name } of calls)
        messages.push(new ToolMessage({ tool_call_id: id ?? '', content: resultOf(name) }))
      const last = await bound.invoke(messages)
      return { calls: calls.map(({ name, args }) => ({ name, arguments: args })), answer: last.text }
    },
    async structured(model) {
      return chat(model)
        .withStructuredOutput({ ...SCHEMA, title: 'report' }, { method: 'jsonSchema' })
        .invoke(PROMPT)
    },
    async image(model) {
      const url = `data:image/png;base64,${PIXEL}`
      const content = [
        { type: 'text', text: 'What colour is it?' },
        { type: 'image_url', image_url: { url } },
      ]
      return (await chat(model).invoke([new HumanMessage({ content })])).text
    },
  }
}
