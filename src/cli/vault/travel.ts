/** `keywise vault export|import`: sealed copies, and keys from other keys files. */

import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { configDocument } from '../../config/config.ts'
import { OpenVault, type VaultEntry } from '../../config/vault/openVault.ts'
import { isWrittenOut, placedSecrets } from '../../config/vault/placedSecrets.ts'
import { parseVault } from '../../config/vault/vaultFile.ts'
import { writeNewPrivately } from '../../config/writePrivately.ts'
import { ConfigError, VaultError } from '../../domain/errors.ts'
import { asRecord } from '../../domain/json.ts'
import { type ExitCode, UsageError } from '../command.ts'
import { plural } from '../output.ts'
import type { VaultDesk } from './desk.ts'
import { movesOf, takeIn } from './init.ts'
import { offerToDelete } from './plainCopies.ts'
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
  try {
    writeNewPrivately(file, copy.text())
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

/** From an export, or from a keys file whose keys are plain, which it then offers to delete. */
export async function importKeys(desk: VaultDesk): Promise<ExitCode> {
  const path = pathOf(desk, 'import')
  const file = resolve(desk.context.cwd, path)
  const bytes = bytesOf(file, path)
  const vault = await desk.open()
  const isSealed = isExport(bytes)
  const given = isSealed ? await openExport(desk, bytes, path) : plainEntries(desk, file, vault)
  const { added, same } = sorted(desk, vault, given)
  await takeIn(desk, added)
  vault.close()
  desk.out.line(
    `${plural(added.length, 'key')} taken into ${desk.label}${same > 0 ? `; ${plural(same, 'key')} it had already` : ''}.`,
  )
  for (const { name, provider } of added) desk.out.line(`  ${name} (${provider}): "vault:${name}"`)
  if (!isSealed)
    await offerToDelete(
      desk,
      given.map(({ secret }) => secret),
      isOwnFile(desk, file) ? [] : [file],
    )
  if (!isSealed && isOwnFile(desk, file)) desk.out.line(`${path} still holds them: write "vault:NAME" in their places.`)
  return 0
}

function sorted(
  desk: VaultDesk,
  vault: OpenVault,
  given: readonly VaultEntry[],
): { added: readonly VaultEntry[]; same: number } {
  const isSame = (entry: VaultEntry) => {
    const known = vault.find(entry.name)
    return (
      known?.secret.reveal() === entry.secret.reveal() &&
      known.provider === entry.provider &&
      known.address === entry.address
    )
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
function plainEntries(desk: VaultDesk, file: string, vault: OpenVault): readonly VaultEntry[] {
  const options = { ...desk.options, config: file }
  const plainPlaces = () => placedSecrets(options).filter(({ value }) => isWrittenOut(value))
  const source = { plainPlaces, document: configDocument(options), options, now: desk.now }
  const known = new Map(
    vault.entries.map((entry) => [JSON.stringify([entry.secret.reveal(), entry.provider, entry.address]), entry]),
  )
  const taken = new Set(vault.entries.map(({ name }) => name))
  const entries = movesOf(source, taken).map(({ entry }) => {
    return known.get(JSON.stringify([entry.secret.reveal(), entry.provider, entry.address])) ?? entry
  })
  if (entries.length === 0) throw new ConfigError(`${file}: holds no key itself`)
  return [...new Map(entries.map((entry) => [entry.name, entry])).values()]
}

function isExport(bytes: Buffer): boolean {
  try {
    return typeof asRecord(JSON.parse(bytes.toString()))?.['format'] === 'string'
  } catch {
    return /^\s*\{\s*"format"/.test(bytes.subarray(0, 40).toString())
  }
}

const isOwnFile = (desk: VaultDesk, file: string) => file === desk.document.file

function bytesOf(file: string, path: string): Buffer {
  try {
    return readFileSync(file)
  } catch (error) {
    throw new UsageError(`${path} cannot be read (${(error as NodeJS.ErrnoException).code})`)
  }
}

function pathOf({ context }: VaultDesk, command: string): string {
  const path = context.args[1]
  if (path === undefined) throw new UsageError(`keywise vault ${command} FILE`)
  return path
}
