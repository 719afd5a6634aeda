import { describe, expect, test } from 'vitest'
import type { ChatRequest, Extra } from '../../domain/chat.ts'
import { partsNeedOf } from './partsNeed.ts'

const extra = (fields: object): Extra => ({ dialect: 'openai', fields: { ...fields } })
const asking = (part: object, whole: object = {}): ChatRequest => ({
  model: 'm',
  messages: [{ role: 'user', content: [{ type: 'text', text: 'Hi', extra: extra(part) }] }],
  stream: false,
  extra: extra(whole),
})

describe('what is to stay in a prompt cache for longer than usual', () => {
  for (const { of, request, cachesLong } of [
    {
      of: 'an hour, of a part',
      request: asking({ cache_control: { type: 'ephemeral', ttl: '1h' } }),
      cachesLong: true,
    },
    { of: 'twelve hours, of a part', request: asking({ prompt_cache_breakpoint: { ttl: '12h' } }), cachesLong: true },
    { of: 'twelve hours, of all', request: asking({}, { prompt_cache_options: { ttl: '12h' } }), cachesLong: true },
    { of: 'the usual time', request: asking({ prompt_cache_breakpoint: { ttl: '30m' } }), cachesLong: undefined },
    { of: 'minutes', request: asking({ cache_control: { type: 'ephemeral', ttl: '5m' } }), cachesLong: undefined },
  ])
    test(of, () => expect(partsNeedOf(request)?.cachesLong).toBe(cachesLong))
})
