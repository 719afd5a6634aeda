/** What programs pass to a call: options that are null, and situations with fields that look like options. */

import { describe, expect, onTestFinished, test } from 'vitest'
import { APIClient } from '../src/manager/apiClient.ts'
import { APIManager, type APIManagerOptions } from '../src/manager/apiManager.ts'
import { openLab, own } from './support/lab.ts'

const sent = (lab: Awaited<ReturnType<typeof openLab>>) => {
  const body = lab.world.calls.at(-1)?.body as Record<string, unknown> & { messages: { content: unknown }[] }
  return { ...body, text: body.messages.at(-1)?.content }
}

const open = () => openLab({ providers: { ...own('alpha', 1, ['m']), ...own('beta', 1, ['n']) } })

describe('an option that is null counts as absent', () => {
  const OPTIONS = [
    'messages',
    'system',
    'model',
    'maxTokens',
    'temperature',
    'topP',
    'stop',
    'seed',
    'tools',
    'toolChoice',
    'responseFormat',
    'reasoning',
    'signal',
    'timeoutMs',
    'maxAttempts',
    'sessionId',
    'task',
    'labels',
    'retryFiltered',
    'experiment',
    'variables',
  ]

  test.each(OPTIONS)('%s', async (option) => {
    const lab = await open()
    const context = { prompt: 'hi', [option]: null }
    expect((await lab.call(context)).trail).toBe('alpha/m#1=ok')
    const plain = sent(lab)
    expect((await lab.call('hi')).trail).toBe('alpha/m#1=ok')
    expect(plain).toEqual(sent(lab))
    expect((await lab.manager.streamWithFallback(context).result).content).not.toBe('')
    expect(lab.manager.rankTargets(context).length).toBe(2)
  })

  test('in a situation, and inside of options', async () => {
    const lab = await open()
    await lab.call({ task: 'review', model: null, signal: null, timeoutMs: null, labels: null, sessionId: null })
    expect(sent(lab).text).toBe('task: review')
    const told = await lab.call({
      prompt: 'hi',
      reasoning: { effort: null },
      labels: { team: null, part: 'a' },
    } as never)
    expect(told.trail).toBe('alpha/m#1=ok')
    expect((await lab.call({ prompt: null, messages: [{ role: 'user', content: 'from messages' }] })).error).toBeNull()
    expect(sent(lab).text).toBe('from messages')
  })

  test('of a manager and of a client, which may be null themselves', async () => {
    const config = { alpha: { dialect: 'openai', endpoint: 'http://127.0.0.1:9/v1', api_key: 'none', models: ['m'] } }
    const names = ['store', 'cwd', 'providers', 'now', 'monotonic', 'random', 'logger', 'flushMs', 'sleep', 'userAgent']
    const nulls = Object.fromEntries([...names, 'allModels', 'template'].map((name) => [name, null]))
    const options = { ...nulls, config, env: {} } as unknown as APIManagerOptions
    const manager = new APIManager(options)
    onTestFinished(() => manager.close())
    expect(manager.rankTargets(null as never)).toMatchObject([{ target: 'alpha/m#1' }])
    const client = new APIClient({ ...options, logger: false })
    onTestFinished(() => client.close())
    expect(client.manager.rankTargets()).toHaveLength(1)
    for (const Class of [APIManager, APIClient]) {
      const empty = new Class(null as never)
      onTestFinished(() => empty.close())
    }
  })
})

describe('a situation', () => {
  test.each([
    ['User { id, name }', 'auto', 'project: shop\nmodel: User { id, name }'],
    ['Tesla Model 3', 'auto', 'project: shop\nmodel: Tesla Model 3'],
    ['beta/n', 'n', 'project: shop'],
    ['n', 'n', 'project: shop'],
    ['auto:fast', 'auto', 'project: shop'],
  ])('whose "model" is %j asks for a model only if there is one of that name', async (model, asked, text) => {
    const lab = await open()
    const { result } = await lab.call({ project: 'shop', model })
    expect(sent(lab).text).toBe(text)
    expect(result?.model).toBe(asked === 'auto' ? 'm' : asked)
    for await (const _ of lab.manager.streamWithFallback({ project: 'shop', model }));
    expect(sent(lab).text).toBe(text)
    expect(lab.manager.rankTargets({ project: 'shop', model }).length).toBeGreaterThan(0)
  })

  test('with fields that are named like options but are none says them', async () => {
    const lab = await open()
    await lab.call({
      task: 'deploy',
      signal: 'SIGTERM',
      timeoutMs: '5s',
      labels: ['urgent'],
      sessionId: 7,
      maxAttempts: 'few',
    })
    expect(sent(lab).text).toBe(
      'task: deploy\nsignal: SIGTERM\ntimeoutMs: 5s\nlabels:\n  - urgent\nsessionId: 7\nmaxAttempts: few',
    )
  })

  test('goes through a client in the same way', async () => {
    const lab = await open()
    const client = new APIClient({ config: lab.world.config(), env: {}, logger: false })
    onTestFinished(() => client.close())
    await client.generatePrompt({ project: 'shop', model: 'User { id, name }' })
    expect(sent(lab).text).toBe('project: shop\nmodel: User { id, name }')
    const seen: unknown[] = []
    const template = (context: Readonly<Record<string, unknown>>) => {
      seen.push(context)
      return 'written'
    }
    const written = new APIClient({ config: lab.world.config(), env: {}, logger: false, template })
    onTestFinished(() => written.close())
    await written.generatePrompt({ project: 'shop', model: 'User', note: null })
    expect(seen).toEqual([{ project: 'shop', model: 'User', note: null }])
  })

  test('with a wrong model beside a prompt is still an error', async () => {
    const lab = await open()
    expect((await lab.call({ prompt: 'hi', model: 'User' })).error?.code).toBe('MODEL_NOT_FOUND')
  })
})
