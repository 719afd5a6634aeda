/** `keywise vault add|remove`: the keys of the vault, one at a time. */

import { isHeaderSafe } from '../../config/headerSafe.ts'
import { showName } from '../../config/showPath.ts'
import type { VaultEntry } from '../../config/vault/openVault.ts'
import { isWrittenOut } from '../../config/vault/placedSecrets.ts'
import { MOST_KEY_LENGTH } from '../../config/vault/vaultFile.ts'
import { type VaultUse, vaultName } from '../../config/vault/vaultLookup.ts'
import { InvalidRequestError, VaultError } from '../../domain/errors.ts'
import { nearest } from '../../domain/nearest.ts'
import { maskKey, redactShapes, type Secret } from '../../domain/redact.ts'
import { catalog, findProvider } from '../../providers/catalog.ts'
import { type ExitCode, UsageError } from '../command.ts'
import { entryIn, useText, type VaultDesk } from './desk.ts'

export async function addKey(desk: VaultDesk): Promise<ExitCode> {
  const name = desk.entryName('add')
  const known = (await desk.open()).find(name)
  if (known !== undefined)
    throw new VaultError(
      `there is a key "${name}" already; put another one in its place with: keywise vault rotate ${name}`,
      {
        reason: 'entry',
      },
    )
  const secret = await readKey(desk, `Key "${name}"`)
  const use = useOf(desk, name, secret)
  const createdAt = new Date(desk.now).toISOString()
  const entry = { name, ...use, createdAt, note: noteOf(desk, secret), secret }
  const twins = await desk.change((vault) => {
    const same = sameKeys(vault.entries, entry)
    vault.put(entry)
    return same
  })
  desk.out.line(`"${name}" (${maskKey(secret.reveal())}) is in the vault, for ${useText(use)} and nobody else.`)
  for (const twin of twins) desk.out.line(`It is the same key as "${twin.name}" (${useText(twin)}).`)
  if (desk.placesOf(name).length === 0)
    desk.out.line(`To use it: ${lineFor(name, use)} in ${desk.document.file ?? 'config/api-keys.json'}`)
  return 0
}

export async function removeKey(desk: VaultDesk): Promise<ExitCode> {
  const name = desk.entryName('remove')
  const [place] = desk.placesOf(name)
  if (place !== undefined) throw new InvalidRequestError(`"${name}" is used by ${place}; take it out there first`)
  const entry = entryIn(await desk.open(), name)
  if (
    !desk.has('yes') &&
    desk.asker.isTerminal &&
    !(await desk.asker.confirm(`Delete "${name}" (${maskKey(entry.secret.reveal())})?`))
  )
    return 1
  await desk.change((vault) => vault.remove(name))
  desk.out.line(
    `"${name}" is no longer in the vault. It still works at its provider: revoke it there if nobody needs it.`,
  )
  return 0
}

/** From the pipe or the terminal; never from the command line, which other users of the machine can read. */
export async function readKey(desk: VaultDesk, question: string): Promise<Secret> {
  const secret = await desk.asker.secret(question)
  const key = secret.reveal()
  if (!isHeaderSafe(key))
    throw new UsageError('what was given holds a space or a character that no key has; nothing was changed')
  if (!isWrittenOut(key))
    throw new UsageError(
      'what was given says where a key is (env:, file:, vault:) or that there is none; give the key itself; nothing was changed',
    )
  if (key.length <= MOST_KEY_LENGTH) return secret
  throw new UsageError(`a key has at most ${MOST_KEY_LENGTH} characters; nothing was changed`)
}

/** Others of the vault with the same key. */
export function sameKeys(all: readonly VaultEntry[], { name, secret }: VaultEntry): readonly VaultEntry[] {
  return all.filter((one) => one.name !== name && one.secret.reveal() === secret.reveal())
}

/** Who the key is for: the provider named, who asks for it in the configuration, or whose keys look like it. */
function useOf(desk: VaultDesk, name: string, secret: Secret): VaultUse {
  const named = desk.option('provider')
  const places = desk.places()
  const asking = places.find(({ value }) => vaultName(value) === name)
  if (named === undefined && asking !== undefined) return asking.use
  const provider = named === undefined ? providerByShape(secret) : idOf(named)
  const configured = places.find(({ use }) => use.provider === provider)
  if (configured !== undefined) return configured.use
  if (findProvider(provider) !== undefined || Object.hasOwn(ALERTS, provider)) return { provider, address: null }
  const [near] = nearest(provider, [...catalog.map(({ id }) => id), ...places.map(({ use }) => use.provider)], 1)
  throw new InvalidRequestError(
    `"${showName(provider)}" is no provider that keywise knows or that the configuration has${near === undefined ? '' : ` (did you mean "${near}"?)`}; write its block with "endpoint" and "api_key": "vault:${name}" first`,
  )
}

const idOf = (name: string) => findProvider(name)?.id ?? name

function providerByShape(secret: Secret): string {
  const [found, ...more] = catalog.filter(({ keyShape }) => keyShape?.test(secret.reveal()))
  if (found !== undefined && more.length === 0) return found.id
  throw new UsageError(
    'whose key it is cannot be seen; say it with --provider NAME (alerts:telegram and alerts:webhook for alerts)',
  )
}

function noteOf(desk: VaultDesk, secret: Secret): string | null {
  const note = desk.option('note')?.trim()
  if (note === undefined || note === '') return null
  const isPublic = redactShapes(note) === note && !note.includes(secret.reveal())
  if (note.length <= 200 && /^\P{C}*$/u.test(note) && isPublic) return note
  throw new UsageError('--note takes one line of at most 200 characters, and never a key: it is not encrypted')
}

const ALERTS: Readonly<Record<string, string>> = { 'alerts:telegram': 'bot_token', 'alerts:webhook': 'url' }

function lineFor(name: string, { provider }: VaultUse): string {
  const field = ALERTS[provider]
  return field === undefined ? `"${provider}": { "api_key": "vault:${name}" }` : `"${field}": "vault:${name}"`
}
