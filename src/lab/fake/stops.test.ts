/** The simulated models end where the request says, and say so as their services do. */

import { describe, expect, test } from 'vitest'
import { openWorld } from '../../../test/support/labCall.ts'
import type { FakeScenario } from './scenario.ts'

const MODEL = { reply: 'one two END three' }
const SCENARIO: FakeScenario = {
  providers: {
    openai: { models: { 'gpt-4.1': MODEL } },
    anthropic: { models: { 'claude-sonnet-5': MODEL } },
    google: { models: { 'gemini-3.8-flash': MODEL } },
  },
}
const HI = { messages: [{ role: 'user', content: 'Hi' }] }
const TURN = { contents: [{ role: 'user', parts: [{ text: 'Hi' }] }] }

async function ask(provider: string, path: string, body: object): Promise<string> {
  const world = await openWorld(SCENARIO)
  const headers = { 'content-type': 'application/json', 'x-api-key': 'any', 'anthropic-version': '2023-06-01' }
  const response = await fetch(world.endpoint(provider) + path, { method: 'POST', headers, body: JSON.stringify(body) })
  expect(response.status).toBe(200)
  return response.text()
}

const chat = (more: object) => ask('openai', '/chat/completions', { model: 'gpt-4.1', ...HI, ...more })
const claude = (more: object) =>
  ask('anthropic', '/messages', { model: 'claude-sonnet-5', max_tokens: 99, ...HI, ...more })
const gemini = (generationConfig: object) =>
  ask('google', '/models/gemini-3.8-flash:generateContent', { ...TURN, generationConfig })

describe('a stop sequence', () => {
  test('ends the answer of OpenAI', async () => {
    for (const stop of ['END', ['three', 'END']])
      expect(JSON.parse(await chat({ stop }))).toMatchObject({
        choices: [{ message: { content: 'one two ' }, finish_reason: 'stop' }],
        usage: { completion_tokens: 2 },
      })
  })

  test('ends the answer of Claude, who names it', async () => {
    const end = { stop_reason: 'stop_sequence', stop_sequence: 'END' }
    expect(JSON.parse(await claude({ stop_sequences: ['END'] }))).toMatchObject({
      content: [{ text: 'one two ' }],
      ...end,
    })
    const streamed = await claude({ stop_sequences: ['END'], stream: true })
    expect(streamed).toContain('"stop_reason":"stop_sequence","stop_sequence":"END"')
    expect(streamed).not.toContain('three')
  })

  test('ends the answer of Gemini', async () => {
    const ended = { content: { parts: [{ text: 'one two ' }] }, finishReason: 'STOP' }
    expect(JSON.parse(await gemini({ stopSequences: ['END'] }))).toMatchObject({ candidates: [ended] })
  })

  test('ends each of several answers', async () => {
    const { choices } = JSON.parse(await chat({ n: 2, stop: 'two' }))
    expect(choices).toMatchObject([{ message: { content: 'one ' } }, { message: { content: 'one ' } }])
  })

  test('ends nothing where it is not said, and where the answer is cut before it', async () => {
    expect(JSON.parse(await claude({ stop_sequences: ['four'] }))).toMatchObject({
      content: [{ text: MODEL.reply }],
      stop_reason: 'end_turn',
      stop_sequence: null,
    })
    expect(JSON.parse(await chat({ stop: 'END', max_tokens: 1 }))).toMatchObject({
      choices: [{ message: { content: 'one ' }, finish_reason: 'length' }],
    })
  })

  test('ends the answer that a stream says', async () => {
    const streamed = await chat({ stop: 'two', stream: true })
    expect(streamed).toContain('"content":"one "')
    expect(streamed).not.toContain('two')
  })
})
