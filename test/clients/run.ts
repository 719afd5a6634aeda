/**
 * `npm run test:clients`: real client libraries and programs through `keywise serve`, in front of four strict upstreams.
 * Their packages are large, so they are installed on demand, outside the project. The matrix goes to `docs/clients.md`.
 */

import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { machine } from '../../bench/measure.ts'
import { Cells } from './cells.ts'
import { CLIENTS, type Client, chosen, type Language } from './clients.ts'
import { FEATURES } from './features.ts'
import { type Gateway, LOG, openServed } from './gateway.ts'
import { INSTALL, type Toolbox } from './install.ts'
import { cellText, matrixPage, type Row } from './matrix.ts'

const PAGE = resolve(import.meta.dirname, '../../docs/clients.md')
/** The whole run; what was not reached by then is skipped. */
const MOST_MS = 45 * 60_000
/** No colours, no telemetry, nothing that is fetched. */
const QUIET = {
  NO_COLOR: '1',
  PYTHONIOENCODING: 'utf-8',
  PYTHONDONTWRITEBYTECODE: '1',
  LITELLM_LOCAL_MODEL_COST_MAP: 'True',
  OPENAI_AGENTS_DISABLE_TRACING: '1',
  HF_HUB_OFFLINE: '1',
}
const day = new Date().toISOString().slice(0, 10)
const toolboxes = new Map<Language, Toolbox>()

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => process.exit(130))
const clients = chosen(process.argv.slice(2))
const began = performance.now()
const rows: Row[] = []
const home = mkdtempSync(join(tmpdir(), 'keywise-clients-home-'))
{
  await using gateway = await openServed()
  for (const client of clients) rows.push(await rowOf(client, gateway))
}
rmSync(home, { recursive: true, force: true })
const features = FEATURES.map(({ name }) => name)
const before = existsSync(PAGE) ? readFileSync(PAGE, 'utf8') : ''
writeFileSync(
  PAGE,
  matrixPage(rows, { features, clients: CLIENTS.map(({ name }) => name), before, machine: machine() }),
)
process.exitCode = told(rows) === 0 ? 0 : 1

async function rowOf(client: Client, gateway: Gateway): Promise<Row> {
  const toolbox = toolboxOf(client.language)
  const isLate = performance.now() - began > MOST_MS
  if (isLate || 'missing' in toolbox)
    return {
      client: client.name,
      version: '',
      cells: [],
      day,
      skipped: 'missing' in toolbox ? toolbox.missing : 'out of time',
    }
  const [command = '', ...args] = toolbox.command(client.program)
  const environment = { ...QUIET, HOME: home }
  const start = performance.now()
  const cells = await new Cells(gateway, client, { command, args, folder: home, environment }).run()
  const failed = cells.filter(({ kind }) => kind === 'failed')
  const seconds = ((performance.now() - start) / 1000).toFixed(1)
  console.log(`${failed.length === 0 ? '✅' : '❌'} ${client.name} (${cells.length} cells, ${seconds} s)`)
  for (const feature of new Set(failed.map((cell) => cell.feature)))
    console.log(`   ${feature}: ${cellText(cells.filter((cell) => cell.feature === feature))}`)
  return { client: client.name, version: toolbox.version(client.package), cells, day }
}

function toolboxOf(language: Language): Toolbox {
  const toolbox = toolboxes.get(language) ?? INSTALL[language]()
  toolboxes.set(language, toolbox)
  return toolbox
}

/** Prints the sums; returns how many cells failed. */
function told(all: readonly Row[]): number {
  const cells = all.flatMap((row) => row.cells)
  const count = (wanted: string) => cells.filter(({ kind }) => kind === wanted).length
  const skipped = all.filter((row) => row.skipped !== undefined)
  for (const { client, skipped: why } of skipped) console.log(`skipped ${client}: ${why}`)
  const seconds = Math.round((performance.now() - began) / 1000)
  console.log(
    `${count('ok')} cells ok, ${count('failed')} failed, ${count('limit')} limits of clients, ${count('missing')} without such a feature, ${skipped.length} clients skipped; ${seconds} s`,
  )
  if (count('failed') > 0) console.log(`the gateway's log: ${LOG}`)
  return count('failed')
}
