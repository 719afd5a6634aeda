/** The official `@google/genai`, whose paths begin with `/v1` unless configured otherwise. */

import { type Content, type GenerateContentConfig, type GenerateContentResponse, GoogleGenAI } from '@google/genai'
import { type Driver, PIXEL, type Place, PROMPT, parametersOf, resultOf, SCHEMA, TOOLS } from './driver.ts'

export function genaiClient({ origin, token }: Place, apiVersion?: string): GoogleGenAI {
  return new GoogleGenAI({
    apiKey: token,
    httpOptions: { baseUrl: origin, ...(apiVersion !== undefined && { apiVersion }) },
  })
}

const TOOLED: GenerateContentConfig = {
  tools: [
    {
      functionDeclarations: TOOLS.map(({ name, description, field }) => ({
        name,
        description,
        parametersJsonSchema: parametersOf(field),
      })),
    },
  ],
}

export function genai(place: Place, apiVersion?: string): Driver {
  const { models } = genaiClient(place, apiVersion)
  return {
    name: `@google/genai ${apiVersion ?? 'as it comes'}`,
    async plain(model, contents) {
      const answer = await models.generateContent({ model, contents })
      return { text: answer.text ?? '', outputTokens: answer.usageMetadata?.candidatesTokenCount ?? null }
    },
    async stream(model, abortSignal, onText) {
      const config = abortSignal === undefined ? {} : { abortSignal }
      const stream = await models.generateContentStream({ model, contents: PROMPT, config })
      let text = ''
      let last: GenerateContentResponse | undefined
      for await (const chunk of stream) {
        text += textOf(chunk)
        if (textOf(chunk) !== '') onText?.()
        last = chunk
      }
      return {
        text,
        complete: last?.candidates?.[0]?.finishReason === 'STOP',
        outputTokens: last?.usageMetadata?.candidatesTokenCount ?? null,
      }
    },
    async tools(model) {
      const contents: Content[] = [{ role: 'user', parts: [{ text: PROMPT }] }]
      const first = await models.generateContent({ model, contents, config: TOOLED })
      const calls = first.functionCalls ?? []
      contents.push(first.candidates![0]!.content!)
      contents.push({
        role: 'user',
        parts: calls.map(({ id, name }) => ({
          functionResponse: { id, name, response: { output: resultOf(name ?? '') } },
        })),
      })
      const last = await models.generateContent({ model, contents, config: TOOLED })
      return {
        calls: calls.map(({ name, args }) => ({ name: name ?? '', arguments: args })),
        answer: last.text ?? '',
      }
    },
    async streamedTools(model) {
      const stream = await models.generateContentStream({ model, contents: PROMPT, config: TOOLED })
      const calls = []
      for await (const chunk of stream) calls.push(...(chunk.functionCalls ?? []))
      return calls.map(({ name, args }) => ({ name: name ?? '', arguments: args }))
    },
    async reasoning(model) {
      const config = { thinkingConfig: { includeThoughts: true } }
      const answer = await models.generateContent({ model, contents: PROMPT, config })
      const parts = answer.candidates?.[0]?.content?.parts ?? []
      return parts.map((part) => (part.thought ? (part.text ?? '') : '')).join('')
    },
    async structured(model) {
      const config = { responseMimeType: 'application/json', responseJsonSchema: SCHEMA }
      const answer = await models.generateContent({ model, contents: PROMPT, config })
      return JSON.parse(answer.text ?? '')
    },
    async image(model) {
      const parts = [{ inlineData: { mimeType: 'image/png', data: PIXEL } }, { text: 'What colour is it?' }]
      return (await models.generateContent({ model, contents: [{ role: 'user', parts }] })).text ?? ''
    },
  }
}

function textOf(chunk: GenerateContentResponse): string {
  return (chunk.candidates?.[0]?.content?.parts ?? []).map((part) => (part.thought ? '' : (part.text ?? ''))).join('')
}
