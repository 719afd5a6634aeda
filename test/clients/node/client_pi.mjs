// pi (@mariozechner/pi-coding-agent): tools come with an extension.
import { join } from 'node:path'
import { callsIn, run, withHome } from './programs.mjs'

const BASES = {
  'openai-completions': ({ origin }) => `${origin}/v1`,
  'openai-responses': ({ origin }) => `${origin}/v1`,
  'anthropic-messages': ({ origin }) => origin,
}

function asked(cell, prompt, { files = {}, more = [] } = {}) {
  const { variant: api, token, model } = cell
  const models = [{ id: model, input: ['text', 'image'] }]
  const keywise = { baseUrl: BASES[api](cell), api, apiKey: token, models }
  const settings = { retry: { enabled: false } }
  const written = { '.pi/agent/models.json': { providers: { keywise } }, '.pi/agent/settings.json': settings, ...files }
  return withHome(written, async (place) => {
    const args = ['--provider', 'keywise', '--model', model, '--no-session', ...more, '-p', prompt]
    const output = await run(place, 'pi', args, { PI_OFFLINE: '1', CALLS: place.calls })
    cell.calls.push(...callsIn(place))
    return output.trim()
  })
}

export const plain = (cell) => asked(cell, cell.prompt)

const EXTENSION = `import { appendFileSync } from 'node:fs'
import { RUN, TOOLS } from ${JSON.stringify(join(import.meta.dirname, 'report.mjs'))}
export default function (pi) {
  for (const { name, description, parameters } of TOOLS)
    pi.registerTool({ name, label: name, description, parameters, async execute(_id, given) {
      appendFileSync(process.env.CALLS, JSON.stringify({ name, arguments: given }) + '\\n')
      return { content: [{ type: 'text', text: RUN[name](given) }], details: {} }
    } })
}
`

export const loop = (cell) =>
  asked(cell, cell.loopPrompt, { files: { 'tools.ts': EXTENSION }, more: ['-e', 'tools.ts'] })

export const image = (cell) =>
  asked(cell, cell.imagePrompt, { files: { 'pixel.png': Buffer.from(cell.image, 'base64') }, more: ['@pixel.png'] })
