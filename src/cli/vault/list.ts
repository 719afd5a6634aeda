/** `keywise vault list`: what is in the vault, for whom, how old, last used when, and what stands there twice. */

import type { OpenVault, VaultEntry } from '../../config/vault/openVault.ts'
import { lookupIn } from '../../config/vault/vaultLookup.ts'
import { KeywiseError, VaultError } from '../../domain/errors.ts'
import { maskKey } from '../../domain/redact.ts'
import { openEngine } from '../../manager/openEngine.ts'
import { type KeyRow, keysView } from '../../views/keys.ts'
import type { ExitCode } from '../command.ts'
import { age } from '../output.ts'
import { engineOptions } from '../withEngine.ts'
import { useText, type VaultDesk } from './desk.ts'
import { sameKeys } from './entries.ts'

interface VaultRow {
  readonly name: string
  readonly provider: string
  readonly address: string | null
  /** Masked; null while the vault is locked. */
  readonly key: string | null
  readonly createdAt: string
  readonly note: string | null
  /** Where the configuration asks for it. */
  readonly usedBy: readonly string[]
  /** How many targets stand on it; null where the configuration cannot be read. */
  readonly targets: number | null
  readonly lastUsed: string | null
  /** Other names of the same key. */
  readonly sameKeyAs: readonly string[]
  readonly sharesAccountWith: readonly string[]
}

export async function listVault(desk: VaultDesk): Promise<ExitCode> {
  const file = desk.read()
  const vault = await openOrNull(desk)
  const rows = vault === null ? file.entries.map((entry) => rowOf(desk, entry, null)) : await openedRows(desk, vault)
  const opensBy = file.ways.map(({ kind }) => kind)
  const generatedAt = new Date(desk.now).toISOString()
  if (desk.has('json')) desk.out.json({ generatedAt, file: desk.file, opensBy, locked: vault === null, entries: rows })
  else print(desk, rows, opensBy, vault === null)
  return 0
}

/** A locked vault is listed too: only keys are encrypted. Throws VaultError for one that is damaged. */
async function openOrNull(desk: VaultDesk): Promise<OpenVault | null> {
  try {
    return await desk.open()
  } catch (error) {
    if (error instanceof VaultError && error.reason === 'locked') return null
    throw error
  }
}

async function openedRows(desk: VaultDesk, vault: OpenVault): Promise<VaultRow[]> {
  const keys = await keysOf(desk, vault)
  return vault.entries.map((entry) => ({
    ...rowOf(
      desk,
      entry,
      keys.filter((key) => key.vault === entry.name),
    ),
    key: maskKey(entry.secret.reveal()),
    sameKeyAs: sameKeys(vault.entries, entry).map(({ name }) => name),
  }))
}

/** What is known of the keys of the configuration; nothing where it cannot be used. */
async function keysOf({ context }: VaultDesk, vault: OpenVault): Promise<readonly KeyRow[]> {
  try {
    const opened = openEngine({ ...engineOptions(context), logger: false, vault: lookupIn(vault) })
    try {
      return keysView(opened.engine).keys
    } finally {
      await opened.close()
    }
  } catch (error) {
    if (error instanceof KeywiseError) return []
    throw error
  }
}

type Listed = Pick<VaultEntry, 'name' | 'provider' | 'address' | 'createdAt' | 'note'>

function rowOf(desk: VaultDesk, entry: Listed, keys: readonly KeyRow[] | null): VaultRow {
  const { name, provider, address, createdAt, note } = entry
  const used = keys?.flatMap(({ lastUsed }) => lastUsed ?? []).sort()
  return {
    name,
    provider,
    address,
    key: null,
    createdAt,
    note,
    usedBy: desk.placesOf(name),
    targets: keys?.reduce((sum, key) => sum + key.targets, 0) ?? null,
    lastUsed: used?.at(-1) ?? null,
    sameKeyAs: [],
    sharesAccountWith: keys?.flatMap((key) => key.sharesAccountWith) ?? [],
  }
}

function print(
  { out, label, now }: VaultDesk,
  rows: readonly VaultRow[],
  opensBy: readonly string[],
  locked: boolean,
): void {
  const ago = (at: string) => `${age(now - Date.parse(at))} ago`
  out.table(
    ['name', 'for', 'key', 'since', 'last used', 'targets', 'used by', 'note'],
    rows.map((row) => [
      row.name,
      useText(row),
      row.key ?? '(locked)',
      row.createdAt.slice(0, 10),
      row.lastUsed === null ? '-' : ago(row.lastUsed),
      row.targets === null ? '-' : String(row.targets),
      row.usedBy.join(', ') || 'nobody',
      row.note ?? '',
    ]),
  )
  out.line()
  for (const { name, sameKeyAs } of rows)
    if (sameKeyAs[0] !== undefined && name < sameKeyAs[0])
      out.line(`${[name, ...sameKeyAs].join(' and ')} are the same key`)
  for (const { name, sharesAccountWith } of rows)
    if (sharesAccountWith.length > 0)
      out.line(`${name} shares the limits of its account with ${sharesAccountWith.join(', ')}`)
  out.line(`${label} opens by: ${opensBy.join(', ')}${locked ? '; it is locked now, so keys are not compared' : ''}`)
}
