/**
 * What providers and clients call things reaches people as text and no more: no command that prints it moves a cursor,
 * begins a line of its own, or writes a formula; JSON stays the same data.
 */

import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { printer } from '../../src/cli/output.ts'
import { csvCell } from '../../src/domain/csvCell.ts'
import { printable, printableJson, printableLines } from '../../src/domain/printable.ts'
import { atLevel, consoleLogger } from '../../src/observe/log.ts'
import { startGateway } from '../../src/server/serve.ts'
import { listening } from '../support/listening.ts'
import { makeHome } from '../support/runKeywise.ts'

const FORGED = 'keywise: error: FORGED'
const HOSTILE = `evil\u001b]0;pwn\u0007\n${FORGED}\r\u009b2J\u202e\u2066\u200b\u2028\u0000\u007f\ud800<img src=x onerror=alert(1)>|\`=1+1`
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const RAW = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]/

/** What a terminal would show of it: nothing raw, and no line that begins like one of keywise's own. */
function faultsIn(text: string): string[] {
  const raw = RAW.exec(text)
  const faults =
    raw === null
      ? []
      : [
          `raw ${raw[0]?.codePointAt(0)?.toString(16)} in ${JSON.stringify(text.slice(Math.max(0, raw.index - 60), raw.index + 20))}`,
        ]
  if (text.split('\n').some((line) => line.startsWith(FORGED))) faults.push('a forged line')
  return faults
}

const TOKENS = { KEYWISE_TOKEN: `inference-${'t'.repeat(20)}`, KEYWISE_ADMIN_TOKEN: `administer-${'a'.repeat(20)}` }

test('every command shows hostile names and messages as harmless text', { timeout: 120_000 }, async () => {
  let fails = false
  const server = createServer((request, response) => {
    request.resume()
    request.on('end', () => {
      if (request.method === 'GET') {
        const data = [
          { id: 'good' },
          { id: HOSTILE.toWellFormed() },
          { id: `good2${'\u202e'}` },
          { id: 'late', shutdown_date: HOSTILE },
        ]
        return void response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ data }))
      }
      const error = { message: HOSTILE, type: HOSTILE, code: HOSTILE, param: HOSTILE }
      if (fails)
        return void response.writeHead(400, { 'content-type': 'application/json' }).end(JSON.stringify({ error }))
      const choices = [
        { index: 0, message: { role: 'assistant', content: HOSTILE.replaceAll('\n', ' ') }, finish_reason: 'stop' },
      ]
      const usage = { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 }
      const body = {
        id: HOSTILE,
        object: 'chat.completion',
        created: 1,
        model: HOSTILE,
        service_tier: HOSTILE,
        choices,
        usage,
      }
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    })
  })
  const own = {
    dialect: 'openai',
    endpoint: `${await listening(server)}/v1`,
    api_key: `key-${'q7Zx'.repeat(6)}`,
    models: 'discover',
  }
  const home = makeHome({ own }, TOKENS)
  const said: string[] = []
  const log = consoleLogger((text) => void said.push(text))
  const gateway = await startGateway({
    config: join(home.folder, 'config/api-keys.json'),
    cwd: home.folder,
    port: 0,
    env: { ...TOKENS, XDG_STATE_HOME: join(home.folder, 'home/state'), HOME: join(home.folder, 'home') },
    logger: log,
    sleep: () => Promise.resolve(),
  })
  try {
    await gateway.opened.ready()
    for (const [model, failing] of [
      ['own/good', false],
      ['own/good', true],
      [HOSTILE, false],
      [`own/${HOSTILE}`, false],
    ] as const) {
      fails = failing
      const body = JSON.stringify({ model, messages: [{ role: 'user', content: 'hi' }], user: HOSTILE })
      const headers = {
        authorization: `Bearer ${TOKENS.KEYWISE_TOKEN}`,
        'content-type': 'application/json',
        'x-keywise-task': '=cmd()',
        'x-keywise-labels': 'team=+cmd',
      }
      await (await fetch(`${gateway.app.origin}/v1/chat/completions`, { method: 'POST', headers, body })).text()
    }
    const metrics = await fetch(`${gateway.app.origin}/metrics`, {
      headers: { authorization: `Bearer ${TOKENS.KEYWISE_TOKEN}` },
    })
    expect(faultsIn(await metrics.text())).toEqual([])
  } finally {
    await gateway.close(0)
  }
  expect(faultsIn(said.join(''))).toEqual([])
  expect(said.join('')).toContain('2 models are left out')

  for (const failing of [false, true]) {
    fails = failing
    for (const line of [
      'call hi',
      'call hi --stream',
      'call hi --json',
      'call hi --model own/late',
      'models',
      'models --json',
      'models --refresh',
      'status',
      'status --json',
      'why',
      'why --json',
      'keys list',
      'keys retest',
      'budget',
      'budget export',
      'budget export --jsonl',
      'test --html report.html',
      'test --json',
      'experiment',
    ]) {
      const { stdout, stderr } = await home.keywise(...line.split(' '))
      expect([line, faultsIn(stdout), faultsIn(stderr)]).toEqual([line, [], []])
      if (line.endsWith('--json')) expect(() => JSON.parse(stdout), line).not.toThrow()
    }
    await home.keywise('keys', 'retest')
  }
  const { stdout } = await home.keywise('budget', 'export', '--csv')
  const cells = stdout.split('\n').flatMap((row) => row.split(','))
  expect(cells.filter((cell) => /^"?[=+@]/.test(cell))).toEqual([])
  const page = readFileSync(join(home.folder, 'report.html'), 'utf8')
  expect(faultsIn(page)).toEqual([])
  expect(page).not.toContain('<img')
  expect(page).toContain('&lt;img')
  const stats = readFileSync(join(home.folder, 'config/apiStats.json'), 'utf8')
  expect(faultsIn(stats)).toEqual([])
})

describe('the cleaner', () => {
  test('leaves one harmless line of anything', () => {
    for (let code = 0; code < 0x3000; code++) {
      const text = printable(`a${String.fromCharCode(code)}b`)
      if (faultsIn(text).length > 0 || text.includes('\n')) expect(code).toBe('harmless')
    }
    expect(printable(HOSTILE)).toContain('<img src=x onerror=alert(1)>')
    expect(printable('Größe 語 👩\u200d👩\u200d👧 می\u200cخواهم')).toBe('Größe 語 👩\u200d👩\u200d👧 می\u200cخواهم')
  })

  test('keeps lines and tabs where a text has them', () => {
    expect(printableLines('a\n\tb\r\nc\rd\u001b[2J')).toBe('a\n\tb\r\nc\ufffdd\ufffd[2J')
  })

  test('changes nothing of what JSON says', () => {
    const value = { [HOSTILE]: [HOSTILE, '\u{e0041}', '語'] }
    const json = printableJson(JSON.stringify(value, null, 2))
    expect(faultsIn(json)).toEqual([])
    expect(JSON.parse(json)).toEqual(JSON.parse(JSON.stringify(value)))
  })

  test.each(['=1+1', '+1', '-1', '@x', '\t=1', '\r=1', ' =1', '＝1', '\u200b=1'])('takes %j for no formula', (text) => {
    expect(csvCell(text)).toMatch(/^"?'/)
  })

  test('leaves a terminal only the colours of keywise', () => {
    const stream = Object.assign(new PassThrough(), { isTTY: true, columns: 80 })
    const out = printer(stream as unknown as NodeJS.WriteStream, {})
    out.line(`${out.paint('red', 'bad')} ${HOSTILE}`)
    out.table(['a'], [[out.paint('green', HOSTILE)]])
    // biome-ignore lint/suspicious/noControlCharactersInRegex: colours begin with one
    const text = String(stream.read()).replace(/\u001b\[(?:1|22|31|32|39)m/g, '')
    expect(faultsIn(text)).toEqual([])
    expect(text.split('\n')).toHaveLength(4)
  })

  test('stands before every log, also one of the user', () => {
    const lines: string[] = []
    const keep = (line: string) => void lines.push(line)
    const logger = atLevel({ info: keep, warn: keep, error: keep }, () => 'info')
    logger.warn(HOSTILE)
    logger.info(HOSTILE.replaceAll('\n', ''))
    logger.error(HOSTILE.replaceAll('\n', ''))
    expect(lines.flatMap(faultsIn)).toEqual([])
  })
})
