/** Invoices of Anthropic, by its documentation. */

import type { BilledCall } from './billedCall.ts'
import { buckets, byDayAndModel, cents, csv, DAY, date, dayOf, type Form, groups, iso, sum, usd } from './paper.ts'

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

export const anthropicForms: readonly Form[] = [anthropicUsage, anthropicUsageFile, anthropicCosts, anthropicCostFile]
