/**
 * Anthropic: the usage and cost reports of the Admin API, and the console's files.
 * https://platform.claude.com/docs/en/api/admin/usage_report, https://platform.claude.com/docs/en/api/admin/cost_report
 * (2026-11-30); columns of the console's files as published by those who read them (2026-11-30).
 */

import { type Form, type InvoiceRecord, tierFrom } from '../form.ts'
import type { BilledPart, InvoiceLine, Measure } from '../invoice.ts'
import { startAndEnd } from '../span.ts'

const PROVIDER = 'anthropic'
const TELLS: readonly Measure[] = ['input', 'output', 'cached', 'cacheWrite', 'cacheWrite1h', 'tool:web_search']

const places = (record: InvoiceRecord) => ({
  ...startAndEnd(record, ['starting_at', 'usage_date_utc'], ['ending_at']),
  key: record.text('api_key', 'api_key_id'),
  project: record.text('workspace', 'workspace_id'),
})

const tierOf = (record: InvoiceRecord) =>
  tierFrom(record.text('service_tier', 'usage_type'), record.text('speed'), record.text('inference_geo'))

/** What is cached or written is not part of the uncached tokens. */
export const anthropicUsage: Form = {
  title: 'Anthropic usage (JSON of /v1/organizations/usage_report/messages, or the console’s CSV)',
  provider: PROVIDER,
  needs: ['starting_at|usage_date_utc', 'uncached_input_tokens|usage_input_tokens_no_cache'],
  tells: (fields) => (fields.has('requests') ? ['requests', ...TELLS] : TELLS),
  tellsTier: (fields) => fields.has('service_tier') || fields.has('usage_type'),
  lines(record) {
    const cached = record.count('cache_read_input_tokens', 'usage_input_tokens_cache_read')
    const short = record.count('cache_creation_ephemeral_5m_input_tokens', 'usage_input_tokens_cache_write_5m')
    const long = record.count('cache_creation_ephemeral_1h_input_tokens', 'usage_input_tokens_cache_write_1h')
    const fresh = record.count('uncached_input_tokens', 'usage_input_tokens_no_cache')
    return [
      {
        ...places(record),
        model: record.text('model', 'model_version'),
        tier: tierOf(record),
        counts: {
          requests: record.count('requests'),
          input: fresh + cached + short + long,
          output: record.count('output_tokens', 'usage_output_tokens'),
          cached,
          cacheWrite: short + long,
          cacheWrite1h: long,
          'tool:web_search': record.count('server_tool_use_web_search_requests', 'web_search_count'),
        },
        nanoUsd: null,
        part: null,
      },
    ]
  },
}

/** In the report's words and in those of the console. */
const PARTS: Readonly<Record<string, BilledPart>> = {
  uncached_input_tokens: 'input',
  input_no_cache: 'input',
  cache_read_input_tokens: 'cached',
  input_cache_read: 'cached',
  cache_creation_ephemeral_5m_input_tokens: 'cacheWrite',
  input_cache_write_5m: 'cacheWrite',
  cache_creation_ephemeral_1h_input_tokens: 'cacheWrite1h',
  input_cache_write_1h: 'cacheWrite1h',
  output_tokens: 'output',
  output: 'output',
}

const TOOLS: ReadonlySet<string> = new Set(['web_search', 'code_execution'])

function costLines(record: InvoiceRecord, nanoUsd: number | null): readonly InvoiceLine[] {
  if (nanoUsd === null) return []
  const kind = record.text('cost_type')?.toLowerCase() ?? ''
  const word = record.text('token_type')?.toLowerCase().replaceAll('.', '_') ?? ''
  const item = record.text('description') ?? (word || kind)
  const isTool = TOOLS.has(kind) || TOOLS.has(word)
  const line = {
    ...places(record),
    model: record.text('model'),
    tier: tierOf(record),
    counts: {},
    nanoUsd,
    part: isTool ? ('tools' as const) : (PARTS[word] ?? null),
    ...(item !== '' && { item }),
  }
  if (nanoUsd < 0) return [{ ...line, apart: 'credit' }]
  const isCall = isTool || kind === '' || kind.startsWith('token')
  return [isCall ? line : { ...line, apart: 'other' }]
}

/** Amounts are cents, as decimal texts: `123.45` is $1.2345. */
export const anthropicCosts: Form = {
  title: 'Anthropic costs (JSON of /v1/organizations/cost_report)',
  provider: PROVIDER,
  needs: ['starting_at', 'amount'],
  money: ['amount'],
  tells: () => [],
  lines: (record) => costLines(record, record.amount(['amount'], true)),
}

export const anthropicCostFile: Form = {
  title: 'Anthropic costs (the console’s CSV)',
  provider: PROVIDER,
  needs: ['usage_date_utc', 'cost_usd'],
  money: ['cost_usd'],
  rounds: true,
  tells: () => [],
  lines: (record) => costLines(record, record.amount(['cost_usd'])),
}
