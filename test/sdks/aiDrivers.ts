/**
 * The `ai` package with its OpenAI (Responses and chat), Anthropic and Google providers. It retries for seconds on any
 * 429 and 5xx, whatever the headers say, so its retries are off here.
 */

import { createAnthropic } from '@ai-sdk/anthropic'
import { createGoogle } from '@ai-sdk/google'
import { createOpenAI } from '@ai-sdk/openai'
import { generateText, isStepCount, jsonSchema, type LanguageModel, Output, streamText, tool } from 'ai'
import { type Driver, PIXEL, type Place, PROMPT, parametersOf, resultOf, SCHEMA, TOOLS } from './driver.ts'

export function aiDrivers({ origin, token: apiKey }: Place): readonly Driver[] {
  const openai = createOpenAI({ baseURL: `${origin}/v1`, apiKey })
  const anthropic = createAnthropic({ baseURL: `${origin}/v1`, apiKey })
  const google = createGoogle({ baseURL: `${origin}/v1beta`, apiKey })
  return [
    aiDriver('ai responses', (model) => openai(model)),
    // This one does not read what an OpenAI-like upstream thought.
    { ...aiDriver('ai chat', (model) => openai.chat(model)), reasoning: undefined },
    aiDriver('ai anthropic', (model) => anthropic(model)),
    aiDriver('ai google', (model) => google(model)),
  ]
}

// It warns of every model that its providers do not know by name.
Object.assign(globalThis, { AI_SDK_LOG_WARNINGS: false })

const toolsOf = () =>
  Object.fromEntries(
    TOOLS.map(({ name, description, field }) => [
      name,
      tool({ description, inputSchema: jsonSchema(parametersOf(field)), execute: async () => resultOf(name) }),
    ]),
  )

function aiDriver(name: string, modelOf: (id: string) => LanguageModel): Driver {
  return {
    name,
    async plain(id, prompt) {
      const { text, usage } = await generateText({ model: modelOf(id), maxRetries: 0, prompt })
      return { text, outputTokens: usage.outputTokens ?? null }
    },
    async stream(id, abortSignal, onText) {
      let failed: unknown
      const result = streamText({
        model: modelOf(id),
        maxRetries: 0,
        prompt: PROMPT,
        ...(abortSignal !== undefined && { abortSignal }),
        onError: ({ error }) => {
          failed = error
        },
      })
      let text = ''
      for await (const piece of result.textStream) {
        text += piece
        onText?.()
      }
      if (failed !== undefined) throw failed
      const { outputTokens } = await result.usage
      return { text, complete: (await result.finishReason) === 'stop', outputTokens: outputTokens ?? null }
    },
    async tools(id) {
      const { steps, text } = await generateText({
        model: modelOf(id),
        maxRetries: 0,
        prompt: PROMPT,
        tools: toolsOf(),
        stopWhen: isStepCount(3),
      })
      const calls = steps.flatMap((step) => step.toolCalls)
      return { calls: calls.map((call) => ({ name: call.toolName, arguments: call.input })), answer: text }
    },
    async streamedTools(id) {
      const result = streamText({ model: modelOf(id), maxRetries: 0, prompt: PROMPT, tools: toolsOf() })
      const calls = await result.toolCalls
      return calls.map((call) => ({ name: call.toolName, arguments: call.input }))
    },
    async reasoning(id) {
      const { reasoningText } = await generateText({ model: modelOf(id), maxRetries: 0, prompt: PROMPT })
      return reasoningText ?? ''
    },
    async structured(id) {
      const output = Output.object({ schema: jsonSchema(SCHEMA as never) }) // the type of a schema is wider than the constant
      return (await generateText({ model: modelOf(id), maxRetries: 0, prompt: PROMPT, output })).output
    },
    async image(id) {
      const content = [
        { type: 'text' as const, text: 'What colour is it?' },
        { type: 'image' as const, image: `data:image/png;base64,${PIXEL}` },
      ]
      return (await generateText({ model: modelOf(id), maxRetries: 0, messages: [{ role: 'user', content }] })).text
    },
  }
}
