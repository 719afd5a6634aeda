/** Opens everything a gateway needs (engine, tokens, the listening server) and closes it in the right order. */

import type { Config } from '../config/config.ts'
import { readEnvironment } from '../config/environment.ts'
import { stateFolderOf } from '../config/paths.ts'
import { ConfigError } from '../domain/errors.ts'
import type { Logger } from '../domain/logger.ts'
import type { Engine } from '../engine/engine.ts'
import type { EngineOptions } from '../manager/engineOptions.ts'
import { storeLocation } from '../manager/locations.ts'
import { type OpenedEngine, openEngine } from '../manager/openEngine.ts'
import { unlockVault } from '../manager/unlockVault.ts'
import { type App, startApp } from './app.ts'
import { removeLeftSpools } from './inference/spool.ts'
import { type Instance, instanceOf } from './instance.ts'
import { type SharedSecret, Tokens } from './tokens.ts'

export interface GatewayOptions extends EngineOptions {
  readonly logger: Logger
  readonly env: Readonly<Record<string, string | undefined>>
  /** Default `settings.gateway.host`: 127.0.0.1. */
  readonly host?: string
  /** Default `settings.gateway.port`: 5397. 0 picks a free one. */
  readonly port?: number
  readonly accessLog?: boolean
  /** Maximum milliseconds a client may leave a pending answer unread; default 300,000. */
  readonly clientStallMs?: number
  /** Called with the size in bytes of every long body, for memory tuning. */
  readonly onLongBody?: (bytes: number) => void
}

export interface RunningGateway {
  readonly app: App
  readonly opened: OpenedEngine
  readonly tokens: Tokens
  /** The folder of the token files; null when there is none. */
  readonly folder: string | null
  readonly host: string
  readonly port: number
  readonly instance: Instance
  close(drainMs?: number): Promise<void>
}

/** How long log rows may wait to be written: at full load, hundreds of requests share one commit. */
const FLUSH_MS = 50

/** Starts the gateway. Throws ConfigError, StoreError, or node's error when the port is taken. */
export async function startGateway(options: GatewayOptions): Promise<RunningGateway> {
  await unlockVault(options)
  const opened = openEngine({
    flushMs: FLUSH_MS,
    ...options,
  })
  try {
    await removeLeftSpools()
    return await serve(opened, options)
  } catch (error) {
    await opened.close()
    throw error
  }
}

async function serve(opened: OpenedEngine, options: GatewayOptions): Promise<RunningGateway> {
  const { engine } = opened
  const { gateway } = engine.registry.config.settings
  const host = options.host ?? gateway.host
  const folder = engine.store.engine === 'memory' ? null : stateFolderOf(options.env)
  const tokens = tokensFor(engine, folder, options)
  if (!isLoopback(host) && tokens.fresh.some((one) => one.file === null))
    throw new ConfigError(
      `on ${host} others can reach the gateway; set KEYWISE_TOKEN and KEYWISE_ADMIN_TOKEN, or give it a state folder it can write`,
    )
  const [weakness] = tokens.weaknesses
  if (!isLoopback(host) && weakness !== undefined)
    throw new ConfigError(`on ${host} others can reach the gateway, and ${weakness}`)
  const instance = instanceOf(engine.registry.config, storeLocation(options), options.cwd ?? process.cwd())
  opened.watchAliases()
  const ready = nullWhenDone(() => opened.ready())
  const app = await startApp({
    engine,
    logger: engine.logger,
    tokens,
    host,
    port: options.port ?? gateway.port,
    maxBodyBytes: gateway.maxBodyMb * 1_048_576,
    clientStallMs: options.clientStallMs,
    onLongBody: options.onLongBody,
    allowedHosts: isLoopback(host) ? gateway.allowedHosts : [host, ...gateway.allowedHosts],
    allowedOrigins: gateway.allowedOrigins,
    accessLog: options.accessLog ?? true,
    instance: instance.id,
    ready,
  })
  // Reads the model lists ahead of the first request, which reports what fails.
  ready()?.catch(() => undefined)
  const close = async (drainMs?: number) => {
    await app.close(drainMs)
    await opened.close()
  }
  return { app, opened, tokens, folder, host, port: app.port, instance, close }
}

function tokensFor(engine: Engine, folder: string | null, { env }: GatewayOptions): Tokens {
  const { token, adminToken, emptyTokens } = readEnvironment(env)
  for (const name of emptyTokens)
    engine.logger.warn(
      `${name} is set but empty, which counts as unset: the token is that of the state folder, or a new one`,
    )
  const [inference, admin] = [token?.reveal() ?? null, adminToken?.reveal() ?? null]
  const tokens = new Tokens({ store: engine.store, folder, inference, admin, now: () => engine.now })
  const secrets = secretsOf(engine.registry.config)
  tokens.refuseShared(secrets.filter(({ isNear }) => !isNear))
  for (const line of tokens.sharedWith(secrets.filter(({ isNear }) => isNear))) engine.logger.warn(line)
  return tokens
}

/** `isNear`: of a server on this network, which may be another keywise with the same token. */
function secretsOf({ providers, settings }: Config): (SharedSecret & { readonly isNear: boolean })[] {
  const keys = providers.flatMap(({ id, spec, keys }) =>
    keys.map(({ index, secret }) => ({
      secret: secret.reveal(),
      what: `the key ${id}#${index}, so that every client would hold it`,
      isNear: spec.privateAddress === true,
    })),
  )
  const { telegram, webhook } = settings.alerts
  const others = [
    [telegram?.botToken, "the bot's token of settings.alerts.telegram"],
    [webhook?.secret, 'the secret of settings.alerts.webhook'],
  ] as const
  return [
    ...keys,
    ...others.flatMap(([secret, what]) =>
      secret === undefined ? [] : { secret: secret.reveal(), what, isNear: false },
    ),
  ]
}

/** Starts with the first call; once done, later calls need not await anything. */
function nullWhenDone(begin: () => Promise<void>): () => Promise<void> | null {
  let doing: Promise<void> | null | undefined
  return () => {
    if (doing === undefined) {
      doing = begin().then(() => {
        doing = null
      })
    }
    return doing
  }
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(?:\.\d{1,3}){3}$/.test(host)
}
