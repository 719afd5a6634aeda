/** What keywise keeps on disk and somebody may have changed: the vault, and rows of its database. */

import { OpenVault } from '../../../src/config/vault/openVault.ts'
import { parseVault } from '../../../src/config/vault/vaultFile.ts'
import { VaultError } from '../../../src/domain/errors.ts'
import { asRecord } from '../../../src/domain/json.ts'
import { Secret } from '../../../src/domain/redact.ts'
import { isAsWritten, readEvent, readLabels, readUsageRow } from '../../../src/store/sqlite/eventRow.ts'
import { type FuzzTarget, promise } from '../driver.ts'
import { mutated, mutatedBytes, mutatedText, smallerValues } from '../mutate.ts'
import { noPollution, orRefusal } from '../promises.ts'
import { smallerJson } from './requests.ts'

/** Obviously no real one, and put together here so that no scanner takes it for one. */
const KEY = `gsk_${'vaultFuzz'.repeat(2)}${'5T6r7E8w'.repeat(3)}`
const MEANS_KEY = new Secret(Buffer.alloc(32, 7).toString('base64'))
const MEANS = { passphrase: null, keys: [MEANS_KEY] }
const NOW = Date.UTC(2026, 10, 30, 12)

const TEXT = (() => {
  const vault = OpenVault.create({ ways: [{ kind: 'file', key: MEANS_KEY }], now: NOW })
  const entry = { provider: 'groq', address: null, createdAt: '2026-11-30T12:00:00.000Z', note: 'x' }
  vault.put({ ...entry, name: 'one', secret: new Secret(KEY) })
  vault.put({ ...entry, name: 'two', provider: 'my-vllm', address: 'https://e.org', secret: new Secret(`${KEY}2`) })
  return vault.text()
})()

/** The file holds random numbers, so that a case is tried again with other ones: what must hold is the same. */
export const vaults: FuzzTarget<Buffer> = {
  name: 'vaults',
  share: 3,
  make: (random) =>
    random.chance(0.3)
      ? mutatedBytes(TEXT, random)
      : mutatedBytes(mutatedText(mutated(JSON.parse(TEXT), random), random, 0.2), random),
  check(bytes) {
    let said = ''
    const opened = orRefusal(
      () => OpenVault.open(parseVault(bytes, 'vault.json', 'keywise-vault'), MEANS, 'vault.json'),
      (error) => {
        said = String(error)
        return error instanceof VaultError
      },
    )
    promise(!said.includes(KEY), 'the error holds a key')
    noPollution()
    if (opened === undefined) return
    // What opens says what was sealed: all of it, or nothing.
    const found = opened.entries.map(({ name, provider, secret }) => `${name} ${provider} ${secret.reveal()}`)
    promise(found.join() === `one groq ${KEY},two my-vllm ${KEY}2`, () => 'a changed vault opens')
  },
  *smaller(bytes) {
    yield* smallerJson(bytes.toString(), (text) => Buffer.from(text))
  },
  show: (bytes) => JSON.stringify(bytes.toString('latin1')),
}

const ROW = {
  ...{ seq: 1, id: 'a1', kind: 'attempt', at: NOW, origin: 'o', request_id: 'kw_1', number: 1, source: 'live' },
  ...{ state_id: 's', provider: 'groq', model: 'm', fingerprint: 'f', key_index: 1, account: 'a' },
  ...{ started_at: NOW - 500, latency_ms: 500, first_token_ms: 100, streamed: 1, ok: 0, failure_kind: 'rate_minute' },
  ...{ status: 429, input_tokens: 10, output_tokens: 5, cached_input_tokens: 2, cache_write_tokens: 0 },
  ...{ reasoning_tokens: 1, usage_estimated: 0, reported_cost_usd: 0.01, parts: '{"input":{"audio":3}}' },
  ...{ cost_nano_usd: 5_000, cost_at_least_nano_usd: null, cost_at_most_nano_usd: null, price_source: 'config' },
  ...{ excused: null, task: 't', session: 's', token: 'k', labels: '{"team":"a"}', sum: 12_345 },
  rest: '{"message":"slow down","facts":{"retryAfterMs":1000},"limits":[{"unit":"requests"}],"calls":2,"leftOut":["n"]}',
}
const RATED = { ...ROW, kind: 'quality', rest: '{"score":0.5,"target":{"provider":"groq"}}' }

export const rows: FuzzTarget<Record<string, unknown>> = {
  name: 'rows',
  share: 4,
  make(random) {
    const row = random.of([ROW, ROW, RATED])
    const json = random.of(['rest', 'labels', 'parts'] as const)
    const changed = { ...row, [json]: mutatedText(mutated(JSON.parse(row[json]), random), random) }
    return random.chance(0.5) ? changed : asColumns(mutated(changed, random))
  },
  check(row) {
    readEvent(row)
    readUsageRow(row)
    readLabels(row['labels'])
    isAsWritten(row)
    noPollution()
  },
  *smaller(row) {
    for (const smaller of smallerValues(row)) yield asColumns(smaller)
  },
  show: (row) => JSON.stringify(row),
}

/** A column holds a number, a text, nothing, or bytes. */
function asColumns(value: unknown): Record<string, unknown> {
  const columns = Object.entries(asRecord(value) ?? {})
  return Object.fromEntries(
    columns.map(([name, column]) => {
      if (typeof column === 'boolean') return [name, Number(column)]
      return [name, typeof column === 'object' && column !== null ? Buffer.from(JSON.stringify(column)) : column]
    }),
  )
}
