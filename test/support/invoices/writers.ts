/** Writes invoices as the services do: one writer for each form, by its documentation. */

import type { BilledCall } from './billedCall.ts'

/** What stands on an invoice beside calls. */
export interface Extra {
  readonly kind: 'tax' | 'credit' | 'apart' | 'adjustment'
  readonly at: number
  readonly nanoUsd: number
}

export interface Form {
  readonly name: string
  readonly provider: string
  /** What the form tells. */
  readonly money: 'none' | 'exact' | 'cents'
  readonly counts: 'none' | 'tokens' | 'calls'
  /** Whether cached tokens, writes to the cache and searches are told. */
  readonly cached: boolean
  readonly written: boolean
  readonly searches: boolean
  readonly tier: boolean
  /** Whether amounts are by what is billed. */
  readonly byPart: boolean
  /** Zone in which a day is a day. */
  readonly timeZone: string
  readonly extras: readonly Extra['kind'][]
  write(calls: readonly BilledCall[], extras: readonly Extra[]): string
}

const DAY = 86_400_000
const dayOf = (at: number) => Math.floor(at / DAY) * DAY
const iso = (at: number) => new Date(at).toISOString()
const date = (at: number) => iso(at).slice(0, 10)
const second = (at: number) => at / 1000

/** USD, with all digits. */
export const usd = (nano: number): string => {
  const digits = String(Math.abs(Math.round(nano))).padStart(10, '0')
  return `${nano < 0 ? '-' : ''}${digits.slice(0, -9)}.${digits.slice(-9)}`
}

export const csv = (rows: readonly (readonly (string | number)[])[], separator = ','): string =>
  rows
    .map((row) =>
      row
        .map((cell) => {
          const text = String(cell)
          return text.includes(separator) || /["\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
        })
        .join(separator),
    )
    .join('\r\n')

function groups(calls: readonly BilledCall[], keyOf: (call: BilledCall) => string): readonly (readonly BilledCall[])[] {
  const found = new Map<string, BilledCall[]>()
  for (const call of calls) found.set(keyOf(call), [...(found.get(keyOf(call)) ?? []), call])
  return [...found.values()]
}

const byDayAndModel = ({ at, model, key, tier }: BilledCall) => JSON.stringify([dayOf(at), model, key, tier])

const sum = (calls: readonly BilledCall[], of: (call: BilledCall) => number) =>
  calls.reduce((all, call) => all + of(call), 0)

/** As the services name versions. */
const version = (model: string) => {
  const versions: Record<string, string> = {
    'gpt-5.1': 'gpt-5.1-2025-11-13',
    'gpt-4.1': 'gpt-4.1-2025-04-14',
  }
  return versions[model] ?? model
}

function buckets(calls: readonly BilledCall[], extras: readonly Extra[]): readonly number[] {
  return [...new Set([...calls, ...extras].map(({ at }) => dayOf(at)))].toSorted((a, b) => a - b)
}

const page = (data: readonly object[]) =>
  JSON.stringify({ object: 'page', data, has_more: false, next_page: null }, null, 2)

const openaiUsage: Form = {
  name: 'OpenAI usage, JSON',
  provider: 'openai',
  money: 'none',
  counts: 'calls',
  cached: true,
  written: true,
  searches: false,
  tier: true,
  byPart: false,
  timeZone: 'UTC',
  extras: [],
  write: (calls) =>
    // One page for each day, one after another.
    buckets(calls, [])
      .map((day) =>
        page([
          {
            object: 'bucket',
            start_time: second(day),
            end_time: second(day + DAY),
            results: groups(
              calls.filter(({ at }) => dayOf(at) === day),
              byDayAndModel,
            ).map((group) => ({
              object: 'organization.usage.completions.result',
              input_tokens: sum(group, (call) => call.fresh + call.cached + call.written),
              output_tokens: sum(group, ({ output }) => output),
              input_cached_tokens: sum(group, ({ cached }) => cached),
              input_cache_write_tokens: sum(group, ({ written }) => written),
              num_model_requests: group.length,
              project_id: null,
              api_key_id: group[0]?.key ?? null,
              model: version(group[0]?.model ?? ''),
              batch: null,
              service_tier: group[0]?.tier ?? 'default',
            })),
          },
        ]),
      )
      .join('\n'),
}

const openaiUsageFile: Form = {
  ...openaiUsage,
  name: 'OpenAI usage, CSV',
  written: false,
  write: (calls) => {
    const head =
      'start_time,end_time,start_time_iso,end_time_iso,project_id,num_model_requests,user_id,api_key_id,model,batch,service_tier,input_tokens,output_tokens,input_cached_tokens,input_uncached_tokens'
    const rows = groups(calls, byDayAndModel).map((group) => {
      const [first] = group
      const day = dayOf(first?.at ?? 0)
      const cached = sum(group, (call) => call.cached)
      const fresh = sum(group, (call) => call.fresh + call.written)
      return [
        ...[second(day), second(day + DAY), iso(day), iso(day + DAY), 'proj_1', `${group.length}.0`, 'user-1'],
        ...[first?.key ?? 'key_1', version(first?.model ?? ''), 'FALSE', first?.tier ?? 'default'],
        ...[`${fresh + cached}.0`, `${sum(group, ({ output }) => output)}.0`, `${cached}.0`, `${fresh}.0`],
      ]
    })
    return csv([head.split(','), ...rows])
  },
}

const NAMES: Readonly<Record<string, string>> = {
  fresh: 'input',
  cached: 'cached input',
  written: 'cache write input',
  output: 'output',
}

const costResult = (nano: number, line_item: string | null, more: object = {}) => ({
  object: 'organization.costs.result',
  amount: { value: nano / 1e9, currency: 'usd' },
  line_item,
  project_id: null,
  ...more,
})

const openaiCosts: Form = {
  name: 'OpenAI costs by line item with quantities, JSON',
  provider: 'openai',
  money: 'exact',
  counts: 'tokens',
  cached: true,
  written: true,
  searches: false,
  tier: false,
  byPart: true,
  timeZone: 'UTC',
  extras: ['credit', 'apart'],
  write: (calls, extras) =>
    page(
      buckets(calls, extras).map((day) => ({
        object: 'bucket',
        start_time: second(day),
        end_time: second(day + DAY),
        results: [
          ...groups(
            calls.filter(({ at }) => dayOf(at) === day),
            byDayAndModel,
          ).flatMap((group) =>
            Object.entries(NAMES).flatMap(([part, name]) => {
              const tokens = sum(group, (call) => call[part as 'fresh'])
              const nano = sum(group, ({ parts }) => parts?.[part] ?? 0)
              return tokens === 0
                ? []
                : [
                    costResult(nano, `${version(group[0]?.model ?? '')}, ${name}`, {
                      quantity: tokens,
                      quantity_unit: 'tokens',
                    }),
                  ]
            }),
          ),
          ...extras
            .filter(({ at }) => dayOf(at) === day)
            .map(({ kind, nanoUsd }) => costResult(nanoUsd, kind === 'credit' ? 'Credit' : 'vector store storage')),
        ],
      })),
    ),
}

const openaiDays: Form = {
  ...openaiCosts,
  name: 'OpenAI costs by day alone, CSV',
  counts: 'none',
  byPart: false,
  extras: ['credit'],
  write: (calls, extras) => {
    const head =
      'start_time,end_time,start_time_iso,end_time_iso,amount_value,amount_currency,line_item,project_id,organization_id,organization_name'
    const rows = buckets(calls, extras).flatMap((day) => {
      const places = [second(day), second(day + DAY), iso(day), iso(day + DAY)]
      const nano = sum(
        calls.filter(({ at }) => dayOf(at) === day),
        ({ nanoUsd }) => nanoUsd,
      )
      const whole = [...places, `${usd(nano)}00000000`, 'usd', '', '', 'org-1', 'Personal']
      const credits = extras.filter(({ at }) => dayOf(at) === day)
      return [whole, ...credits.map((one) => [...places, usd(one.nanoUsd), 'usd', 'Credit', '', 'org-1', 'Personal'])]
    })
    return csv([head.split(','), ...rows])
  },
}

const anthropicUsage: Form = {
  name: 'Anthropic usage, JSON',
  provider: 'anthropic',
  money: 'none',
  counts: 'tokens',
  cached: true,
  written: true,
  searches: true,
  tier: true,
  byPart: false,
  timeZone: 'UTC',
  extras: [],
  write: (calls) =>
    JSON.stringify({
      data: buckets(calls, []).map((day) => ({
        starting_at: iso(day).replace('.000', ''),
        ending_at: iso(day + DAY).replace('.000', ''),
        results: groups(
          calls.filter(({ at }) => dayOf(at) === day),
          byDayAndModel,
        ).map((group) => ({
          account_id: null,
          api_key_id: group[0]?.key ?? null,
          uncached_input_tokens: sum(group, ({ fresh }) => fresh),
          cache_creation: {
            ephemeral_1h_input_tokens: sum(group, ({ writtenLong }) => writtenLong),
            ephemeral_5m_input_tokens: sum(group, ({ written }) => written),
          },
          cache_read_input_tokens: sum(group, ({ cached }) => cached),
          context_window: '0-200k',
          inference_geo: 'not_available',
          model: group[0]?.model,
          output_tokens: sum(group, ({ output }) => output),
          server_tool_use: { web_search_requests: sum(group, ({ searches }) => searches) },
          service_tier: group[0]?.tier ?? 'standard',
          workspace_id: null,
        })),
      })),
      has_more: false,
      next_page: null,
    }),
}

const anthropicUsageFile: Form = {
  ...anthropicUsage,
  name: 'Anthropic usage, CSV',
  write: (calls) => {
    const head =
      'usage_date_utc,model_version,api_key,workspace,usage_type,context_window,usage_input_tokens_no_cache,usage_input_tokens_cache_write_5m,usage_input_tokens_cache_write_1h,usage_input_tokens_cache_read,usage_output_tokens,web_search_count,inference_geo,speed'
    const rows = groups(calls, byDayAndModel).map((group) => [
      ...[date(group[0]?.at ?? 0), group[0]?.model ?? '', group[0]?.key ?? 'key', 'Default'],
      ...[
        group[0]?.tier ?? 'standard',
        '≤ 200k',
        sum(group, ({ fresh }) => fresh),
        sum(group, ({ written }) => written),
      ],
      ...[sum(group, ({ writtenLong }) => writtenLong), sum(group, ({ cached }) => cached)],
      ...[sum(group, ({ output }) => output), sum(group, ({ searches }) => searches), 'not_available', ''],
    ])
    return csv([head.split(','), ...rows])
  },
}

const TOKEN_TYPES: Readonly<Record<string, readonly [json: string, file: string]>> = {
  fresh: ['uncached_input_tokens', 'input_no_cache'],
  cached: ['cache_read_input_tokens', 'input_cache_read'],
  written: ['cache_creation.ephemeral_5m_input_tokens', 'input_cache_write_5m'],
  writtenLong: ['cache_creation.ephemeral_1h_input_tokens', 'input_cache_write_1h'],
  output: ['output_tokens', 'output'],
}

const anthropicCosts: Form = {
  name: 'Anthropic costs, JSON',
  provider: 'anthropic',
  money: 'exact',
  counts: 'none',
  cached: false,
  written: false,
  searches: false,
  tier: false,
  byPart: true,
  timeZone: 'UTC',
  extras: ['credit', 'apart'],
  write: (calls, extras) => {
    // Cents, as a decimal text.
    const amount = (nano: number) => `${usd(nano * 100)}`
    const common = { currency: 'USD', context_window: null, inference_geo: null, workspace_id: null }
    const results = (day: number) => [
      ...groups(
        calls.filter(({ at }) => dayOf(at) === day),
        byDayAndModel,
      ).flatMap((group) =>
        Object.entries(TOKEN_TYPES).flatMap(([part, [token_type]]) => {
          const nano = sum(group, ({ parts }) => parts?.[part] ?? 0)
          const model = group[0]?.model
          const item = {
            cost_type: 'tokens',
            description: `${model} usage`,
            model,
            service_tier: 'standard',
            token_type,
          }
          return nano === 0 ? [] : [{ ...common, amount: amount(nano), ...item }]
        }),
      ),
      ...searchesOf(calls, day).map((nano) => ({
        ...{ ...common, amount: amount(nano), cost_type: 'web_search', description: 'Web Search Usage' },
        ...{ model: null, service_tier: null, token_type: null },
      })),
      ...extras
        .filter(({ at }) => dayOf(at) === day)
        .map(({ kind, nanoUsd }) => ({
          ...{ ...common, amount: amount(nanoUsd), cost_type: kind === 'credit' ? 'tokens' : 'session_usage' },
          ...{ description: kind === 'credit' ? 'Credit' : 'Session Usage', model: null, token_type: null },
        })),
    ]
    const data = buckets(calls, extras).map((day) => ({
      ...{ starting_at: iso(day), ending_at: iso(day + DAY) },
      results: results(day),
    }))
    return JSON.stringify({ data, has_more: false, next_page: null })
  },
}

function searchesOf(calls: readonly BilledCall[], day: number): readonly number[] {
  const nano = sum(
    calls.filter(({ at }) => dayOf(at) === day),
    ({ parts }) => parts?.['searches'] ?? 0,
  )
  return nano === 0 ? [] : [nano]
}

const cents = (nano: number) => (Math.round(nano / 10_000_000) / 100).toFixed(2)

const anthropicCostFile: Form = {
  ...anthropicCosts,
  name: 'Anthropic costs, CSV in cents',
  money: 'cents',
  extras: [],
  write: (calls) => {
    const head =
      'usage_date_utc,model,workspace,api_key,usage_type,context_window,token_type,cost_usd,list_price_usd,cost_type,inference_geo,speed'
    const title = (model: string) =>
      model
        .split('-')
        .map((word) => word[0]?.toUpperCase() + word.slice(1))
        .join(' ')
    const rows = groups(calls, byDayAndModel).flatMap((group) =>
      Object.entries(TOKEN_TYPES).flatMap(([part, [, type]]) => {
        const nano = sum(group, ({ parts }) => parts?.[part] ?? 0)
        const places = [date(group[0]?.at ?? 0), title(group[0]?.model ?? ''), 'Default', group[0]?.key ?? 'key']
        return nano === 0
          ? []
          : [[...places, 'message', '≤ 200k', type, cents(nano), cents(nano), 'token', 'global', '']]
      }),
    )
    const days = [...new Set(calls.map(({ at }) => dayOf(at)))]
    const searches = days.flatMap((day) =>
      searchesOf(calls, day).map((nano) => [
        ...[date(day), '', 'Default', 'key', 'message', '', '', cents(nano), cents(nano), 'web_search', 'global', ''],
      ]),
    )
    return csv([head.split(','), ...rows, ...searches])
  },
}

const openrouterActivity: Form = {
  name: 'OpenRouter activity, JSON',
  provider: 'openrouter',
  money: 'exact',
  counts: 'calls',
  cached: false,
  written: false,
  searches: false,
  tier: false,
  byPart: false,
  timeZone: 'UTC',
  extras: [],
  write: (calls) =>
    JSON.stringify({
      data: groups(calls, byDayAndModel).map((group) => ({
        date: date(group[0]?.at ?? 0),
        model: group[0]?.model,
        model_permaslug: `${group[0]?.model}-20260801`,
        endpoint_id: '550e8400-e29b-41d4-a716-446655440000',
        provider_name: 'Somebody',
        usage: sum(group, ({ nanoUsd }) => nanoUsd) / 1e9,
        byok_usage_inference: 0,
        requests: group.length,
        prompt_tokens: sum(group, (call) => call.fresh + call.cached + call.written + call.writtenLong),
        completion_tokens: sum(group, ({ output }) => output),
        reasoning_tokens: sum(group, ({ reasoning }) => reasoning),
      })),
    }),
}

const openrouterActivityFile: Form = {
  ...openrouterActivity,
  name: 'OpenRouter activity, CSV',
  write: (calls) => {
    const head = [
      'Date',
      'Slug',
      'Usage',
      'BYOK Usage',
      'Requests',
      'Prompt Tokens',
      'Completion Tokens',
      'Reasoning Tokens',
    ]
    const rows = groups(calls, byDayAndModel).map((group) => [
      ...[`${date(group[0]?.at ?? 0)} 00:00:00`, group[0]?.model ?? '', usd(sum(group, ({ nanoUsd }) => nanoUsd)), '0'],
      ...[group.length, sum(group, (call) => call.fresh + call.cached + call.written + call.writtenLong)],
      ...[sum(group, ({ output }) => output), sum(group, ({ reasoning }) => reasoning)],
    ])
    return csv([head, ...rows])
  },
}

const openrouterGenerations: Form = {
  ...openrouterActivity,
  name: 'OpenRouter generations, CSV',
  cached: true,
  write: (calls) => {
    const head =
      'generation_id,created_at,cost_total,cost_web_search,cost_cache,cost_file_processing,byok_usage_inference,tokens_prompt,tokens_completion,tokens_reasoning,tokens_cached,model_permaslug,provider_name,variant,cancelled,streamed'
    const rows = calls.map((call, index) => [
      ...[`gen-${index}`, iso(call.at).replace('T', ' ').replace('Z', ''), usd(call.nanoUsd), 0, 0, 0, 0],
      ...[call.fresh + call.cached + call.written + call.writtenLong, call.output, call.reasoning, call.cached],
      ...[call.model, 'Somebody', 'standard', 'false', 'true'],
    ])
    return csv([head.split(','), ...rows])
  },
}

const SKUS: Readonly<Record<string, string>> = {
  fresh: 'Generate content input token count MODEL short input text',
  audio: 'Generate content input token count MODEL input audio',
  cached: 'Generate content cached input token count MODEL input short text',
  output: 'Generate content output token count MODEL short output text',
}

interface SkuLine {
  readonly day: number
  readonly sku: string
  readonly tokens: number
  readonly nano: number
}

function skuLines(calls: readonly BilledCall[]): readonly SkuLine[] {
  return groups(calls, byDayAndModel).flatMap((group) =>
    Object.entries(SKUS).flatMap(([part, text]) => {
      const tokens = sum(group, (call) => (part === 'fresh' ? call.fresh - call.audio : call[part as 'output']))
      const sku = text.replace('MODEL', (group[0]?.model ?? '').replaceAll('-', ' '))
      const nano = sum(group, ({ parts }) => parts?.[part] ?? 0)
      const tier = group[0]?.tier === undefined ? '' : ` ${group[0].tier}`
      return tokens === 0 ? [] : [{ day: dayOf(group[0]?.at ?? 0), sku: sku + tier, tokens, nano }]
    }),
  )
}

const googleRows: Form = {
  name: 'Google rows of BigQuery, JSON lines',
  provider: 'google',
  money: 'exact',
  counts: 'tokens',
  cached: true,
  written: false,
  searches: false,
  tier: true,
  byPart: true,
  timeZone: 'UTC',
  extras: ['credit', 'tax', 'adjustment'],
  write: (calls, extras) => {
    const row = (day: number, sku: string, nano: number, more: object) => ({
      billing_account_id: '000000-000000-000000',
      service: { id: 'AEFD-7695-64FA', description: 'Gemini API' },
      sku: { id: '0000-0000-0000', description: sku },
      usage_start_time: `${iso(day).slice(0, 19).replace('T', ' ')} UTC`,
      usage_end_time: `${iso(day + DAY)
        .slice(0, 19)
        .replace('T', ' ')} UTC`,
      project: { id: 'my-project' },
      cost: nano / 1e9,
      currency: 'USD',
      credits: [],
      cost_type: 'regular',
      ...more,
    })
    const rows = skuLines(calls).map(({ day, sku, tokens, nano }) =>
      row(day, sku, nano, { usage: { amount: tokens, unit: 'count' } }),
    )
    const others = extras.map(({ kind, at, nanoUsd }) =>
      kind === 'credit'
        ? row(dayOf(at), 'Generate content input token count gemini 2.5 flash short input text', 0, {
            usage: { amount: 0, unit: 'count' },
            credits: [{ name: 'Free trial', amount: nanoUsd / 1e9, type: 'PROMOTION' }],
          })
        : row(dayOf(at), 'Tax', nanoUsd, { cost_type: kind, service: { description: 'Invoice' } }),
    )
    return [...rows, ...others].map((one) => JSON.stringify(one)).join('\n')
  },
}

const googleReport: Form = {
  ...googleRows,
  name: 'Google report of the console, CSV',
  timeZone: 'America/Los_Angeles',
  extras: ['credit', 'tax'],
  write: (calls, extras) => {
    const head =
      'Date,Service description,Service ID,SKU description,SKU ID,Usage amount,Usage unit,List cost ($),Negotiated savings ($),Savings programs ($),Other savings ($),Unrounded subtotal ($),Subtotal ($)'
    const line = (day: number, sku: string, tokens: number, nano: number, saved: number) => [
      ...[date(day), 'Gemini API', 'AEFD-7695-64FA', sku, '0000', tokens.toLocaleString('en-US'), 'count', cents(nano)],
      ...[usd(saved), '0.00', '0.00', usd(nano + saved), cents(nano + saved)],
    ]
    const rows = skuLines(calls).map(({ day, sku, tokens, nano }) => line(day, sku, tokens, nano, 0))
    const credits = extras
      .filter(({ kind }) => kind === 'credit')
      .map(({ at, nanoUsd }) =>
        line(dayOf(at), SKUS['output']?.replace('MODEL', 'gemini 2.5 flash') ?? '', 0, 0, nanoUsd),
      )
    const tax = extras.filter(({ kind }) => kind === 'tax').reduce((all, { nanoUsd }) => all + nanoUsd, 0)
    const below = ['', '', '', '', '', '', '', '', '', '', 'Tax', usd(tax), cents(tax)]
    return csv([head.split(','), ...rows, ...credits, below])
  },
}

const googleTable: Form = {
  ...googleRows,
  name: 'Google cost table, CSV with semicolons and decimal commas',
  timeZone: 'America/Los_Angeles',
  extras: ['credit', 'tax', 'adjustment'],
  write: (calls, extras) => {
    const head =
      'Billing account name;Billing account ID;Project name;Project ID;Project hierarchy;Service description;Service ID;SKU description;SKU ID;Consumption model description;Credit type;Cost type;Usage start date;Usage end date;Usage amount;Usage unit;Unrounded Cost ($);Cost ($)'
    const comma = (text: string) => text.replace('.', ',')
    const line = (day: number, sku: string, tokens: number, nano: number, type: string, credit = '') => [
      ...['Me', '000000', 'P', 'p', 'o', 'Gemini API', 'AEFD', sku, 'S', 'Default', credit, type, date(day), date(day)],
      ...[tokens.toLocaleString('de-DE'), 'count', comma(usd(nano)), comma(cents(nano))],
    ]
    const rows = skuLines(calls).map(({ day, sku, tokens, nano }) => line(day, sku, tokens, nano, 'Usage'))
    const others = extras.map(({ kind, at, nanoUsd }) =>
      kind === 'credit'
        ? line(dayOf(at), 'Discount', 0, nanoUsd, 'Usage', 'Promotion')
        : line(dayOf(at), kind, 0, nanoUsd, kind === 'tax' ? 'Tax' : 'Adjustment'),
    )
    const above = [['Invoice number', '1'], ['Currency', 'USD'], []]
    return `\uFEFF${csv([...above, head.split(';'), ...rows, ...others], ';')}`
  },
}

export const invoiceForms: readonly Form[] = [
  openaiUsage,
  openaiUsageFile,
  openaiCosts,
  openaiDays,
  anthropicUsage,
  anthropicUsageFile,
  anthropicCosts,
  anthropicCostFile,
  openrouterActivity,
  openrouterActivityFile,
  openrouterGenerations,
  googleRows,
  googleReport,
  googleTable,
]
