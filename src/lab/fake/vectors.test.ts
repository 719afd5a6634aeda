/** The simulated embedding models give vectors as long, and in the form, as they were asked for. */

import { expect, test } from 'vitest'
import { openWorld } from '../../../test/support/labCall.ts'

async function vectors(provider: string, model: string, path: string, body: object): Promise<unknown> {
  const world = await openWorld({ providers: { [provider]: { models: { [model]: { kind: 'embedding' } } } } })
  const response = await fetch(world.endpoint(provider) + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-api-key': 'any' },
    body: JSON.stringify(body),
  })
  expect(response.status).toBe(200)
  return response.json()
}

const ofOpenai = async (fields: object, provider = 'openai', model = 'text-embedding-3-small') => {
  const answer = await vectors(provider, model, '/embeddings', { model, input: 'Hi', ...fields })
  return (answer as { data: readonly [{ embedding: unknown }] }).data[0].embedding // as the API documents it
}

const NUMBERS = [0.1, 0.2, 0.002, 0.1, 0.2]

test.each([
  ['openai', 'text-embedding-3-small', { dimensions: 5 }],
  ['mistral', 'codestral-embed', { output_dimension: 5 }],
])('%s gives vectors of the length that is asked for', async (provider, model, fields) => {
  expect(await ofOpenai(fields, provider, model)).toEqual(NUMBERS)
})

test('vectors are base64 where that is asked for', async () => {
  const text = await ofOpenai({ dimensions: 5, encoding_format: 'base64' })
  const bytes = Buffer.from(String(text), 'base64')
  expect(NUMBERS.map((_, at) => bytes.readFloatLE(4 * at))).toEqual(NUMBERS.map(Math.fround))
  expect(bytes.length).toBe(20)
})

test('Gemini gives each vector the length that is asked for it', async () => {
  const one = { model: 'models/gemini-embedding-001', content: { parts: [{ text: 'Hi' }] } }
  const requests = [{ ...one, outputDimensionality: 5 }, { ...one, output_dimensionality: 2 }, one]
  const path = '/models/gemini-embedding-001:batchEmbedContents'
  expect(await vectors('google', 'gemini-embedding-001', path, { requests })).toEqual({
    embeddings: [{ values: NUMBERS }, { values: NUMBERS.slice(0, 2) }, { values: NUMBERS.slice(0, 3) }],
  })
})
