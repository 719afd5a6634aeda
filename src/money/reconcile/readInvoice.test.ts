import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { csv } from '../../../test/support/invoices/paper.ts'
import { readInvoice } from './readInvoice.ts'

const DAY = Date.parse('2026-11-23T00:00:00Z')
const read = (...texts: string[]) => readInvoice(texts)

/** A bucket of OpenAI's costs as its documentation shows it. */
const bucket = (value: number, more: object = {}, start = 1_795_392_000) => ({
  object: 'bucket',
  start_time: start,
  end_time: start + 86_400,
  results: [
    {
      object: 'organization.costs.result',
      amount: { value, currency: 'usd' },
      line_item: null,
      project_id: null,
      api_key_id: null,
      quantity: null,
      ...more,
    },
  ],
})
const page = (...data: object[]) => JSON.stringify({ object: 'page', data, has_more: false, next_page: null })

const ACTIVITY = 'Date,Slug,Usage,BYOK Usage,Requests,Prompt Tokens,Completion Tokens,Reasoning Tokens'
const activityRow = '"2026-11-23 00:00:00","openai/gpt-4.1","1.5","0.25","5","50","125","25"'

describe('a form is recognised by its fields', () => {
  const cases: readonly (readonly [what: string, text: string, expected: object])[] = [
    [
      'costs of OpenAI by item',
      page(bucket(0.06, { line_item: 'gpt-5-nano, cached input', quantity: 1_000, quantity_unit: 'tokens' })),
      { model: 'gpt-5-nano', part: 'cached', nanoUsd: 60_000_000, counts: { input: 1_000, cached: 1_000 }, start: DAY },
    ],
    [
      'costs of OpenAI of a tool, behind which stands not always the model that used it',
      page(bucket(0.5, { line_item: 'web search tool calls | gpt-4o' })),
      { model: null, part: 'tools', nanoUsd: 500_000_000 },
    ],
    [
      'costs of OpenAI of what is no call',
      page(bucket(0.5, { line_item: 'vector store storage' })),
      { apart: 'other', item: 'vector store storage' },
    ],
    ['a credit of OpenAI', page(bucket(-0.5)), { apart: 'credit', nanoUsd: -500_000_000 }],
    [
      'usage of embeddings',
      page({
        ...bucket(0),
        results: [
          { object: 'organization.usage.embeddings.result', input_tokens: 16, num_model_requests: 2, model: 'e-3' },
        ],
      }),
      { model: 'e-3', counts: { requests: 2, input: 16, output: 0 } },
    ],
    [
      'usage of pictures',
      page({ ...bucket(0), results: [{ images: 3, num_model_requests: 2, model: 'gpt-image-1' }] }),
      { model: 'gpt-image-1', counts: { requests: 2, images: 3, seconds: 0 } },
    ],
    [
      'costs of Anthropic, which are cents',
      JSON.stringify({
        data: [
          {
            starting_at: '2026-11-23T00:00:00Z',
            ending_at: '2026-11-24T00:00:00Z',
            results: [
              {
                amount: '123.78912',
                currency: 'USD',
                cost_type: 'tokens',
                token_type: 'cache_creation.ephemeral_1h_input_tokens',
                model: 'claude-opus-5',
                service_tier: 'batch',
                description: 'Claude Opus 5 Usage',
              },
            ],
          },
        ],
        has_more: false,
        next_page: null,
      }),
      { model: 'claude-opus-5', part: 'cacheWrite1h', nanoUsd: 1_237_891_200, tier: 'batch' },
    ],
    [
      'usage of the console of Anthropic in fast mode in the US',
      'usage_date_utc,model_version,api_key,workspace,usage_type,context_window,usage_input_tokens_no_cache,usage_input_tokens_cache_write_5m,usage_input_tokens_cache_write_1h,usage_input_tokens_cache_read,usage_output_tokens,web_search_count,inference_geo,speed\n2026-11-23,claude-opus-5,mine,Default,standard,≤ 200k,10,20,30,40,5,1,us,fast\n',
      {
        tier: 'fast+us',
        key: 'mine',
        counts: {
          input: 100,
          cached: 40,
          cacheWrite: 50,
          cacheWrite1h: 30,
          output: 5,
          'tool:web_search': 1,
          requests: 0,
        },
      },
    ],
    [
      'activity of OpenRouter, with what the user’s own key was charged',
      `${ACTIVITY}\r\n${activityRow}\r\n`,
      {
        model: 'openai/gpt-4.1',
        nanoUsd: 1_750_000_000,
        counts: { requests: 5, input: 50, output: 125, reasoning: 25 },
      },
    ],
    [
      'one generation of OpenRouter',
      JSON.stringify({
        data: {
          id: 'gen-1',
          created_at: '2026-11-23T21:19:33.705Z',
          model: 'a/b',
          tokens_prompt: 65,
          tokens_completion: 116,
          native_tokens_prompt: 64,
          native_tokens_completion: 98,
          total_cost: 0.0015,
        },
      }),
      { model: 'a/b', nanoUsd: 1_500_000, counts: { requests: 1, input: 64, output: 98, cached: 0, reasoning: 0 } },
    ],
    [
      'a row of BigQuery',
      JSON.stringify({
        service: { description: 'Gemini API' },
        sku: { description: 'Generate content output token count gemini 3.5 flash lite text batch' },
        usage_start_time: '2026-11-23 00:00:00 UTC',
        usage_end_time: '2026-11-23T01:00:00Z',
        usage: { amount: 10, unit: 'count' },
        cost: 0.000025,
        currency: 'USD',
        cost_type: 'regular',
      }),
      { model: 'gemini-3.5-flash-lite', part: 'output', tier: 'batch', nanoUsd: 25_000, counts: { output: 10 } },
    ],
    [
      'a row of BigQuery as a table',
      'service.description,sku.description,usage_start_time,usage_end_time,usage.amount,usage.unit,cost,currency,credits\nGemini API,EmbedContent input token count for gemini-embedding-001,2026-11-23 00:00:00+00,2026-11-23 01:00:00+00,10,count,0.5,USD,"[{""name"":""Free"",""amount"":-0.5}]"',
      { apart: 'credit', item: 'Free', nanoUsd: -500_000_000 },
    ],
  ]
  test.each(cases)('%s', (_what, text, expected) => {
    expect(
      read(text).lines.filter(({ nanoUsd, counts }) => nanoUsd !== null || Object.keys(counts).length > 0)[0],
    ).toMatchObject(expected)
  })
})

test('a day of the console of Google is one in California', () => {
  const text =
    'Date,Service description,SKU description,Usage amount,Usage unit,Unrounded subtotal ($),Subtotal ($)\n2026-11-23,Gemini API,Generate content input token count gemini 3.5 flash text,"1,234",count,0.001851,0.00\n2026-11-23,Compute Engine,N2 core,1,hour,4.5,4.50\n,,,,Subtotal,4.501851,4.50\n,,,,Tax,0.900000,0.90\n'
  const invoice = read(text)
  expect(invoice).toMatchObject({ timeZone: 'America/Los_Angeles', stepNanoUsd: 1_000, provider: 'google' })
  expect(invoice.lines[0]).toMatchObject({ start: Date.parse('2026-11-23T08:00:00Z'), counts: { input: 1_234 } })
  expect(invoice.lines[1]).toMatchObject({ apart: 'tax', nanoUsd: 900_000_000 })
  expect(invoice.notes).toEqual(['Not compared: 1 line of Compute Engine.'])
})

describe('a file may be written in many ways', () => {
  const one = page(bucket(0.25))
  const two = page(bucket(0.5, {}, 1_795_478_400))
  const sums = (text: string) => read(text).lines.reduce((sum, { nanoUsd }) => sum + (nanoUsd ?? 0), 0)
  test.each([
    ['pages one after another', `${one}${two}`],
    ['a page on each line', `${one}\n${two}\n`],
    ['a list of pages', `[${one},${two}]`],
    ['a list of buckets', JSON.stringify([bucket(0.25), bucket(0.5, {}, 1_795_478_400)])],
    ['with a byte order mark', `\uFEFF${one}\n\n${two}`],
    ['a page that is there twice', `${one}${two}${one}`],
  ])('%s', (_how, text) => {
    expect(sums(text)).toBe(750_000_000)
  })

  const table = [
    ['start_time', 'end_time', 'amount_value', 'amount_currency', 'line_item'],
    ['1795392000', '1795478400', '0.250000000000', 'usd', 'gpt-5-nano, input'],
    ['1795478400', '1795564800', '', '', ''],
    ['1795478400', '1795564800', '1234.50', 'usd', 'gpt-5-nano, "output"'],
  ]
  const local = table.map((row) => row.map((cell, at) => (at === 2 ? cell.replace('.', ',') : cell)))
  test.each([
    ['commas', csv(table)],
    ['line feeds', csv(table).replaceAll('\r\n', '\n')],
    ['tabs', csv(table, '\t')],
    ['semicolons and decimal commas', csv(local, ';')],
    ['quoted decimal commas', csv(local)],
    ['lines above the table', `Organisation,Me\n\n${csv(table)}`],
    ['a head that is repeated', `${csv(table.slice(0, 2))}\n${csv([table[0] ?? [], ...table.slice(2)])}`],
  ])('a table with %s', (_how, text) => {
    expect(sums(text)).toBe(1_234_750_000_000)
  })

  test('any field survives being written and read', () => {
    const field = fc.string({ unit: fc.constantFrom('a', '"', ',', ';', '\n', '\r', ' ', 'é') })
    fc.assert(
      fc.property(field, fc.constantFrom(',', ';', '\t'), (name, separator) => {
        const rows = [
          ['start_time', 'end_time', 'amount_value', 'line_item', 'project_name'],
          ['1795392000', '1795478400', '1', 'gpt-5-nano', `x${name}x`],
        ]
        expect(read(csv(rows, separator)).lines[0]?.project).toBe(`x${name}x`)
      }),
    )
  })
})

describe('what is not understood is said', () => {
  test.each([
    ['an empty file', '', 'the file is empty'],
    ['an unknown table', 'foo;bar;baz\n1;2;3', 'Its columns: foo, bar, baz. Understood are:\n  OpenAI costs'],
    ['unknown JSON', '{"foo": {"bar": 1}, "baz": 2}', 'value 1: fields: foo_bar, baz'],
    ['JSON that breaks off', '{"object":"page","data":[', 'no JSON from value 1 on'],
    ['a list of numbers', '[1,2]', 'value 1.1 is no object: 1'],
    [
      'an amount that is none',
      'start_time,amount_value\n1795392000,12 apples',
      'row 2: "amount_value" is no amount: "12 apples"',
    ],
    ['a count that is none', `${ACTIVITY}\n2026-11-23,a/b,1,0,-5,1,1,0`, 'row 2: "requests" is no count: "-5"'],
    [
      'a time that is none',
      'usage_date_utc,cost_usd\nAugust,1',
      '"starting_at" is no time such as 2026-11-23: "August"',
    ],
    ['a row without a time', 'usage_date_utc,cost_usd\n,1', 'row 2: "starting_at" is empty'],
    [
      'times alone',
      'start_time,end_time,start_time_iso,end_time_iso\n1795392000,1795478400,x,x',
      'Its columns: start_time',
    ],
    ['buckets without results', page({ ...bucket(1), results: [] }), 'the export is empty'],
  ])('%s', (_what, text, expected) => {
    expect(() => read(text)).toThrow(expected)
  })

  test('files of several services', () => {
    expect(() => read(page(bucket(1)), `${ACTIVITY}\n${activityRow}`)).toThrow(
      'files of several services (openai, openrouter)',
    )
  })
})

test('amounts in another currency have no value here, wherever it is named', () => {
  const report =
    'Date,Service description,SKU description,Usage amount,Usage unit,Unrounded subtotal (€),Subtotal (€)\n2026-11-23,Gemini API,Generate content input token count gemini 3.5 flash text,9,count,0.001851,0.00\n'
  expect(read(report)).toMatchObject({
    hasMoney: false,
    currencies: ['€'],
    lines: [{ nanoUsd: null, counts: { input: 9 } }],
  })
  const costs = page(bucket(1)).replace('"usd"', '"eur"')
  expect(read(costs)).toMatchObject({ hasMoney: false, currencies: ['EUR'] })
})

test('each form tells what it counts of its own lines', () => {
  const of = (...results: object[]) => page({ ...bucket(0), results })
  const { lines, notes } = read(
    of({ input_tokens: 9, output_tokens: 1, num_model_requests: 1, model: 'gpt-5-nano' }),
    of({ images: 3, num_model_requests: 2, model: 'gpt-image-1' }),
    of({ object: 'organization.usage.file_searches.result', num_requests: 4 }),
    page(bucket(0))
      .replace('"has_more":false', '"has_more":true')
      .replace(/"results":\[.*\]\}\]/, '"results":[]}]'),
  )
  const told = lines.flatMap(({ tells, counts }) => (tells === undefined ? [] : [[[...tells], counts] as const]))
  expect(told.map(([tells]) => tells)).toEqual([
    ['requests', 'input', 'output'],
    ['requests', 'images'],
    ['tool:web_search', 'tool:file_search', 'tool:code_interpreter'],
  ])
  expect(told[2]?.[1]).toEqual({ 'tool:file_search': 4 })
  expect(notes).toEqual([expect.stringContaining('has_more')])
})

test('costs and usage in two files are one invoice, whose quantities count once', () => {
  const quantity = { line_item: 'gpt-5-nano, input', quantity: 100, quantity_unit: 'tokens' }
  const usage = page({
    ...bucket(0),
    results: [{ input_tokens: 100, output_tokens: 0, num_model_requests: 1, model: 'gpt-5-nano' }],
  })
  const { lines, tells, hasMoney } = read(page(bucket(0.5, quantity)), usage)
  expect(hasMoney).toBe(true)
  expect(tells.has('requests')).toBe(true)
  expect(lines.reduce((sum, { counts }) => sum + (counts.input ?? 0), 0)).toBe(100)
})
