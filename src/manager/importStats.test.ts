import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { put, temporaryFolder } from '../../test/support/temporaryFolder.ts'
import { statsView } from './importStats.ts'
import { openEngine } from './openEngine.ts'

const OLD = {
  providers: {
    groq_key1: {
      provider: 'groq',
      keyIndex: 1,
      models: {
        'llama-3.3-70b-versatile': {
          status: 'working',
          avgResponseTime: 900,
          successCount: 40,
          failCount: 2,
          lastSuccess: '2026-07-01T00:00:00.000Z',
          lastError: null,
        },
      },
    },
  },
}

test('the rows of an old file survive when their model is retired', async () => {
  const folder = temporaryFolder()
  const keys = { groq: { api_key: `gsk_${'x'.repeat(20)}`, models: ['openai/gpt-oss-120b'] } }
  const config = put(folder, 'config/api-keys.json', JSON.stringify(keys))
  const stats = put(folder, 'config/apiStats.json', JSON.stringify(OLD))
  const opened = openEngine({ config, cwd: folder, env: {}, store: 'memory:', logger: false })
  expect(statsView(opened.engine).providers['groq_key1']?.models).toMatchObject({
    'llama-3.3-70b-versatile': { successCount: 40, failCount: 2, avgResponseTime: 900 },
  })
  await opened.close()
  expect(JSON.parse(readFileSync(stats, 'utf8')).providers.groq_key1.models).toHaveProperty('llama-3.3-70b-versatile')
})
