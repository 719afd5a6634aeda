/** S24: what is asked and answered is written nowhere: a thousand canaries in every part of requests leave no trace. */

import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { FAILURE_KINDS } from '../../src/domain/failure.ts'
import { startGateway } from '../../src/server/serve.ts'
import { filesBelow } from '../support/canaryKeys.ts'
import { listening } from '../support/listening.ts'
import { makeHome } from '../support/runKeywise.ts'

const TOKENS = { KEYWISE_TOKEN: `inference-${'t'.repeat(20)}`, KEYWISE_ADMIN_TOKEN: `administer-${'a'.repeat(20)}` }

let count = 0
/** `zebra` and sixteen digits that are nowhere else. */
const canary = () => `zebra${createHash('sha256').update(`prompt ${count++}`).digest('hex').slice(0, 16)}`
/** As a few words of it. */
const said = () => `please tell ${canary()} about it`

type Asked = readonly [path: string, body: object]

const FORMS: readonly ((stream: boolean) => Asked)[] = [
  (stream) => [
    '/v1/chat/completions',
    {
      model: 'chat/m',
      stream,
      user: canary(),
      metadata: { note: canary() },
      stop: [canary()],
      messages: [
        { role: 'system', content: said() },
        {
          role: 'user',
          name: canary(),
          content: [
            { type: 'text', text: said() },
            { type: 'image_url', image_url: { url: `data:image/png;base64,${canary()}` } },
          ],
        },
        {
          role: 'assistant',
          content: said(),
          tool_calls: [
            { id: 'call_1', type: 'function', function: { name: 'f', arguments: JSON.stringify({ path: canary() }) } },
          ],
        },
        { role: 'tool', tool_call_id: 'call_1', content: said() },
      ],
      tools: [
        {
          type: 'function',
          function: {
            name: 'f',
            description: said(),
            parameters: { type: 'object', properties: { path: { type: 'string', description: canary() } } },
          },
        },
      ],
    },
  ],
  (stream) => [
    '/v1/messages',
    {
      model: 'claude/m',
      stream,
      max_tokens: 100,
      metadata: { user_id: canary() },
      system: [{ type: 'text', text: said() }],
      messages: [
        {
          role: 'user',
          content: [
            { type: 'text', text: said() },
            { type: 'document', title: canary(), source: { type: 'text', media_type: 'text/plain', data: said() } },
          ],
        },
        { role: 'assistant', content: [{ type: 'tool_use', id: 'toolu_1', name: 'f', input: { path: canary() } }] },
        { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'toolu_1', content: said() }] },
      ],
      tools: [{ name: 'f', description: said(), input_schema: { type: 'object' } }],
    },
  ],
  (stream) => [
    '/v1/responses',
    {
      model: 'chat/m',
      stream,
      instructions: said(),
      input: [{ role: 'user', content: [{ type: 'input_text', text: said() }] }],
      metadata: { a: canary() },
      user: canary(),
    },
  ],
  (stream) => [
    `/v1beta/models/chat/m:${stream ? 'streamGenerateContent?alt=sse' : 'generateContent'}`,
    {
      systemInstruction: { parts: [{ text: said() }] },
      contents: [
        { role: 'user', parts: [{ text: said() }, { inlineData: { mimeType: 'image/png', data: canary() } }] },
      ],
      labels: { a: canary() },
    },
  ],
  () => ['/v1/embeddings', { model: 'chat/e', input: [said(), said()], user: canary() }],
]

/** What the upstream does with the calls, in turn. */
const MOODS = [
  'answers',
  401,
  'answers',
  429,
  400,
  500,
  'breaks off',
  'answers',
  'quotes',
  413,
  'nonsense',
  'blocks',
] as const

test('S24: neither prompts nor answers are in a file, a log or a view', { timeout: 120_000 }, async () => {
  let turn = 0
  const server = createServer((request, response) => {
    let text = ''
    request.on('data', (piece: Buffer) => (text += piece))
    request.on('end', () => {
      if (request.method === 'GET') return void response.writeHead(404).end()
      const mood = MOODS[turn % MOODS.length]
      const isClaude = request.url?.includes('/messages') === true
      const json = (status: number, body: object) =>
        response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
      if (typeof mood === 'number') return void json(mood, { error: { message: 'no', type: 'refused' } })
      if (mood === 'breaks off') return void request.socket.destroy()
      if (mood === 'nonsense') return void json(200, { text: said(), prompt: text })
      if (mood === 'quotes')
        return void json(400, {
          error: { message: `Invalid value: ${JSON.stringify(text.replaceAll('"', ''))}.`, type: 'x' },
        })
      const content = said()
      if (isClaude)
        return void json(200, {
          id: 'x',
          type: 'message',
          role: 'assistant',
          model: 'm',
          content: [{ type: 'text', text: content }],
          stop_reason: mood === 'blocks' ? 'refusal' : 'end_turn',
          usage: { input_tokens: 1, output_tokens: 1 },
        })
      if (request.url?.includes('/embeddings'))
        return void json(200, {
          object: 'list',
          model: 'e',
          data: [
            { object: 'embedding', index: 0, embedding: [1] },
            { object: 'embedding', index: 1, embedding: [2] },
          ],
          usage: { prompt_tokens: 1, total_tokens: 1 },
        })
      const message = { role: 'assistant', content, ...(mood === 'blocks' && { refusal: said() }) }
      json(200, {
        id: 'x',
        object: 'chat.completion',
        created: 1,
        model: 'm',
        choices: [{ index: 0, message, finish_reason: 'stop' }],
        usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
      })
    })
  })
  const origin = await listening(server)
  const key = (name: string) => `${name}-${createHash('sha256').update(name).digest('hex')}`
  const models = ['m', 'e']
  const home = makeHome(
    {
      chat: { dialect: 'openai', endpoint: `${origin}/v1`, api_key: key('chat'), models },
      claude: { dialect: 'anthropic', endpoint: `${origin}/v1`, api_key: key('claude'), models: ['m'] },
      settings: { routing: { seed: 1 } },
    },
    TOKENS,
  )
  const seen: string[] = []
  const log = (line: string) => void seen.push(line)
  const state = join(home.folder, 'home/state')
  const gateway = await startGateway({
    config: join(home.folder, 'config/api-keys.json'),
    cwd: home.folder,
    port: 0,
    env: { ...TOKENS, XDG_STATE_HOME: state, HOME: join(home.folder, 'home') },
    logger: { info: log, warn: log, error: log },
    sleep: () => Promise.resolve(),
  })
  let answered = 0
  try {
    await gateway.opened.ready()
    const { engine } = gateway.opened
    while (count < 1000) {
      const form = FORMS[Math.floor(turn / 2) % FORMS.length] as (typeof FORMS)[number]
      const [path, body] = form(turn % 2 === 1)
      const response = await fetch(gateway.app.origin + path, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${TOKENS.KEYWISE_TOKEN}`,
          'content-type': 'application/json',
          'x-keywise-max-attempts': '2',
        },
        body: JSON.stringify(body),
      })
      await response.text().catch(() => '')
      if (response.status === 200) answered++
      turn++
      for (const target of engine.registry.targets) engine.lift(target, FAILURE_KINDS)
    }
    for (const route of ['api/status', 'api/why', 'api/requests?limit=1000', 'api/alerts', 'api/models', 'metrics'])
      seen.push(
        await (
          await fetch(`${gateway.app.origin}/${route}`, {
            headers: { authorization: `Bearer ${TOKENS.KEYWISE_ADMIN_TOKEN}` },
          })
        ).text(),
      )
  } finally {
    await gateway.close(0)
  }
  expect(answered).toBeGreaterThan(turn / 6)
  expect(turn).toBeGreaterThan(90)
  const { stdout } = await home.keywise('budget', 'export', '--jsonl')
  seen.push(stdout)
  expect(stdout.split('\n').length).toBeGreaterThan(90)
  const isTold = /zebra[\da-f]{16}/
  expect(seen.filter((text) => isTold.test(text))).toEqual([])
  const files = filesBelow(home.folder)
  expect(files.some((path) => path.endsWith('keywise.db'))).toBe(true)
  expect(files.filter((path) => isTold.test(readFileSync(path, 'latin1')))).toEqual([])
})
