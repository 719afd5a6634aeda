/** `keywise doctor`: checks everything keywise depends on and says how to fix what is wrong. */

import { type Config, loadConfig } from '../../config/config.ts'
import { KeywiseError } from '../../domain/errors.ts'
import type { EngineOptions } from '../../manager/engineOptions.ts'
import { loadOptions, storeLocation } from '../../manager/locations.ts'
import { openEngine } from '../../manager/openEngine.ts'
import type { ExitCode, RunCommand } from '../command.ts'
import { type Printer, plural, printer } from '../output.ts'
import { engineOptions } from '../withEngine.ts'
import { checkAlerts, tryAlerts } from './alerts.ts'
import { checkAliases } from './aliases.ts'
import { type Finding, fine, problem, warning } from './finding.ts'
import { checkHours } from './hours.ts'
import { checkConfig, checkNode } from './machine.ts'
import { checkHosts, checkKeys, checkPort } from './network.ts'
import { checkStorePlace, repairStore } from './storeFile.ts'
import { checkTwins, checkVault } from './vault.ts'

export const run: RunCommand = async (context) => {
  const { options, stdout, stderr, env } = context
  const out = printer(stdout, env)
  if (!options['json']) stderr.write('Checking everything, this takes a few seconds …\n')
  const opening = engineOptions(context)
  // Before anything opens the store.
  const mended = options['repair'] === true ? await repairStore(storeLocation(opening), Date.now()) : []
  const findings = [...mended, ...(await examine(opening, options['alerts'] === true))]
  if (options['json']) out.json({ generatedAt: new Date().toISOString(), findings })
  else printFindings(findings, out)
  return exitCodeOf(findings)
}

async function examine(options: EngineOptions, sendsAlerts: boolean): Promise<Finding[]> {
  const findings = [checkNode()]
  const config = readConfig(options)
  if (!('settings' in config)) return [...findings, config, ...checkStorePlace(storeLocation(options))]
  findings.push(
    ...checkConfig(config),
    ...checkVault(config, options.env ?? {}),
    ...checkStorePlace(storeLocation(options)),
  )
  const { host, port } = config.settings.gateway
  findings.push(await checkPort(host, port), ...(await examineWorld(options, config, sendsAlerts)))
  return findings
}

function readConfig(options: EngineOptions): Config | Finding {
  try {
    return loadConfig(loadOptions(options))
  } catch (error) {
    if (!(error instanceof KeywiseError)) throw error
    const [what = '', ...advice] = error.message.split('; ')
    return problem('configuration', what, advice.join('; ') || 'correct the file')
  }
}

/** The checks that need an engine: the opened store, the hosts, the keys. */
async function examineWorld(options: EngineOptions, config: Config, sendsAlerts: boolean): Promise<Finding[]> {
  const said: string[] = []
  const logger = {
    info() {},
    warn: (line: string) => void said.push(line),
    error: (line: string) => void said.push(line),
  }
  try {
    const opened = openEngine({ ...options, logger })
    try {
      const hosts = await checkHosts(opened.engine)
      const keys = await checkKeys(opened.engine)
      const health = opened.engine.store.health()
      const store =
        health.state === 'ok'
          ? fine('store', `opens, as ${opened.engine.store.engine}`)
          : problem('store', health.reason ?? 'cannot be written', 'free space on the disk, or set KEYWISE_STORE')
      const remarks = said.filter((line) => !config.warnings.includes(line))
      const tried = sendsAlerts ? await tryAlerts(opened.engine) : []
      const aliases = await checkAliases({ engine: opened.engine, ready: () => opened.ready() })
      return [
        store,
        ...remarks.map((line) => warning('store', line, null)),
        ...hosts,
        ...keys,
        ...checkTwins(opened.engine),
        ...checkHours(opened.engine),
        ...checkAlerts(opened.engine),
        ...aliases,
        ...tried,
      ]
    } finally {
      await opened.close()
    }
  } catch (error) {
    if (!(error instanceof KeywiseError)) throw error
    return [problem('store', error.message, 'see above')]
  }
}

const SIGNS = { ok: '✅', warning: '⚠️ ', problem: '❌' } as const

function printFindings(findings: readonly Finding[], out: Printer): void {
  for (const { check, state, message, advice } of findings) {
    out.line(`${SIGNS[state]} ${check}: ${message}`)
    if (advice !== null) out.line(`   → ${advice}`)
  }
  out.line()
  out.line(verdictOf(findings))
}

/** `1 thing needs mending; 2 warnings, marked ⚠️ above.` */
function verdictOf(findings: readonly Finding[]): string {
  const problems = findings.filter(({ state }) => state === 'problem').length
  const warnings = findings.filter(({ state }) => state === 'warning').length
  const text =
    problems === 0 ? 'Nothing needs mending' : `${problems} ${problems === 1 ? 'thing needs' : 'things need'} mending`
  return warnings === 0 ? `${text}.` : `${text}; ${plural(warnings, 'warning')}, marked ${SIGNS.warning.trim()} above.`
}

/** 78 for a configuration problem, 1 for any other, 0 when nothing needs fixing. */
function exitCodeOf(findings: readonly Finding[]): ExitCode {
  const problems = findings.filter(({ state }) => state === 'problem')
  if (problems.some(({ check }) => check === 'configuration')) return 78
  return problems.length > 0 ? 1 : 0
}
