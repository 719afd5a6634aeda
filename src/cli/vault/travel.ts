/** `keywise vault export|import`: sealed copies, and keys from other keys files. */

import { existsSync, readFileSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { configDocument } from '../../config/config.ts'
import { showName } from '../../config/showPath.ts'
import { OpenVault, type VaultEntry } from '../../config/vault/openVault.ts'
import { isWrittenOut, placedSecrets } from '../../config/vault/placedSecrets.ts'
import { MOST_VAULT_BYTES, parseVault } from '../../config/vault/vaultFile.ts'
import { readableText } from '../../config/vault/vaultOnDisk.ts'
import { ConfigError, VaultError } from '../../domain/errors.ts'
import { asRecord } from '../../domain/json.ts'
import { createFileNow } from '../../store/replaceFile.ts'
import { type ExitCode, UsageError } from '../command.ts'
import { plural } from '../output.ts'
import type { VaultDesk } from './desk.ts'
import { type Move, movesOf, replacePlain, takeIn } from './init.ts'
import { isSameFile, offerToDelete } from './plainCopies.ts'
import { passphraseWay } from './ways.ts'

/** A vault of its own with a passphrase of its own: never a key in the clear. */
export async function exportVault(desk: VaultDesk): Promise<ExitCode> {
  const path = pathOf(desk, 'export')
  const file = resolve(desk.context.cwd, path)
  if (existsSync(file)) throw new UsageError(`${path} is there already; name a new file`)
  const { entries } = await desk.open()
  const way = await passphraseWay(desk, null, 'Passphrase of the copy')
  const copy = OpenVault.create({ format: 'keywise-vault-export', ways: [way], now: desk.now })
  for (const entry of entries) copy.put(entry)
  const text = readableText(copy, path, 'keywise-vault-export')
  try {
    createFileNow(file, text)
  } catch (error) {
    throw new VaultError(`${path} cannot be written (${(error as NodeJS.ErrnoException).code})`, {
      reason: 'unwritable',
    })
  }
  copy.close()
  desk.out.line(
    `${path} holds ${plural(entries.length, 'key')}, sealed; "keywise vault import ${path}" opens it with the passphrase just given.`,
  )
  return 0
}

/** From an export, or from a keys file whose keys are plain; its own, it does what init does. */
export async function importKeys(desk: VaultDesk): Promise<ExitCode> {
  const path = pathOf(desk, 'import')
  const file = resolve(desk.context.cwd, path)
  const bytes = bytesOf(file, path)
  const vault = await desk.open()
  vault.close()
  if (isExport(bytes)) await take(desk, vault, await openExport(desk, bytes, path))
  else await takePlain(desk, vault, file)
  return 0
}

async function takePlain(desk: VaultDesk, vault: OpenVault, file: string): Promise<void> {
  const moves = plainMoves(desk, file, vault)
  await take(desk, vault, [...new Map(moves.map(({ entry }) => [entry.name, entry])).values()])
  const moved = moves.map(({ entry }) => entry.secret)
  if (!isSameFile(file, desk.document.file))
    await offerToDelete(desk, { moved, inVault: (await desk.open()).entries, more: [file] })
  else if (await desk.confirm(`Write vault:NAME in the places of these keys in ${desk.document.name}?`))
    await replacePlain(desk, moves, await desk.open())
  else desk.out.line(`${desk.document.name} still holds them.`)
}

async function take(desk: VaultDesk, vault: OpenVault, given: readonly VaultEntry[]): Promise<void> {
  const { added, same } = sorted(desk, vault, given)
  await takeIn(desk, added)
  const had = same > 0 ? `; ${plural(same, 'key')} it had already` : ''
  desk.out.line(`${plural(added.length, 'key')} taken into ${desk.label}${had}.`)
  for (const { name, provider } of added) desk.out.line(`  ${name} (${provider}): "vault:${name}"`)
}

function sorted(
  desk: VaultDesk,
  vault: OpenVault,
  given: readonly VaultEntry[],
): { added: readonly VaultEntry[]; same: number } {
  const isSame = (entry: VaultEntry) => {
    const known = vault.find(entry.name)
    return known !== undefined && sameness(known) === sameness(entry)
  }
  const added = given.filter((entry) => !isSame(entry))
  const taken = added.filter(({ name }) => vault.find(name) !== undefined).map(({ name }) => `"${name}"`)
  if (taken.length > 0 && !desk.has('replace'))
    throw new VaultError(
      `the vault has other keys named ${taken.join(', ')}; nothing was taken in. --replace puts the new ones in their place`,
      {
        reason: 'entry',
      },
    )
  return { added, same: given.length - added.length }
}

async function openExport(desk: VaultDesk, bytes: Buffer, path: string): Promise<readonly VaultEntry[]> {
  const file = parseVault(bytes, path, 'keywise-vault-export')
  const passphrase = await desk.asker.secret(`Passphrase of ${path}`)
  const copy = OpenVault.open(file, { passphrase, keys: [] }, path)
  copy.close()
  return copy.entries
}

/** The plain keys of a keys file, in any of its forms. A key that the vault has keeps its name there. */
function plainMoves(desk: VaultDesk, file: string, vault: OpenVault): readonly Move[] {
  const options = { ...desk.options, config: file }
  const plainPlaces = () => placedSecrets(options).filter(({ value }) => isWrittenOut(value))
  const source = { plainPlaces, document: configDocument(options), options, now: desk.now }
  const known = new Map(vault.entries.map((entry) => [sameness(entry), entry]))
  const taken = new Set(vault.entries.map(({ name }) => name))
  const moves = movesOf(source, taken).map((move) => ({
    ...move,
    entry: known.get(sameness(move.entry)) ?? move.entry,
  }))
  if (moves.length === 0) throw new ConfigError(`${file}: holds no key itself`)
  return moves
}

/** Equal for the same key with the same use. */
const sameness = ({ secret, provider, address }: VaultEntry) => JSON.stringify([secret.reveal(), provider, address])

function isExport(bytes: Buffer): boolean {
  try {
    return typeof asRecord(JSON.parse(bytes.toString()))?.['format'] === 'string'
  } catch {
    return /^\s*\{\s*"format"/.test(bytes.subarray(0, 40).toString())
  }
}

function bytesOf(file: string, path: string): Buffer {
  const shown = /[./\\]/.test(path) ? path : showName(path) // a key in the place of a file is not repeated
  try {
    const about = statSync(file)
    if (about.isFile() && about.size <= MOST_VAULT_BYTES) return readFileSync(file)
  } catch (error) {
    throw new UsageError(`${shown} cannot be read (${(error as NodeJS.ErrnoException).code})`)
  }
  throw new UsageError(`${shown} is not a regular file of at most 4 MiB`)
}

function pathOf({ context }: VaultDesk, command: string): string {
  const path = context.args[1]
  if (path === undefined) throw new UsageError(`keywise vault ${command} FILE`)
  return path
}
