/** What every `keywise vault` command works with: the vault of the configuration, and the means to open it. */

import { setTimeout } from 'node:timers/promises'
import { configDocument, type LoadOptions } from '../../config/config.ts'
import type { ConfigDocument } from '../../config/document.ts'
import { showName, showPath } from '../../config/showPath.ts'
import type { OpenVault, VaultEntry, VaultMeans } from '../../config/vault/openVault.ts'
import { isWrittenOut, type PlacedSecret, placedSecrets } from '../../config/vault/placedSecrets.ts'
import { ENTRY_NAME, type VaultFile } from '../../config/vault/vaultFile.ts'
import { type VaultUse, vaultName } from '../../config/vault/vaultLookup.ts'
import { vaultMeans } from '../../config/vault/vaultMeans.ts'
import { changeVault, openVaultFile, readVault, vaultLabel, vaultPlace } from '../../config/vault/vaultOnDisk.ts'
import { FileBusyError } from '../../config/writePrivately.ts'
import { VaultError } from '../../domain/errors.ts'
import { nearest } from '../../domain/nearest.ts'
import { loadOptions } from '../../manager/locations.ts'
import { type CommandContext, UsageError } from '../command.ts'
import { type Printer, printer } from '../output.ts'
import { engineOptions } from '../withEngine.ts'
import { Asker } from './ask.ts'
import { askPassphrase, keyOfKeyring } from './withVaultKey.ts'

// Another command holds the vault for as long as a passphrase takes: half a second.
const BETWEEN_TRIES_MS = 50
const MOST_TRIES = 60

export class VaultDesk {
  readonly context: CommandContext
  readonly out: Printer
  readonly asker: Asker
  readonly options: LoadOptions
  readonly document: ConfigDocument
  /** Absolute path of the vault. */
  readonly file: string
  /** Its name in messages. */
  readonly label: string
  readonly now = Date.now()
  #means: VaultMeans | null = null

  /** Throws ConfigError for a keys file that cannot be read. */
  constructor(context: CommandContext) {
    this.context = context
    this.out = printer(context.stdout, context.env)
    this.asker = new Asker(context)
    this.options = loadOptions(engineOptions(context))
    this.document = configDocument(this.options)
    this.file = vaultPlace(this.document.file, this.options)
    this.label = vaultLabel(this.file, context.cwd)
  }

  option(name: string): string | undefined {
    const value = this.context.options[name]
    return typeof value === 'string' ? value : undefined
  }

  has(flag: string): boolean {
    return this.context.options[flag] === true
  }

  /** Yes without asking with `--yes`; no where nobody can answer. */
  async confirm(question: string): Promise<boolean> {
    return this.has('yes') || (await this.asker.confirm(question))
  }

  /** The vault as it is written. Throws VaultError. */
  read(): VaultFile {
    return readVault(this.file, this.label)
  }

  /** From the environment, the keyring, or a person, in this order. */
  async means(): Promise<VaultMeans> {
    this.#means ??= await this.#findMeans()
    return this.#means
  }

  /** Throws VaultError. */
  async open(): Promise<OpenVault> {
    return openVaultFile(this.file, this.label, await this.means())
  }

  /** Throws VaultError; then nothing was changed. */
  async change<T>(change: (vault: OpenVault) => T): Promise<T> {
    const means = await this.means()
    for (let tries = 1; ; tries++) {
      try {
        return changeVault(this.file, this.label, means, change)
      } catch (error) {
        const isBusy = error instanceof VaultError && error.cause instanceof FileBusyError
        if (!isBusy || tries === MOST_TRIES) throw error
      }
      await setTimeout(BETWEEN_TRIES_MS)
    }
  }

  /** Every place where the configuration holds a secret or asks for one. */
  places(): readonly PlacedSecret[] {
    return placedSecrets(this.options)
  }

  /** Where the configuration asks for the key: `config/api-keys.json groq.api_key`. */
  placesOf(name: string): readonly string[] {
    const asking = this.places().filter(({ value }) => vaultName(value) === name)
    return asking.map(({ path }) => `${this.document.name} ${showPath(path)}`)
  }

  plainPlaces(): readonly PlacedSecret[] {
    return this.places().filter(({ value }) => isWrittenOut(value))
  }

  /** Throws UsageError for a name that is missing or cannot be one. */
  entryName(command: string): string {
    const name = this.context.args[1]
    if (name === undefined) throw new UsageError(`keywise vault ${command} NAME`)
    // Names are not encrypted, and what looks like a key may be one.
    if (ENTRY_NAME.test(name) && showName(name) === name) return name
    throw new UsageError('a name in the vault is 1 to 64 letters, digits, ".", "_" or "-"; never the key itself')
  }

  async #findMeans(): Promise<VaultMeans> {
    const given = vaultMeans(this.context.env)
    if (given.keys.length > 0 || given.passphrase !== null) return given
    const file = this.read()
    const key = keyOfKeyring(file, this.context.env)
    if (key !== null) return { keys: [key], passphrase: null }
    const canAnswer = this.context.stdin !== undefined
    const passphrase = canAnswer ? await askPassphrase(file, this.asker, this.context) : null
    if (passphrase !== null || !canAnswer) return { keys: [], passphrase }
    throw new VaultError(`${this.label}: was not opened; nothing was changed`, { reason: 'refused' })
  }
}

/** The entry of that name. Throws VaultError that names the nearest. */
export function entryIn(vault: OpenVault, name: string): VaultEntry {
  const entry = vault.find(name)
  if (entry !== undefined) return entry
  const [near] = nearest(
    name,
    vault.entries.map((one) => one.name),
    1,
  )
  const hint = near === undefined ? '' : ` (did you mean "${near}"?)`
  throw new VaultError(`the vault has no key "${name}"${hint}; "keywise vault list" shows them`, { reason: 'entry' })
}

/** `groq`, or `my-llm at https://llm.example`. */
export function useText({ provider, address }: VaultUse): string {
  return address === null ? provider : `${provider} at ${address}`
}
