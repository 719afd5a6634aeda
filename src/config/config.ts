/** Loads the configuration: finds the file, reads its dialect, resolves the keys, and collects the warnings. */

import { existsSync } from 'node:fs'
import { ConfigError, VaultError } from '../domain/errors.ts'
import { asRecord } from '../domain/json.ts'
import type { Definition } from '../experiment/definition.ts'
import { budgetFrom, isIdleBeside, type Budget as Rule } from '../money/budgetRule.ts'
import { readBudgetScope } from '../money/scope.ts'
import { catalog, findProvider } from '../providers/catalog.ts'
import type { ProviderSpec } from '../providers/provider.ts'
import { type AlertSettings, readAlerts } from './alerts.ts'
import { checked } from './check.ts'
import { type ConfigDocument, documentOf, readDocument } from './document.ts'
import { readEnvironment } from './environment.ts'
import { readExperimentSettings } from './experiments.ts'
import { gitWarning } from './gitGuard.ts'
import { meant, readProviders } from './keysFile.ts'
import { keysFileCandidates } from './paths.ts'
import { type Context, type ProviderConfig, providerFrom, providerFromEnvironment } from './providerConfig.ts'
import { complain, Remarks } from './remarks.ts'
import { type Surroundings, scrubbed, secretsIn } from './secrets.ts'
import { type BudgetOfFile, type SettingsOfFile, settingsSchema } from './settingsSchema.ts'
import { showName } from './showPath.ts'
import { lazyVault, opensVault, type VaultLookup } from './vault/vaultLookup.ts'
import { vaultLabel, vaultPlace } from './vault/vaultOnDisk.ts'

export type { KeyBudget } from './blockSchema.ts'
export type { KeyConfig, ModelConfig, ProviderConfig } from './providerConfig.ts'
export type { BudgetOfFile } from './settingsSchema.ts'

export interface Config {
  /** Absolute path of the keys file; null when there is none. */
  readonly file: string | null
  /** Absolute path of the file in which `vault:NAME` is looked up, whether it is there or not. */
  readonly vault: string
  /** In file order. Empty when no key is found anywhere: then there is nothing to call. */
  readonly providers: readonly ProviderConfig[]
  readonly settings: Settings
  /** For people: one sentence each, with its location; never a key. */
  readonly warnings: readonly string[]
  /** The facts file in force, and the day (ISO date) as of which it is applied; absent: none is installed. */
  readonly facts?: InstalledSet & { readonly day: string }
}

/** A facts file that was installed. */
export interface InstalledSet {
  /** `sha256:` and 64 hex digits. */
  readonly digest: string
  /** The file, or the address without its query. */
  readonly from: string
  /** ISO date. */
  readonly published: string
  /** ISO 8601. */
  readonly installedAt: string
  /** How many facts it has. */
  readonly facts: number
}

/** Every setting with its default filled in. */
export type Settings = Omit<SettingsOfFile, 'alerts' | 'budgets' | 'experiments'> & {
  readonly alerts: AlertSettings
  readonly budgets: readonly BudgetOfFile[]
  readonly experiments: readonly Definition[]
}

export interface LoadOptions {
  /** A path (relative to `cwd`), or the configuration itself; if absent, the file is searched for. */
  readonly config?: string | object
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
  readonly home: string
  readonly platform: NodeJS.Platform
  /** The caller's own providers, made with `defineProvider`; they take precedence over known ones of the same name. */
  readonly providers?: readonly ProviderSpec[]
  /** In the place of settings of the same name. */
  readonly settings?: object
  /** An opened vault, in the place of the one on the disk. */
  readonly vault?: VaultLookup
}

/**
 * Reads the configuration. Throws ConfigError (what is wrong, where, what to do) or VaultError. Without a file, or with
 * one that names no provider, the keys come from the environment.
 */
export function loadConfig(options: LoadOptions): Config {
  const document = configDocument(options)
  const secrets = secretsIn(document.value)
  try {
    const config = fromDocument(document, options)
    const git = secrets.length > 0 ? gitRemarks(document) : []
    return { ...config, warnings: [...config.warnings.map((text) => scrubbed(text, secrets)), ...git] }
  } catch (error) {
    throw withoutSecrets(error, secrets)
  }
}

/** The configuration as it is written; without one, an empty one. Throws ConfigError. */
export function configDocument(options: LoadOptions): ConfigDocument {
  return withSettings(openDocument(options) ?? documentOf({}, options.cwd), options)
}

function openDocument({ config, cwd, ...options }: LoadOptions): ConfigDocument | undefined {
  if (typeof config === 'string') return readDocument(config, cwd)
  if (config !== undefined) return documentOf(config, cwd)
  const environment = readEnvironment(options.env)
  if (environment.config !== null) return readDocument(environment.config, cwd)
  const found = keysFileCandidates({ ...options, cwd, environment }).find((file) => existsSync(file))
  return found === undefined ? undefined : readDocument(found, cwd)
}

function withSettings(document: ConfigDocument, { settings, cwd }: LoadOptions): ConfigDocument {
  if (settings === undefined) return document
  const given = documentOf({ settings }, cwd).value['settings']
  const value = { ...document.value, settings: { ...asRecord(document.value['settings']), ...asRecord(given) } }
  return { ...document, value }
}

function fromDocument(document: ConfigDocument, options: LoadOptions): Config {
  const remarks = new Remarks(document)
  const vault = vaultPlace(document.file, options)
  const around = {
    ...options,
    vault: options.vault ?? lazyVault(vault, vaultLabel(vault, options.cwd), options.env),
    opensVault: (text: string) => opensVault(text, vault, options.env),
  }
  const part = { path: ['settings'], schemaPath: ['settings'] }
  const { alerts, ...settings } = checked(settingsSchema, document.value['settings'] ?? {}, part, remarks)
  const providers = providersOf(remarks, options, around)
  const budgets = namedBudgets(settings.budgets, providers, remarks, options)
  return {
    file: document.file,
    vault,
    providers: onlyDefault(providers, settings.defaultProvider, document, options),
    settings: {
      ...settings,
      budgets,
      alerts: readAlerts(alerts, remarks, around),
      experiments: readExperimentSettings(settings.experiments, document),
    },
    warnings: remarks.list(),
  }
}

/**
 * The budgets with provider names resolved (`gemini` is `google`), and a remark on each that does not do what it seems
 * to.
 */
function namedBudgets(
  budgets: readonly BudgetOfFile[],
  providers: readonly ProviderConfig[],
  remarks: Remarks,
  options: LoadOptions,
): readonly BudgetOfFile[] {
  const named = budgets.map((budget) => ({ ...budget, scope: canonicalScope(budget.scope, options) }))
  const rules = named.map((budget) => budgetFrom(budget))
  rules.forEach((rule, index) => {
    for (const remark of remarksOn(rule, rules, providers)) remarks.add(['settings', 'budgets', index], remark)
  })
  return named
}

function canonicalScope(text: string, options: LoadOptions): string {
  const scope = readBudgetScope(text)
  if (scope?.kind !== 'target') return text.trim()
  return (find(scope.provider, options)?.id ?? scope.provider) + text.trim().slice(scope.provider.length)
}

function remarksOn(rule: Rule, rules: readonly Rule[], providers: readonly ProviderConfig[]): string[] {
  const longer = rules.findIndex((other) => isIdleBeside(rule, other))
  return [
    ...(rule.limit === 0 ? [`is 0: nothing in its scope may be ${rule.unit === 'usd' ? 'spent' : 'used'}`] : []),
    ...(longer < 0
      ? []
      : [`never binds: settings.budgets[${longer}] allows no more per ${rules[longer]?.per}, and both must have room`]),
    ...nobodyCovered(rule, providers),
  ]
}

function nobodyCovered({ covers }: Rule, providers: readonly ProviderConfig[]): string[] {
  if (covers.kind !== 'target') return []
  const owner = providers.find((provider) => provider.id === covers.provider)
  const ids = providers.map((provider) => provider.id)
  if (owner === undefined)
    return [`covers nothing: "${showName(covers.provider)}" has no key here${meant(covers.provider, ids)}`]
  const isThere = covers.keyIndex === null || owner.keys.some((key) => key.index === covers.keyIndex)
  return isThere ? [] : [`covers nothing: ${owner.id} has no key ${covers.keyIndex}`]
}

function providersOf(remarks: Remarks, options: LoadOptions, around: Surroundings): ProviderConfig[] {
  const known = [...(options.providers ?? []), ...catalog]
  const names = known.flatMap((spec) => [spec.id, ...(spec.aliases ?? [])])
  const context: Context = { remarks, around, names, warn: (text) => remarks.addText(text) }
  const entries = readProviders(remarks, (name) => find(name, options))
  const found =
    entries.length > 0
      ? entries.map((entry) => providerFrom(entry, context))
      : known.map((spec) => providerFromEnvironment(spec, context))
  return found.filter((provider) => provider !== undefined)
}

function find(name: string, options: LoadOptions): ProviderSpec | undefined {
  const wanted = name.toLowerCase()
  const own = options.providers?.find((spec) =>
    [spec.id, ...(spec.aliases ?? [])].some((id) => id.toLowerCase() === wanted),
  )
  return own ?? findProvider(name)
}

/** `default_provider` names the only provider to use; `auto` means all of them. */
function onlyDefault(
  all: readonly ProviderConfig[],
  name: string,
  document: ConfigDocument,
  options: LoadOptions,
): readonly ProviderConfig[] {
  if (name === 'auto') return all
  const id = find(name, options)?.id ?? name
  const only = all.filter((provider) => provider.id === id)
  if (only.length > 0) return only
  const ids = all.map((provider) => provider.id)
  const message = `names "${showName(name)}", which has no key here${meant(name, ids)}; use "auto" or one of: ${ids.join(', ')}`
  throw complain(document, ['settings', 'default_provider'], message)
}

function gitRemarks({ file, name }: ConfigDocument): readonly string[] {
  const warning = file === null ? null : gitWarning(file)
  return warning === null ? [] : [`${name}: ${warning}`]
}

/** Whatever went wrong, the message contains no key of the file. */
function withoutSecrets(error: unknown, secrets: readonly string[]): unknown {
  if (error instanceof VaultError) return new VaultError(scrubbed(error.message, secrets), { reason: error.reason })
  if (!(error instanceof ConfigError)) return error
  const { file, line, column } = error
  const path = error.path === null ? null : scrubbed(error.path, secrets)
  return new ConfigError(scrubbed(error.message, secrets), { file, line, column, path })
}
