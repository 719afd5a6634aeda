/** Invoices of OpenAI, by its documentation. */

import { buckets, byDayAndModel, csv, DAY, dayOf, type Form, groups, iso, second, sum, usd } from './paper.ts'

/** As the services name versions. */
const version = (model: string) => {
  const versions: Record<string, string> = {
    'gpt-5.1': 'gpt-5.1-2025-11-13',
    'gpt-4.1': 'gpt-4.1-2025-04-14',
  }
  return versions[model] ?? model
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

export const openaiForms: readonly Form[] = [openaiUsage, openaiUsageFile, openaiCosts, openaiDays]
