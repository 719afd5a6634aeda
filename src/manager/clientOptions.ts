/**
 * What a supervisor passes to `new APIClient(…)`: our options, the content of the keys file as the original took it, or
 * a configuration of its own that says nothing about keys.
 */

import { type Config, loadConfig } from '../config/config.ts'
import { hasProviders } from '../config/keysFile.ts'
import { asRecord, asString } from '../domain/json.ts'
import type { Template } from '../engine/request/readContext.ts'
import { findProvider } from '../providers/catalog.ts'
import type { EngineOptions } from './engineOptions.ts'
import { loadOptions } from './locations.ts'

type ClientOptions = Omit<EngineOptions, 'vault'> & { readonly template?: Template }

/** The options that an object means. A field that has the name of an option and cannot be one is the supervisor's. */
export function clientOptions(given: unknown): ClientOptions {
  const record = asRecord(given) ?? {}
  const options = optionsIn(record)
  if (options.config !== undefined) return options
  if (hasProviders(record)) return withKeys(record, options)
  const settings = asRecord(record['settings'])
  return { ...options, ...(settings !== undefined && { settings }), ...onlyKey(record, options) }
}

type IsOption = (value: unknown) => boolean

const isFunction: IsOption = (value) => typeof value === 'function'
const isText: IsOption = (value) => typeof value === 'string'
const isRecord: IsOption = (value) => asRecord(value) !== undefined
const has =
  (...names: readonly string[]): IsOption =>
  (value) =>
    typeof value === 'object' && value !== null && names.every((name) => name in value)

/** `transport` is for our own simulations. */
const OPTIONS: { readonly [N in keyof Omit<ClientOptions, 'transport'>]-?: IsOption } = {
  config: (value) => isText(value) || isRecord(value),
  settings: isRecord,
  store: (value) => isText(value) || has('location', 'updateDoc')(value),
  durability: (value) => value === 'process' || value === 'power' || value === 'relaxed',
  env: isRecord,
  cwd: isText,
  providers: Array.isArray,
  now: isFunction,
  monotonic: isFunction,
  random: isFunction,
  logger: (value) => value === false || has('info', 'warn', 'error')(value),
  flushMs: (value) => typeof value === 'number',
  sleep: isFunction,
  userAgent: isText,
  allModels: (value) => typeof value === 'boolean',
  template: isFunction,
}

function optionsIn(record: Readonly<Record<string, unknown>>): ClientOptions {
  const found = Object.entries(OPTIONS).filter(([name, isOption]) => isOption(record[name]))
  return Object.fromEntries(found.map(([name]) => [name, record[name]])) as ClientOptions // each was checked
}

/** The content of the keys file: the file itself, if it has the same keys; then what is learned is kept beside it. */
function withKeys(record: Readonly<Record<string, unknown>>, given: ClientOptions): ClientOptions {
  const { settings, ...options } = given
  const names = Object.keys(OPTIONS).filter((name) => name !== 'settings' && name !== 'providers')
  const fields = Object.entries(record).filter(([name, value]) => !names.includes(name) && isData(value))
  const config = Object.fromEntries(fields)
  const file = fileWithSameKeys(config, options)
  if (file === null) return { ...options, config }
  return { ...options, config: file, ...(settings !== undefined && { settings }) }
}

/** The supervisor's functions and objects of its own are no configuration. */
function isData(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return typeof value !== 'function'
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || prototype === Object.prototype || Array.isArray(value)
}

function fileWithSameKeys(config: object, options: ClientOptions): string | null {
  if (options.store !== undefined) return null
  const onDisk = loaded(options)
  if (onDisk?.file == null) return null
  const passed = loaded({ ...options, config })
  return passed !== null && textOf(passed) === textOf(onDisk) ? onDisk.file : null
}

function loaded(options: ClientOptions): Config | null {
  try {
    return loadConfig(loadOptions(options))
  } catch {
    return null // what is wrong with it is said when it is used
  }
}

/** Keys with their order, addresses and models; where they were read from does not matter. */
function textOf({ providers }: Config): string {
  const parts = providers.map(({ id, spec, keys, models }) => [
    id,
    spec.baseUrl,
    [spec.dialect, spec.alsoSpeaks],
    keys.map(({ source: _source, secret, ...key }) => [secret.reveal(), key]),
    models,
  ])
  return JSON.stringify(parts)
}

/** `{ provider, apiKey, model }`, as programs for one provider have it; used where no other key is found. */
function onlyKey(record: Readonly<Record<string, unknown>>, options: ClientOptions): Pick<ClientOptions, 'config'> {
  const spec = findProvider(asString(record['provider']) ?? '')
  const key = asString(record['apiKey']) ?? asString(record['api_key'])
  if (spec === undefined || key === undefined || (loaded(options)?.providers.length ?? 1) > 0) return {}
  const model = asString(record['model'])
  return { config: { [spec.id]: { api_key: key, ...(model !== undefined && { models: [model] }) } } }
}
