// An upstream that answers the same 1 KB chat completion to everything, in a process of its own so that its CPU time is
// not counted. Prints its port. With /stream in the path, or "stream":true in the body, it streams 50 chunks. Under
// /limited every call meets a rate limit, and a Gemini path is answered in Gemini's language.
import { createServer } from 'node:http'

const text = 'All is well with the simulated model. '.repeat(20)
const usage = { prompt_tokens: 150, completion_tokens: 190, total_tokens: 340 }
const plain = Buffer.from(
  JSON.stringify({
    id: 'chatcmpl-bench',
    object: 'chat.completion',
    created: 1,
    model: 'bench',
    choices: [{ index: 0, message: { role: 'assistant', content: text }, finish_reason: 'stop' }],
    usage,
  }),
)
const gemini = JSON.stringify({
  candidates: [{ content: { role: 'model', parts: [{ text }] }, finishReason: 'STOP', index: 0 }],
  usageMetadata: { promptTokenCount: 150, candidatesTokenCount: 190, totalTokenCount: 340 },
})
const limited = JSON.stringify({
  error: { message: 'Rate limit reached', type: 'requests', param: null, code: 'rate_limit_exceeded' },
})
const chunk = (delta, finish = null) =>
  `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'bench', choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`
const gapMs = Number(process.argv[2] ?? 5)
const models = JSON.stringify({ object: 'list', data: [{ id: 'm', object: 'model' }] })

const server = createServer((request, response) => {
  if (request.method === 'GET') return response.end(models)
  let streams = false
  let seen = 0
  request.on('data', (part) => {
    if (seen++ < 2 && part.includes('"stream":true')) streams = true
  })
  request.on('end', () => {
    if (request.url.startsWith('/limited')) return answer(response, 429, limited)
    if (request.url.includes(':generateContent')) return answer(response, 200, gemini)
    if (!streams) {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': plain.length })
      return response.end(plain)
    }
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    let sent = 0
    const timer = setInterval(() => {
      if (sent++ < 50) return response.write(chunk({ content: 'word and word ' }))
      clearInterval(timer)
      response.write(chunk({}, 'stop'))
      response.write(
        `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'bench', choices: [], usage })}\n\n`,
      )
      response.end('data: [DONE]\n\n')
    }, gapMs)
    response.on('close', () => clearInterval(timer))
  })
})
function answer(response, status, body) {
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(body)
}

server.keepAliveTimeout = 60_000
server.listen(0, '127.0.0.1', () => console.log(server.address().port))
