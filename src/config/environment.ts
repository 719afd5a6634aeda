/**
 * The only place that interprets environment variables. The record is passed in; only `ownVariables` reads the process.
 */

import { isAbsolute } from 'node:path'
import { Secret } from '../domain/redact.ts'
import type { ProviderSpec } from '../providers/provider.ts'
import { isHeaderSafe } from './headerSafe.ts'

export type EnvironmentVariables = Readonly<Record<string, string | undefined>>

/** The variables of this process: the default where none are passed in. */
export function ownVariables(): EnvironmentVariables {
  return process.env
}

/** Settings of keywise itself in the environment. Empty variables count as unset. */
export interface Environment {
  /** `KEYWISE_CONFIG`: path of the keys file. */
  readonly config: string | null
  /** `KEYWISE_STORE`: a path, or `memory:`. */
  readonly store: string | null
  /** `KEYWISE_TOKEN`, `KEYWISE_ADMIN_TOKEN`: the gateway's tokens. */
  readonly token: Secret | null
  readonly adminToken: Secret | null
  /** Those of the two that are set to nothing, which counts as unset: `KEYWISE_TOKEN= keywise serve`. */
  readonly emptyTokens: readonly string[]
  /** What opens the vault: a passphrase, 32 bytes in base64, or a file that holds such a key. */
  readonly vaultPassphrase: Secret | null
  readonly vaultKey: Secret | null
  readonly vaultKeyFile: string | null
  /** `CREDENTIALS_DIRECTORY`: where systemd puts what `LoadCredential=` names. */
  readonly credentialsFolder: string | null
  /** `NO_COLOR` with any value: https://no-color.org */
  readonly noColor: boolean
  readonly proxy: { readonly https: string | null; readonly http: string | null; readonly except: string | null }
  /** XDG folders; relative ones are invalid by the specification and ignored. */
  readonly xdgConfigHome: string | null
  readonly xdgStateHome: string | null
  readonly localAppData: string | null
  readonly appData: string | null
}

export function readEnvironment(variables: EnvironmentVariables): Environment {
  const read = (name: string) => own(variables, name)
  const folder = (name: string) => [read(name)].find((path) => path && isAbsolute(path)) ?? null
  return {
    config: read('KEYWISE_CONFIG'),
    store: read('KEYWISE_STORE'),
    token: secret(set(variables, 'KEYWISE_TOKEN')),
    adminToken: secret(set(variables, 'KEYWISE_ADMIN_TOKEN')),
    emptyTokens: ['KEYWISE_TOKEN', 'KEYWISE_ADMIN_TOKEN'].filter((name) => rawOf(variables, name) === ''),
    vaultPassphrase: secret(read('KEYWISE_VAULT_PASSPHRASE')),
    vaultKey: secret(read('KEYWISE_VAULT_KEY')),
    vaultKeyFile: read('KEYWISE_VAULT_KEY_FILE'),
    credentialsFolder: folder('CREDENTIALS_DIRECTORY'),
    noColor: read('NO_COLOR') !== null,
    proxy: {
      // Lower case wins, as in curl: https://curl.se/docs/manpage.html
      https: read('https_proxy') ?? read('HTTPS_PROXY'),
      http: read('http_proxy') ?? read('HTTP_PROXY'),
      except: read('no_proxy') ?? read('NO_PROXY'),
    },
    xdgConfigHome: folder('XDG_CONFIG_HOME'),
    xdgStateHome: folder('XDG_STATE_HOME'),
    localAppData: read('LOCALAPPDATA'),
    appData: read('APPDATA'),
  }
}

/** A key found in a variable. */
interface EnvironmentKey {
  readonly value: string
  /** `env GROQ_API_KEY`, or `env GROQ_API_KEY[2]` for the second of a list. */
  readonly source: string
}

/**
 * The keys of one provider: `NAME`, `NAMES`, then `NAME_1`, `NAME_2` … in numeric order, each one key or a
 * comma-separated list. What cannot be a key is left out with a warning, because the variable may serve another
 * program.
 */
export function keysFromEnvironment(
  spec: ProviderSpec,
  variables: EnvironmentVariables,
  warn: (message: string) => void,
): EnvironmentKey[] {
  const keys: EnvironmentKey[] = []
  for (const name of namesFor(spec, variables)) {
    const values = (own(variables, name) ?? '').split(',').map((value) => value.trim())
    const given = values.filter((value) => value !== '')
    given.forEach((value, index) => {
      const source = given.length > 1 ? `env ${name}[${index + 1}]` : `env ${name}`
      const key = withAccount(value, spec, variables)
      if (!isHeaderSafe(key)) warn(`${source}: holds a space or a character no key has; it is left out`)
      else if (!hasAddress(spec, key)) warn(`${source}: needs ${spec.accountEnv} beside it; it is left out`)
      else keys.push({ value: key, source })
    })
  }
  return keys
}

function namesFor(spec: ProviderSpec, variables: EnvironmentVariables): string[] {
  return spec.env.flatMap((base) => {
    const numbered = Object.keys(variables)
      .filter((name) => name.startsWith(`${base}_`) && /^\d{1,4}$/.test(name.slice(base.length + 1)))
      .sort((a, b) => Number(a.slice(base.length + 1)) - Number(b.slice(base.length + 1)))
    return [base, `${base}S`, ...numbered]
  })
}

function withAccount(value: string, spec: ProviderSpec, variables: EnvironmentVariables): string {
  const account = spec.accountEnv === undefined ? null : own(variables, spec.accountEnv)
  return account === null || value.includes(':') ? value : `${account}:${value}`
}

/** Whether a call with this key has an address to go to. */
export function hasAddress(spec: ProviderSpec, key: string): boolean {
  return spec.baseUrl !== null || spec.quirks?.credential?.(key).baseUrl !== undefined
}

/** The value without what surrounds it, also where nothing else is left of it: a blank token is a mistake. */
function set(variables: EnvironmentVariables, name: string): string | null {
  const value = rawOf(variables, name)
  return value ? value.trim() : null
}

function rawOf(variables: EnvironmentVariables, name: string): string | undefined {
  return Object.hasOwn(variables, name) ? variables[name] : undefined
}

function own(variables: EnvironmentVariables, name: string): string | null {
  const value = rawOf(variables, name)?.trim()
  return value ? value : null
}

function secret(value: string | null): Secret | null {
  return value === null ? null : new Secret(value)
}
