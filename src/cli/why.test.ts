import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { openGateway } from '../../test/support/gatewayWorld.ts'
import { own } from '../../test/support/lab.ts'
import { put, temporaryFolder } from '../../test/support/temporaryFolder.ts'
import { run } from './why.ts'

const NOON = Date.UTC(2026, 10, 23, 12, 10)

test('why says as how much the ratings of a token count that shares the gateway', async () => {
  const folder = temporaryFolder()
  const store = join(folder, 'keywise.db')
  await using world = await openGateway({ providers: own('alpha', 1, ['m']) }, { store, clock: () => NOON })
  const headers = { authorization: `Bearer ${world.gateway.tokens.add('other', 'inference')}` }
  const body = { model: 'alpha/m', messages: [{ role: 'user', content: 'Say hi' }] }
  for (let time = 0; time < 3; time++) {
    const id = (await world.ask('/v1/chat/completions', body, headers)).headers.get('x-keywise-request-id')
    expect((await world.ask('/v1/feedback', { request_id: id, score: 0 }, headers)).status).toBe(200)
  }
  put(folder, 'keys.json', JSON.stringify(world.fakes.config()))
  const printed = async (more: object) => {
    const pieces: string[] = []
    const write = (piece: string) => void pieces.push(piece)
    const stdout = { write, columns: 200 } as unknown as NodeJS.WriteStream // all that a printer uses
    vi.useFakeTimers({ toFake: ['Date'], now: NOON + 60_000 })
    try {
      const options = { config: join(folder, 'keys.json'), store, ...more }
      await run({ args: [], options, env: {}, cwd: folder, stdout, stderr: stdout })
    } finally {
      vi.useRealTimers()
    }
    return pieces.join('')
  }
  expect(await printed({})).toContain('\nratings of token other on alpha/m#1: 3 this hour count as 1\n')
  expect(await printed({ terms: true })).toContain('quality: prior 0.8; 1 hour of ratings by tokens')
  const ratings = [{ target: 'alpha/m#1', token: 'other', given: 3, counted: 1 }]
  expect(JSON.parse(await printed({ json: true }))).toMatchObject({ ratings })
})

test('why --request knows the reason of a request that another process has just been asked', async () => {
  const folder = temporaryFolder()
  const store = join(folder, 'keywise.db')
  await using world = await openGateway({ providers: own('alpha', 1, ['m']) }, { store })
  put(folder, 'keys.json', JSON.stringify(world.fakes.config()))
  const body = { model: 'alpha/m', messages: [{ role: 'user', content: 'Say hi' }] }
  const request = (await world.ask('/v1/chat/completions', body)).headers.get('x-keywise-request-id')
  world.gateway.opened.engine.store.flushNow()
  const pieces: string[] = []
  const stdout = { write: (piece: string) => void pieces.push(piece) } as unknown as NodeJS.WriteStream // as above
  const options = { config: join(folder, 'keys.json'), store, request, json: true }
  await run({ args: [], options, env: {}, cwd: folder, stdout, stderr: stdout } as never)
  expect(JSON.parse(pieces.join(''))).toMatchObject({ chosen: 'alpha/m#1', cause: { kind: 'only' } })
})
