import { PassThrough } from 'node:stream'
import { expect, test } from 'vitest'
import { put, temporaryFolder } from '../../test/support/temporaryFolder.ts'
import { ConfigError } from '../domain/errors.ts'
import { run } from './fake.ts'

function fake(cwd: string, options: Record<string, unknown>) {
  const stdout = new PassThrough()
  const stream = (one: PassThrough) => one as unknown as NodeJS.WriteStream // the command only writes to it
  const running = run({ args: [], options, env: {}, cwd, stdout: stream(stdout), stderr: stream(new PassThrough()) })
  return { running, stdout }
}

test('fake serves the scenario of a file until its time is up', async () => {
  const folder = temporaryFolder()
  const scenario = { providers: { own: { dialect: 'anthropic', keys: { 'fake-own-key-1': {} }, models: { m: {} } } } }
  put(folder, 'faults.json', JSON.stringify(scenario))
  const { running, stdout } = fake(folder, { scenario: 'faults.json', port: '0', seconds: '1', json: true })
  const [text] = await stdout
    .iterator()
    .next()
    .then(({ value }) => [String(value)])
  const { origin, config } = JSON.parse(text ?? '')
  expect(config.own).toMatchObject({ dialect: 'anthropic', api_keys: ['fake-own-key-1'], models: ['m'] })
  const answer = await fetch(`${config.own.endpoint}/messages`, {
    method: 'POST',
    headers: { 'x-api-key': 'fake-own-key-1' },
    body: JSON.stringify({ model: 'm', max_tokens: 50, messages: [{ role: 'user', content: 'hi' }] }),
  })
  expect(await answer.json()).toMatchObject({ type: 'message', role: 'assistant' })
  expect(await running).toBe(0)
  await expect(fetch(origin)).rejects.toThrow()
})

test('the configuration that fake prints names every dialect of a service', async () => {
  const folder = temporaryFolder()
  put(folder, 'two.json', JSON.stringify({ providers: { openai: { models: { m: {} } }, groq: { models: { m: {} } } } }))
  const { running, stdout } = fake(folder, { scenario: 'two.json', port: '0', seconds: '0', json: true })
  await running
  const { config } = JSON.parse(String(stdout.read()))
  expect(config.openai.dialect).toEqual(['openai', 'openai-responses'])
  expect(config.groq).not.toHaveProperty('dialect')
})

test('fake reports where a scenario is wrong', async () => {
  const folder = temporaryFolder()
  put(folder, 'half.json', '{ "providers": ')
  put(folder, 'wrong.json', JSON.stringify({ providers: { own: { models: {}, faults: [{ do: 'explode' }] } } }))
  await expect(fake(folder, { scenario: 'half.json' }).running).rejects.toThrow(ConfigError)
  await expect(fake(folder, { scenario: 'missing.json' }).running).rejects.toThrow(/missing.json/)
  await expect(fake(folder, { scenario: 'wrong.json' }).running).rejects.toThrow(/providers.own.faults.0.do/)
})
