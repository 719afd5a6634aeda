import { createPartFromBase64, GoogleGenAI } from '@google/genai'
import { REPORT_SCHEMA, TOOLS } from './report.mjs'

const open = ({ origin, token }) => new GoogleGenAI({ apiKey: token, httpOptions: { baseUrl: origin } })
const ask = (cell, contents, config) => open(cell).models.generateContent({ model: cell.model, contents, config })

function count(cell, usage) {
  if (usage) cell.usage = [usage.promptTokenCount, usage.candidatesTokenCount]
}

export async function plain(cell) {
  const answer = await ask(cell, cell.prompt)
  count(cell, answer.usageMetadata)
  return answer.text
}

export async function* stream(cell) {
  const asked = { model: cell.model, contents: cell.prompt, config: { abortSignal: cell.signal } }
  for await (const chunk of await open(cell).models.generateContentStream(asked)) {
    count(cell, chunk.usageMetadata)
    yield chunk.text
  }
}

/** The client calls the tools itself. */
export async function loop(cell) {
  const functionDeclarations = TOOLS.map(({ parameters, ...tool }) => ({ ...tool, parametersJsonSchema: parameters }))
  const callable = {
    tool: async () => ({ functionDeclarations }),
    callTool: async (calls) =>
      calls.map(({ id, name, args }) => ({
        functionResponse: { id, name, response: { output: cell.run(name, args) } },
      })),
  }
  return (await ask(cell, cell.loopPrompt, { tools: [callable], topK: 40 })).text
}

export async function schema(cell) {
  const config = { responseMimeType: 'application/json', responseJsonSchema: REPORT_SCHEMA }
  return JSON.parse((await ask(cell, cell.schemaPrompt, config)).text)
}

export async function image(cell) {
  return (await ask(cell, [createPartFromBase64(cell.image, 'image/png'), cell.imagePrompt])).text
}

export async function embed(cell) {
  const { embeddings } = await open(cell).models.embedContent({ model: cell.model, contents: cell.texts })
  return embeddings.map(({ values }) => values)
}

export async function models(cell) {
  const ids = []
  for await (const { name } of await open(cell).models.list()) ids.push(name.replace('models/', ''))
  return ids
}
