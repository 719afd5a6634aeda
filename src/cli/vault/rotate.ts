/** `keywise vault rotate`: a new data key for everything; `rotate NAME`: a new key in the place of one, once it works. */

import { type NewWay, type OpenVault, opensIn, type VaultEntry, type VaultMeans } from '../../config/vault/openVault.ts'
import type { VaultFile, Way } from '../../config/vault/vaultFile.ts'
import { VaultError } from '../../domain/errors.ts'
import { maskKey } from '../../domain/redact.ts'
import type { Engine } from '../../engine/engine.ts'
import type { Credential } from '../../engine/targets/targetRegistry.ts'
import { openEngine } from '../../manager/openEngine.ts'
import { testApiKeys } from '../../tester/apiKeyTester.ts'
import { type ExitCode, UsageError } from '../command.ts'
import { plural } from '../output.ts'
import { engineOptions } from '../withEngine.ts'
import { entryIn, type VaultDesk } from './desk.ts'
import { readKey, sameKeys } from './entries.ts'
import { askPassphrase, keyOfKeyring } from './withVaultKey.ts'

export async function rotate(desk: VaultDesk): Promise<ExitCode> {
  return desk.context.args[1] === undefined ? rotateDataKey(desk) : rotateEntry(desk)
}

async function rotateDataKey(desk: VaultDesk): Promise<ExitCode> {
  const means = await desk.means()
  await desk.open().then((vault) => vault.close())
  const file = desk.read()
  const ways: NewWay[] = []
  for (const way of file.ways) ways.push(await given(desk, file, way, means))
  const count = await desk.change((vault) => {
    vault.rekey(ways, desk.now)
    return vault.entries.length
  })
  desk.out.line(
    `${plural(count, 'key')} sealed again with a new data key. Copies made before open with the old one alone.`,
  )
  desk.out.line('What may have been read from a copy stays known: replace such keys with "keywise vault rotate NAME".')
  return 0
}

/** What opens this way now opens it afterwards; a way that nobody can prove would be lost, so it is asked for. */
async function given(desk: VaultDesk, file: VaultFile, way: Way, means: VaultMeans): Promise<NewWay> {
  if (way.kind === 'passphrase') {
    const { stretching } = way
    const passphrase = means.passphrase ?? (await askPassphrase(file, desk.asker, desk.context))
    if (passphrase !== null && opensIn(file, { kind: 'passphrase', passphrase, stretching }))
      return { kind: 'passphrase', passphrase, stretching }
    throw new VaultError(`${desk.label}: nothing was changed: the passphrase given is not that of the vault`, {
      reason: 'refused',
    })
  }
  const { kind } = way
  const ofKeyring = kind === 'keyring' ? keyOfKeyring(file, desk.context.env) : null
  const key = [...means.keys, ...(ofKeyring === null ? [] : [ofKeyring])].find((one) =>
    opensIn(file, { kind, key: one }),
  )
  if (key !== undefined) return { kind, key }
  throw new VaultError(
    `${desk.label}: also opens by ${kind === 'file' ? 'a key file, which has to be named in KEYWISE_VAULT_KEY_FILE' : 'the keyring, which does not answer'}; or take that way away first: keywise vault lock`,
    { reason: 'refused' },
  )
}

async function rotateEntry(desk: VaultDesk): Promise<ExitCode> {
  const name = desk.entryName('rotate')
  const vault = await desk.open()
  const old = entryIn(vault, name)
  const secret = await readKey(desk, `New key "${name}"`)
  const entry = { ...old, secret, createdAt: new Date(desk.now).toISOString() }
  if (secret.reveal() === old.secret.reveal()) throw new UsageError('this is the key that the vault has already')
  for (const twin of sameKeys(vault.entries, entry)) desk.out.line(`It is the same key as "${twin.name}".`)
  const proof = desk.has('unproven') ? null : await prove(desk, vault, entry)
  if (proof !== null && !proof.isProven) {
    desk.context.stderr.write(
      `keywise: ${proof.text}; the old key stays${proof.mayForce ? ' (--unproven takes the new one all the same)' : ''}\n`,
    )
    return 1
  }
  await desk.change((now) => {
    if (entryIn(now, name).secret.reveal() !== old.secret.reveal())
      throw new VaultError(`"${name}" was changed by somebody else meanwhile; nothing was changed`, {
        reason: 'unwritable',
      })
    now.put(entry)
  })
  desk.out.line(
    `"${name}" is ${maskKey(secret.reveal())} now${proof === null ? '' : `: ${proof.text}`}. What runs uses it within a second;`,
  )
  desk.out.line(`requests under way end with ${maskKey(old.secret.reveal())}. Revoke that one at its provider.`)
  return 0
}

interface Proof {
  readonly isProven: boolean
  /** For people. */
  readonly text: string
  /** It is not known to be bad. */
  readonly mayForce: boolean
}

/** Asks the provider with the new key, in an engine that nobody else sees: its free check, else one short call. */
async function prove(desk: VaultDesk, vault: OpenVault, entry: VaultEntry): Promise<Proof> {
  const find = (name: string) => (name === entry.name ? entry : vault.find(name))
  const opened = openEngine({ ...engineOptions(desk.context), store: 'memory:', logger: false, vault: { find } })
  try {
    const { engine } = opened
    const credential = engine.registry.credentials.find(({ key }) => key.vault?.name === entry.name)
    if (credential === undefined)
      return {
        isProven: false,
        mayForce: true,
        text: 'no provider of the configuration uses it, so no call can prove it',
      }
    const checked = await engine.checks.checkNow(credential)
    if (checked.state === 'valid') return { isProven: true, mayForce: false, text: 'its provider accepts it' }
    if (checked.state === 'refused') {
      const mayForce = checked.failure.kind !== 'auth_invalid'
      return { isProven: false, mayForce, text: `the new key was not proven: ${checked.failure.message}` }
    }
    await opened.ready()
    return await proveByCall(engine, credential)
  } finally {
    await opened.close()
  }
}

async function proveByCall(engine: Engine, { provider, key, fingerprint }: Credential): Promise<Proof> {
  const target = engine.registry.targets.find((one) => one.provider === provider.id && one.fingerprint === fingerprint)
  if (target === undefined)
    return { isProven: false, mayForce: true, text: 'its provider names no model to call it with' }
  const { tests } = await testApiKeys({ engine, provider: provider.id, key: key.index, model: target.model, out: null })
  const passed = tests.find(({ status }) => status === 'success')
  if (passed !== undefined) return { isProven: true, mayForce: false, text: `${passed.model} answered with it` }
  const [failed] = tests
  const why = failed?.error ?? 'nothing was called'
  return {
    isProven: false,
    mayForce: failed?.failureKind !== 'auth_invalid',
    text: `the new key was not proven: ${why}`,
  }
}
