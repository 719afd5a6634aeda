/** Invoices of OpenRouter, by its documentation. */

import { byDayAndModel, csv, date, type Form, groups, iso, sum, usd } from './paper.ts'

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

export const openrouterForms: readonly Form[] = [openrouterActivity, openrouterActivityFile, openrouterGenerations]
