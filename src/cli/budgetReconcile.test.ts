import { truncateSync } from 'node:fs'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { expect, test } from 'vitest'
import { own } from '../../test/support/lab.ts'
import { openWorld } from '../../test/support/labCall.ts'
import { makeHome } from '../../test/support/runKeywise.ts'
import { pricedConfig } from '../../test/support/spendWorld.ts'
import { put, temporaryFolder } from '../../test/support/temporaryFolder.ts'
import { APIManager } from '../manager/apiManager.ts'
import { run } from './budget.ts'

const DAY = 86_400

interface Used {
  readonly requests: number
  readonly input: number
  readonly output: number
}

/** USD per million tokens. */
const PRICE = { input: 1000, output: 2000 }
const costOf = ({ input, output }: Used) => (input * PRICE.input + output * PRICE.output) / 1e6

/** A ledger of three calls that were made, and what the service says that it served. */
async function calledThrice() {
  const world = await openWorld({ providers: own('paid', 1, ['m']) })
  const config = pricedConfig(world.config(), { paid: PRICE })
  const store = join(temporaryFolder(), 'keywise.db')
  const home = makeHome(config, { KEYWISE_STORE: store })
  const manager = new APIManager({ config, store, env: {}, logger: false })
  const used = { requests: 0, input: 0, output: 0 }
  for (const prompt of ['Say hi', 'Say hi to everybody here', 'Count to ten']) {
    const { usage } = await manager.callWithFallback(prompt)
    used.requests++
    used.input += usage?.inputTokens ?? 0
    used.output += usage?.outputTokens ?? 0
  }
  await manager.close()
  return { home, used, reconcile: reconcileIn(home.folder, store) }
}

/** Runs the command in this process. */
function reconcileIn(folder: string, store: string) {
  return async (files: readonly string[], options: object = {}) => {
    let text = ''
    const stdout = new PassThrough().on('data', (data) => {
      text += String(data)
    }) as unknown as NodeJS.WriteStream // all that the command uses of a stream
    const config = join(folder, 'config/api-keys.json')
    const args = ['reconcile', ...files]
    const code = await run({
      args,
      options: { config, store, ...options },
      env: {},
      cwd: folder,
      stdout,
      stderr: stdout,
    })
    await new Promise((done) => setImmediate(done))
    return { code, stdout: text }
  }
}

/** A page of OpenAI's with one bucket: today. */
function page(...results: readonly object[]): string {
  const start = Math.floor(Date.now() / 1000 / DAY) * DAY
  const bucket = { object: 'bucket', start_time: start, end_time: start + DAY, results }
  return JSON.stringify({ object: 'page', data: [bucket], has_more: false, next_page: null })
}

const usageResult = ({ requests, input, output }: Used, model = 'm') => ({
  object: 'organization.usage.completions.result',
  ...{ input_tokens: input, output_tokens: output, input_cached_tokens: 0, num_model_requests: requests, model },
})

const costResult = (value: number, currency = 'usd') => ({
  object: 'organization.costs.result',
  ...{ amount: { value, currency }, line_item: null, project_id: null },
})

const paid = { provider: 'paid' }

test('keywise budget reconcile compares files with the ledger and ends with a code that says how it went', async () => {
  const { home, used, reconcile } = await calledThrice()
  put(home.folder, 'usage.json', page(usageResult(used)))
  put(home.folder, 'costs.json', page(costResult(costOf(used))))
  const same = await home.keywise('budget', 'reconcile', 'usage.json', 'costs.json', '--provider', 'paid')
  expect(same).toMatchObject({ code: 0, stderr: '' })
  expect(same.stdout).toMatch(
    /^Invoice \$([\d.]+), ledger \$\1 \(100 %\): they agree\nOpenAI usage .*; OpenAI costs .*\. paid, .* \(UTC\), 3 calls in the ledger\.\n$/,
  )

  const other = { requests: 2, input: 50_000, output: 1_000 }
  put(home.folder, 'more.json', page(usageResult(used), usageResult(other, 'gpt-4.1')))
  const more = await reconcile(['more.json'], paid)
  expect(more.code).toBe(3)
  expect(more.stdout).toMatch(
    /^Invoice [\d,]+ tokens in 5 calls, ledger [\d,]+ tokens in 3 calls \([\d.]+ %\): 1 difference\n/,
  )
  expect(more.stdout).toMatch(
    /\nunknown-calls +- +gpt-4\.1 +\d{4}-\d\d-\d\d +billed, and not in the ledger \(2 calls, 50,000 input tokens, 1,000 output tokens\)/,
  )

  put(home.folder, 'dear.json', page(costResult(costOf(used) + 1)))
  const told = JSON.parse((await reconcile(['usage.json', 'dear.json'], { ...paid, json: true })).stdout)
  expect(told).toMatchObject({
    agrees: false,
    providers: ['paid'],
    timeZone: 'UTC',
    explainedUsd: 1,
    unexplainedUsd: 0,
    invoice: { counts: used },
    ledger: { calls: 3, counts: used },
    differences: [{ kind: 'price', model: null, differenceUsd: 1, priceSources: [expect.stringContaining('config')] }],
  })

  put(home.folder, 'euro.json', page(costResult(costOf(used), 'eur')))
  const euro = await reconcile(['usage.json', 'euro.json'], paid)
  expect(euro).toMatchObject({ code: 0, stdout: expect.stringContaining('Amounts in EUR are not converted') })
  const nobody = await reconcile(['usage.json'])
  expect(nobody).toMatchObject({ code: 3, stdout: expect.stringMatching(/openai, .* 0 calls in the ledger/) })
  expect((await reconcile(['usage.json'], { ...paid, key: 'paid#1' })).code).toBe(0)
  put(home.folder, 'utf16.json', Buffer.from(`\uFEFF${page(usageResult(used))}`, 'utf16le'))
  expect((await reconcile(['utf16.json'], paid)).code).toBe(0)
})

test('a file that is given twice counts once', async () => {
  const { home, used, reconcile } = await calledThrice()
  const { requests, input, output } = used
  const day = new Date().toISOString().slice(0, 10)
  const head = 'date,model,usage,requests,prompt_tokens,completion_tokens'
  put(home.folder, 'activity.csv', `${head}\n${day},m,${costOf(used)},${requests},${input},${output}\n`)
  const { code, stdout } = await reconcile(['activity.csv', 'activity.csv'], paid)
  expect(stdout).toContain('they agree')
  expect(stdout).toContain('The same file is given more than once; it was counted once.')
  expect(code).toBe(0)
})

test('names in a file move no cursor and break no line', async () => {
  const { home, used, reconcile } = await calledThrice()
  const name = '=cmd()\u001b[2J\u009b31m\r\nInvoice agrees\u202e\u2028'
  put(home.folder, 'names.json', page(usageResult(used), usageResult({ ...used, requests: 7 }, name)))
  put(home.folder, 'item.json', page({ ...costResult(1), line_item: name }))
  put(home.folder, 'column.csv', `Date,"${name}"\n1,2\n`)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the ones that may not be printed
  const harmful = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u202e]|\nInvoice agrees/
  for (const file of ['names.json', 'item.json']) {
    const { stdout } = await reconcile([file], paid)
    expect(stdout).toContain('=cmd()')
    expect(stdout).not.toMatch(harmful)
    expect((await reconcile([file], { ...paid, json: true })).stdout).not.toMatch(/\\u001b|\\r|\u202e/)
  }
  const strange = await home.keywise('budget', 'reconcile', 'column.csv')
  expect(strange.stderr).toContain('=cmd()')
  expect(strange.stderr).not.toMatch(harmful)
})

test('keywise budget reconcile says what is wrong with its files and options', async () => {
  const { home, used, reconcile } = await calledThrice()
  put(home.folder, 'usage.json', page(usageResult(used)))
  put(home.folder, 'strange.csv', 'foo,bar\n1,2\n')
  const strange = await home.keywise('budget', 'reconcile', 'strange.csv')
  expect(strange.code).toBe(2)
  expect(strange.stderr).toMatch(
    /strange\.csv: no form that is understood\. Its columns: foo, bar\. Understood are:\n {2}OpenAI costs/,
  )
  truncateSync(put(home.folder, 'long.csv', 'Date,Slug\n'), 60_000_000)
  await expect(reconcile(['long.csv'])).rejects.toThrow('long.csv has 60 MB; up to 50 are read: export a shorter time')
  await expect(reconcile([])).rejects.toThrow('say which file: keywise budget reconcile FILE')
  put(home.folder, 'euro.json', page(costResult(costOf(used), 'eur')))
  await expect(reconcile(['euro.json'], paid)).rejects.toThrow(
    'euro.json: amounts in EUR are not converted, and nothing else is counted, so there is nothing to compare',
  )
  put(home.folder, 'deep.json', '['.repeat(200_000) + ']'.repeat(200_000))
  await expect(reconcile(['deep.json'])).rejects.toThrow('deep.json: value 1 is nested too deeply for an invoice')
  await expect(reconcile(['usage.json'], { provider: 'piad' })).rejects.toThrow(
    'no provider "piad" in the configuration or in the ledger of that time; there is paid',
  )
  const old = page(usageResult(used)).replaceAll(/_time":(\d+)/g, (_, at) => `_time":${Number(at) - 200 * DAY}`)
  put(home.folder, 'old.json', old)
  await expect(reconcile(['old.json'], paid)).rejects.toThrow(
    /all of the file was billed before \d{4}-\d\d-\d\d; the ledger keeps its rows no longer/,
  )
  await expect(reconcile(['nothing.csv'])).rejects.toThrow('nothing.csv: the file does not exist')
  await expect(reconcile(['usage.json'], { ...paid, key: 'paid#9' })).rejects.toThrow(
    'no key or account "paid#9" of paid; there is paid#1',
  )
  await expect(reconcile(['usage.json'], { until: '2020-01-01' })).rejects.toThrow('the file has nothing in this time')
})

test('keywise budget reconcile names the days of an invoice in its own time zone', async () => {
  const { home, reconcile } = await calledThrice()
  const table = [
    'Service description,SKU description,Usage start date,Usage amount,Usage unit,Cost ($)',
    'Gemini API,Gemini 2.5 Flash input token count,2026-11-30,1000,count,0.30',
  ]
  put(home.folder, 'table.csv', table.join('\n'))
  expect((await reconcile(['table.csv'])).stdout).toContain(' google, 2026-11-30 (America/Los_Angeles), 0 calls')
})
