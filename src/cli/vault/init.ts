/** `keywise vault init`: makes the vault, and moves the keys of the configuration into it. */

import { readFileSync, statSync } from 'node:fs'
import { applyEdits, findNodeAtLocation, modify, parseTree } from 'jsonc-parser'
import { loadConfig } from '../../config/config.ts'
import { gitWarning } from '../../config/gitGuard.ts'
import { readSecret } from '../../config/secrets.ts'
import { showPath } from '../../config/showPath.ts'
import { OpenVault, type VaultEntry } from '../../config/vault/openVault.ts'
import type { PlacedSecret } from '../../config/vault/placedSecrets.ts'
import { ENTRY_NAME } from '../../config/vault/vaultFile.ts'
import { lookupIn } from '../../config/vault/vaultLookup.ts'
import { writeNewVault } from '../../config/vault/vaultOnDisk.ts'
import { writePrivately } from '../../config/writePrivately.ts'
import { VaultError } from '../../domain/errors.ts'
import { maskKey, Secret } from '../../domain/redact.ts'
import type { ExitCode } from '../command.ts'
import { plural } from '../output.ts'
import { useText, type VaultDesk } from './desk.ts'
import { offerToDelete } from './plainCopies.ts'
import { firstWays } from './ways.ts'

/** A key of the configuration on its way into the vault. */
export interface Move extends PlacedSecret {
  readonly entry: VaultEntry
}

export async function initVault(desk: VaultDesk): Promise<ExitCode> {
  if (statSync(desk.file, { throwIfNoEntry: false }))
    throw new VaultError(
      `${desk.label}: is there already and was left as it is; "keywise vault import ${desk.document.name}" takes more keys into it`,
      { reason: 'unwritable' },
    )
  const moves = movesOf(desk, new Set())
  printMoves(desk, moves)
  const isWanted = moves.length > 0 && (await desk.confirm(`Move ${theseKeys(moves)} into the vault?`))
  const ways = await firstWays(desk)
  const vault = OpenVault.create({ ways, now: desk.now })
  for (const { entry } of isWanted ? moves : []) vault.put(entry)
  writeNewVault(desk.file, desk.label, vault)
  desk.out.line(`${desk.label} made; it opens by ${ways.map(({ kind }) => OPENS[kind]).join(' and ')}.`)
  if (isWanted) await replacePlain(desk, moves, vault)
  else if (moves.length > 0)
    desk.out.line(`${desk.document.name} was left as it was ("--yes" moves the keys without asking).`)
  vault.close()
  printNext(
    desk,
    ways.some(({ kind }) => kind === 'passphrase'),
  )
  return 0
}

const OPENS = { passphrase: 'its passphrase', file: 'its key', keyring: 'the keyring' } as const

/** Every key that stands in the configuration itself, each with a name that is not taken. */
export function movesOf(
  desk: Pick<VaultDesk, 'plainPlaces' | 'document' | 'options' | 'now'>,
  taken: Set<string>,
): Move[] {
  const none = { find: () => undefined }
  const createdAt = new Date(desk.now).toISOString()
  const bySecret = new Map<string, VaultEntry>()
  return desk.plainPlaces().map((place) => {
    const secret = readSecret(place, desk.document, { ...desk.options, vault: none })
    // The same key for the same use is one key of the vault, however often it is written.
    const id = JSON.stringify([secret, place.use])
    const known = bySecret.get(id)
    const entry = known ?? {
      name: freeName(place.name, taken),
      ...place.use,
      createdAt,
      note: null,
      secret: new Secret(secret),
    }
    bySecret.set(id, entry)
    return { ...place, entry }
  })
}

function freeName(wanted: string, taken: Set<string>): string {
  const base =
    wanted
      .replace(/[^A-Za-z0-9._-]+/g, '-')
      .replace(/^[^A-Za-z0-9]+/, '')
      .slice(0, 56) || 'key'
  let name = base
  for (let number = 2; taken.has(name) || !ENTRY_NAME.test(name); number++) name = `${base}-${number}`
  taken.add(name)
  return name
}

function printMoves({ out, document }: VaultDesk, moves: readonly Move[]): void {
  if (moves.length === 0) return out.line(`${document.name} holds no key itself; "keywise vault add NAME" takes one.`)
  const rows = moves.map(({ entry, path, use }) => [
    entry.name,
    useText(use),
    maskKey(entry.secret.reveal()),
    showPath(path),
  ])
  out.table(['name', 'for', 'key', document.name], rows)
  out.line()
}

/** Writes `vault:NAME` in the place of each key; comments, order and everything else stay. */
export async function replacePlain(desk: VaultDesk, moves: readonly Move[], vault: OpenVault): Promise<void> {
  const { file, name } = desk.document
  if (file === null) return
  const before = readFileSync(file, 'utf8')
  if (!stillHolds(before, moves))
    throw new VaultError(
      `${name}: was changed meanwhile and left as it is; its keys are in the vault as well. Run: keywise vault import ${name}`,
      { reason: 'unwritable' },
    )
  const text = moves.reduce((now, { path, entry }) => {
    return applyEdits(now, modify(now, [...path], `vault:${entry.name}`, {}))
  }, before)
  const mode = statSync(file).mode & 0o777
  const wanted = keysNow(desk, vault)
  try {
    writePrivately(file, text, mode)
    if (wanted !== null && keysNow(desk, vault) !== wanted)
      throw new Error('the configuration would not have the same keys')
  } catch (error) {
    if (readFileSync(file, 'utf8') !== before) writePrivately(file, before, mode)
    const why = error instanceof Error ? error.message : String(error)
    throw new VaultError(`${name}: was left with its keys: ${why}`, { reason: 'unwritable', cause: error })
  }
  desk.out.line(
    `${name} now names ${plural(moves.length, 'key')} of the vault; its comments and order are as they were.`,
  )
  await offerToDelete(desk, { moved: moves.map(({ entry }) => entry.secret), inVault: vault.entries })
  warnOfGit(desk, file)
}

/** Whether each key stands where it was read: somebody may have edited the file while a question was open. */
function stillHolds(text: string, moves: readonly Move[]): boolean {
  const tree = parseTree(text)
  return tree !== undefined && moves.every(({ path, value }) => findNodeAtLocation(tree, [...path])?.value === value)
}

/** Which keys the configuration has, however they are written; null where it cannot be used anyway. */
function keysNow({ options }: VaultDesk, vault: OpenVault): string | null {
  try {
    const { providers, settings } = loadConfig({ ...options, vault: lookupIn(vault) })
    const { telegram, webhook } = settings.alerts
    return JSON.stringify([
      providers.map(({ id, keys }) => [id, keys.map(({ index, secret }) => [index, secret.reveal()])]),
      [telegram?.botToken, webhook?.url, webhook?.secret].map((secret) => secret?.reveal() ?? null),
    ])
  } catch {
    return null
  }
}

function warnOfGit({ out, document }: VaultDesk, file: string): void {
  if (gitWarning(file)?.includes('already tracks'))
    out.line(`git has ${document.name} with the keys in its history: replace the keys at their providers.`)
}

function printNext({ out }: VaultDesk, hasPassphrase: boolean): void {
  out.line()
  if (hasPassphrase) {
    out.line('Commands ask for the passphrase on a terminal; services find it in KEYWISE_VAULT_PASSPHRASE.')
    out.line('  keywise vault unlock                    the keyring of this system answers instead')
    out.line('  keywise vault unlock --key-file FILE    a key file does, for services')
    out.line('Nobody can open the vault without its passphrase: keep it where you keep such things.')
  } else
    out.line(
      'Keep a copy of the key, or add a passphrase (keywise vault passphrase): nobody can open the vault without one.',
    )
}

const theseKeys = ({ length }: readonly Move[]) => (length === 1 ? 'this key' : `these ${length} keys`)

/** Takes more keys into a vault that is there. */
export async function takeIn(desk: VaultDesk, entries: readonly VaultEntry[]): Promise<void> {
  await desk.change((vault) => {
    for (const entry of entries) vault.put(entry)
  })
}
