/** The vault as people use it: on the command line, from making it to losing its passphrase. */

import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { freshKey } from '../src/config/vault/openVault.ts'
import { type Home, makeHome, type Ran } from './support/runKeywise.ts'
import { put, temporaryFolder } from './support/temporaryFolder.ts'

const GROQ = [1, 2].map((number) => `gsk_${`fake${number}`.repeat(10)}`)
const OPENAI = `sk-proj-${'fake'.repeat(10)}`
const BOT = `123456789:${'fakeToken'.repeat(4)}`
const KEYS = [...GROQ, OPENAI, BOT]
const PHRASE = 'correct horse battery'
const KEY = freshKey().reveal()

// Nothing listens there: who asks it for its models knows at once.
const ENDPOINT = 'http://127.0.0.1:9'
const CONFIG = `// my keys
{
  "groq": { "endpoint": "${ENDPOINT}/v1", "models": ["g"], "api_keys": ["${GROQ[0]}", /* the other one */ { "key": "${GROQ[1]}", "label": "work", "account": "a" }] },
  "openai": { "api_key": "${OPENAI}", "endpoint": "${ENDPOINT}/v1", "models": ["m"] }, // paid
  "mistral": { "api_key": "env:MY_KEY", "endpoint": "${ENDPOINT}/v1", "models": ["m"] },
  "settings": { "alerts": { "telegram": { "bot_token": "${BOT}", "chat_id": "1" } } },
}
`

/** A home with that configuration. */
function home(env: Readonly<Record<string, string>> = { KEYWISE_VAULT_KEY: KEY }): Home {
  const made = makeHome(null, { MY_KEY: 'fake-key-of-mistral', ...env })
  put(made.folder, 'config/api-keys.json', CONFIG)
  return made
}

const textOf = ({ folder }: Home, file: string) => readFileSync(join(folder, file), 'utf8')
const said = ({ stdout, stderr }: Ran) => stdout + stderr

function expectNoKey(...texts: readonly string[]): void {
  for (const text of texts) for (const key of KEYS) expect(text).not.toContain(key.slice(5, 20))
}

/** A vault with everything of that configuration in it. */
async function filled(env?: Readonly<Record<string, string>>): Promise<Home> {
  const made = home(env)
  const ran = await made.keywise('vault', 'init', '--yes')
  expect([ran.code, ran.stderr]).toEqual([0, ''])
  return made
}

interface Listed {
  readonly locked: boolean
  readonly opensBy: readonly string[]
  readonly entries: readonly Record<string, unknown>[]
}

async function listed(of: Home): Promise<Listed> {
  const { stdout, code, stderr } = await of.keywise('vault', 'list', '--json')
  expect([code, stderr]).toEqual([0, ''])
  return JSON.parse(stdout) as Listed
}

test('vault init moves the keys of the configuration, and leaves its comments, its order and everything else', async () => {
  const made = home()
  const before = await made.keywise('keys', 'list', '--json')
  const ran = await made.keywise('vault', 'init', '--yes')
  expect([ran.code, ran.stderr]).toEqual([0, ''])
  expect(textOf(made, 'config/api-keys.json')).toBe(
    CONFIG.replace(GROQ[0]!, 'vault:groq-1')
      .replace(GROQ[1]!, 'vault:groq-work')
      .replace(OPENAI, 'vault:openai')
      .replace(BOT, 'vault:telegram'),
  )
  expectNoKey(said(ran), ...filesOf(made.folder))
  expect(ran.stdout).toMatch(/groq-work {2}groq at http:\/\/127\.0\.0\.1:9 +gsk_….{4} +groq\.api_keys\[1\]\.key/)
  const masked = (text: string) =>
    (JSON.parse(text) as { keys: Record<string, unknown>[] }).keys.map(({ key, label, account }) => [
      key,
      label,
      account,
    ])
  const after = await made.keywise('keys', 'list', '--json')
  expect(masked(after.stdout)).toEqual(masked(before.stdout))
})

test.skipIf(process.platform === 'win32')('the vault is readable by its owner alone', async () => {
  const { folder } = await filled()
  expect(statSync(join(folder, 'config/vault.json')).mode & 0o777).toBe(0o600)
})

test('plain copies beside the keys file are deleted, other files with the keys are named', async () => {
  const made = home()
  put(made.folder, 'config/api-keys.json.bak', CONFIG)
  put(made.folder, '.env', `OPENAI_API_KEY=${OPENAI}\n`)
  put(made.folder, 'config/api-keys.example.json', '{}')
  const ran = await made.keywise('vault', 'init', '--yes')
  expect(ran.stdout).toMatch(/1 plain copy of the keys:\n.*api-keys\.json\.bak\nOverwritten and deleted/)
  expect(ran.stdout).toMatch(/also stand in:\n.*\.env\n/)
  expect(readdirSync(join(made.folder, 'config')).sort()).toContain('api-keys.example.json')
  expect(existsSync(join(made.folder, 'config/api-keys.json.bak'))).toBe(false)
  const kept = home()
  put(kept.folder, 'config/api-keys.json.bak', CONFIG)
  await kept.keywise('vault', 'init', '--yes', '--keep-plain')
  expect(existsSync(join(kept.folder, 'config/api-keys.json.bak'))).toBe(true)
})

test('without an answer nothing is moved; a vault that is there, or a link in its place, is left alone', async () => {
  const made = home()
  expect((await made.keywise('vault', 'init')).stdout).toMatch(/api-keys\.json was left as it was \("--yes"/)
  expect(textOf(made, 'config/api-keys.json')).toBe(CONFIG)
  const vault = textOf(made, 'config/vault.json')
  const again = await made.keywise('vault', 'init', '--yes')
  expect([again.code, textOf(made, 'config/vault.json')]).toEqual([78, vault])
  const linked = home()
  const elsewhere = put(linked.folder, 'elsewhere', 'keep me')
  symlinkSync(elsewhere, join(linked.folder, 'config/vault.json'))
  expect((await linked.keywise('vault', 'init', '--yes')).code).toBe(78)
  expect(readFileSync(elsewhere, 'utf8')).toBe('keep me')
  const plain = home()
  const target = join(plain.folder, 'real.json')
  writeFileSync(target, CONFIG)
  const link = join(plain.folder, 'config/linked.json')
  symlinkSync(target, link)
  const refused = await plain.keywise('vault', 'init', '--yes', '--config', link)
  expect([refused.code, readFileSync(target, 'utf8')]).toEqual([78, CONFIG])
  expect(refused.stderr).toMatch(/was left with its keys: .* is a link/)
})

test('on a terminal it asks, hides the passphrase, and later commands ask for it', async () => {
  const made = home({})
  const ran = await made.typing(['y', PHRASE, PHRASE], 'vault', 'init')
  expect(ran.code).toBe(0)
  expect(ran.stderr).toMatch(/Move these 4 keys into the vault\? \[Y\/n\] /)
  expect(said(ran)).not.toContain('horse')
  expectNoKey(said(ran))
  const keys = await made.typing(['wrong words entirely', PHRASE], 'keys', 'list', '--json')
  expect(keys.stderr).toMatch(/Passphrase of the vault: \nThat does not open it\.\nPassphrase of the vault: \n/)
  expect([keys.code, keys.stdout.includes('gsk_…')]).toEqual([0, true])
  const locked = await made.keywise('keys', 'list')
  expect(locked.code).toBe(78)
  expect(locked.stderr).toMatch(
    /"groq\.api_keys\[0\]" asks the vault for "groq-1"; config\/vault\.json: is locked; .*KEYWISE_VAULT_PASSPHRASE/,
  )
  const names = await made.keywise('vault', 'list')
  expect([names.code, /groq-1 +groq at \S+ +\(locked\)/.test(names.stdout)]).toEqual([0, true])
})

test('the two passphrases have to be the same and long enough, and Ctrl-C leaves nothing', async () => {
  const refusals: [string[], number, RegExp][] = [
    [['y', PHRASE, `${PHRASE}!`], 2, /not the same/],
    [['y', 'short', 'short'], 2, /at least 12 characters/],
    [['y', '\u0003'], 130, /ended/],
  ]
  for (const [answers, code, text] of refusals) {
    const made = home({})
    const ran = await made.typing(answers, 'vault', 'init')
    expect([ran.code, ran.stderr.split('\n').at(-2)]).toEqual([code, expect.stringMatching(text)])
    expect(readdirSync(join(made.folder, 'config'))).toEqual(['api-keys.json'])
    expect(textOf(made, 'config/api-keys.json')).toBe(CONFIG)
  }
})

test('vault add takes the key from the pipe alone, and finds out for whom it is', async () => {
  const made = makeHome({ groq: { api_key: 'vault:mine' } }, { KEYWISE_VAULT_KEY: KEY })
  await made.keywise('vault', 'init')
  const asked = await made.answering([GROQ[0]!], 'vault', 'add', 'mine')
  expect([asked.code, asked.stdout]).toEqual([0, expect.stringContaining('is in the vault, for groq and nobody else')])
  const byShape = await made.answering([OPENAI], 'vault', 'add', 'paid', '--note', 'of the team')
  expect(byShape.stdout).toContain('To use it: "openai": { "api_key": "vault:paid" }')
  const twin = await made.answering([OPENAI], 'vault', 'add', 'twin', '--provider', 'openai')
  expect(twin.stdout).toContain('It is the same key as "paid" (openai)')
  expectNoKey(said(asked), said(byShape), said(twin))
  const { entries } = await listed(made)
  expect(
    entries.map(({ name, provider, note, sameKeyAs, usedBy }) => ({ name, provider, note, sameKeyAs, usedBy })),
  ).toEqual([
    { name: 'mine', provider: 'groq', note: null, sameKeyAs: [], usedBy: ['config/api-keys.json groq.api_key'] },
    { name: 'paid', provider: 'openai', note: 'of the team', sameKeyAs: ['twin'], usedBy: [] },
    { name: 'twin', provider: 'openai', note: null, sameKeyAs: ['paid'], usedBy: [] },
  ])
  expect((await made.keywise('vault', 'list')).stdout).toMatch(/paid and twin are the same key/)
})

test('what cannot be added is refused, and the vault stays as it was', async () => {
  const made = await filled()
  const before = textOf(made, 'config/vault.json')
  const refused: [string[], string[], number, RegExp][] = [
    [[GROQ[0]!], ['groq-1'], 78, /vault rotate groq-1/],
    [['fake-without-shape'], ['new'], 2, /--provider NAME/],
    [['fake-key-of-nobody'], ['new', '--provider', 'opnai'], 2, /"opnai" is no provider.*did you mean "openai"/],
    [['two words'], ['new', '--provider', 'groq'], 2, /holds a space/],
    [[''], ['new', '--provider', 'groq'], 2, /nothing was given/],
    [[], ['new', '--provider', 'groq'], 2, /nobody is there to ask/],
    [[GROQ[0]!], ['../x'], 2, /a name in the vault/],
    [[GROQ[0]!], [], 2, /keywise vault add NAME/],
  ]
  for (const [answers, args, code, text] of refused) {
    const ran = await made.answering(answers, 'vault', 'add', ...args)
    expect([ran.code, ran.stderr]).toEqual([code, expect.stringMatching(text)])
    expectNoKey(said(ran))
  }
  expect(textOf(made, 'config/vault.json')).toBe(before)
})

test('vault remove refuses what the configuration needs', async () => {
  const made = await filled()
  const used = await made.keywise('vault', 'remove', 'openai', '--yes')
  expect([used.code, used.stderr]).toEqual([
    2,
    expect.stringContaining('is used by config/api-keys.json openai.api_key'),
  ])
  await made.answering([OPENAI], 'vault', 'add', 'spare', '--provider', 'openai')
  expect((await made.keywise('vault', 'remove', 'spare', '--yes')).code).toBe(0)
  const gone = await made.keywise('vault', 'remove', 'opena', '--yes')
  expect([gone.code, gone.stderr]).toEqual([78, expect.stringContaining('did you mean "openai"?')])
  expect((await listed(made)).entries).toHaveLength(4)
})

test('an export is sealed by a passphrase of its own, and comes back elsewhere', async () => {
  const made = await filled()
  const ran = await made.answering([PHRASE], 'vault', 'export', 'copy.sealed')
  expect([ran.code, ran.stderr]).toEqual([0, ''])
  const copy = textOf(made, 'copy.sealed')
  expectNoKey(said(ran), copy)
  expect(statSync(join(made.folder, 'copy.sealed')).mode & 0o777).toBe(process.platform === 'win32' ? 0o666 : 0o600)
  expect((await made.answering([PHRASE], 'vault', 'export', 'copy.sealed')).code).toBe(2)

  const other = makeHome({}, { KEYWISE_VAULT_KEY: freshKey().reveal() })
  await other.keywise('vault', 'init')
  put(other.folder, 'copy.sealed', copy)
  expect((await other.answering(['some other words'], 'vault', 'import', 'copy.sealed')).code).toBe(78)
  expect((await listed(other)).entries).toEqual([])
  const taken = await other.answering([PHRASE], 'vault', 'import', 'copy.sealed')
  expect([taken.code, taken.stdout]).toEqual([0, expect.stringContaining('4 keys taken into config/vault.json')])
  expect((await listed(other)).entries.map(({ name }) => name)).toEqual(['groq-1', 'groq-work', 'openai', 'telegram'])
  expect((await other.answering([PHRASE], 'vault', 'import', 'copy.sealed')).stdout).toMatch(
    /0 keys taken .* 4 keys it had already/,
  )
})

test('import takes plain keys files of any form and offers to delete them; other keys of the same name stay', async () => {
  const made = await filled()
  const plain = put(
    made.folder,
    'old.json',
    JSON.stringify({
      providers: {
        groq: { keys: [GROQ[1]], endpoint: `${ENDPOINT}/v1` },
        openai: { api_key: `${OPENAI}x` },
      },
    }),
  )
  const refused = await made.keywise('vault', 'import', 'old.json', '--yes')
  expect([refused.code, refused.stderr, existsSync(plain)]).toEqual([0, '', false])
  const { entries } = await listed(made)
  expect(entries.map(({ name }) => name)).toEqual(['groq-1', 'groq-work', 'openai', 'telegram', 'openai-2'])
  const sealed = await made.answering([PHRASE], 'vault', 'export', 'copy.sealed')
  expect(sealed.code).toBe(0)
  await made.answering([`${OPENAI}y`], 'vault', 'rotate', 'openai-2', '--unproven')
  const conflict = await made.answering([PHRASE], 'vault', 'import', 'copy.sealed')
  expect([conflict.code, conflict.stderr]).toEqual([78, expect.stringContaining('other keys named "openai-2"')])
  expect((await made.answering([PHRASE], 'vault', 'import', 'copy.sealed', '--replace')).stdout).toMatch(/1 key taken/)
})

test('vault rotate seals everything again, in every way in which it opened; a way that is not proven is asked for', async () => {
  const made = await filled()
  const before = textOf(made, 'config/vault.json')
  expect((await made.keywise('vault', 'rotate')).stdout).toMatch(/4 keys sealed again/)
  const after = textOf(made, 'config/vault.json')
  expect(after).not.toBe(before)
  expect((await made.keywise('keys', 'list')).code).toBe(0)
  await made.answering([PHRASE], 'vault', 'passphrase')
  const refused = await made.answering(['not the passphrase'], 'vault', 'rotate')
  expect([refused.code, refused.stderr]).toEqual([78, expect.stringContaining('nothing was changed')])
  expect((await made.answering([PHRASE], 'vault', 'rotate')).code).toBe(0)
  expect((await listed(made)).opensBy).toEqual(['file', 'passphrase'])
})

test('unlock writes a key file that opens the vault, and lock makes it useless', async () => {
  const made = await filled({ KEYWISE_VAULT_PASSPHRASE: PHRASE })
  const unlocked = await made.keywise('vault', 'unlock', '--key-file', 'vault.key')
  expect([unlocked.code, unlocked.stdout]).toEqual([0, expect.stringContaining('KEYWISE_VAULT_KEY_FILE=')])
  const file = join(made.folder, 'vault.key')
  expect(said(unlocked)).not.toContain(readFileSync(file, 'utf8').trim())
  expect(statSync(file).mode & 0o077).toBe(process.platform === 'win32' ? 0o066 : 0)
  expect((await made.keywise('vault', 'unlock', '--key-file', 'vault.key')).code).toBe(2)
  const service = makeHome(null, {
    KEYWISE_VAULT_KEY_FILE: file,
    MY_KEY: 'fake',
    KEYWISE_CONFIG: join(made.folder, 'config/api-keys.json'),
  })
  expect((await service.keywise('keys', 'list')).code).toBe(0)
  expect((await made.keywise('vault', 'lock')).stdout).toMatch(/opens by its passphrase alone/)
  expect((await service.keywise('keys', 'list')).code).toBe(78)
  expect((await made.keywise('keys', 'list')).code).toBe(0)
})

test('lock refuses to shut out everybody', async () => {
  const made = await filled()
  const { code, stderr } = await made.keywise('vault', 'lock')
  expect([code, stderr]).toEqual([78, expect.stringContaining('keywise vault passphrase')])
  expect((await made.keywise('keys', 'list')).code).toBe(0)
})

test('another passphrase takes the place of the first', async () => {
  const made = home({})
  await made.typing(['y', PHRASE, PHRASE], 'vault', 'init')
  expect((await made.answering([PHRASE, 'entirely different words'], 'vault', 'passphrase')).code).toBe(0)
  expect((await made.answering([PHRASE, 'yet other words entirely'], 'vault', 'passphrase')).code).toBe(78)
  expect((await made.typing(['entirely different words'], 'keys', 'list')).code).toBe(0)
})

/** What `secret-tool` of libsecret does, with a folder for the keyring; as strict with its arguments. */
const SECRET_TOOL = `#!/bin/sh
set -e
[ "$1" = --version ] && exec echo 0.21.4
action=$1; shift
[ "$action" != store ] || { [ "$1" = '--label=keywise vault' ]; shift; }
[ "$#$1$2$3" = 4servicekeywise-vaultvault ]
file="$KEYRING/$(printf %s "$4" | tr / _)"
case "$action" in
store) cat > "$file" ;;
lookup) cat "$file" ;;
clear) rm "$file" ;;
*) exit 2 ;;
esac
`

test.skipIf(process.platform !== 'linux')(
  "the system's keyring answers for the passphrase, until it is locked",
  async () => {
    const tools = temporaryFolder()
    chmodSync(put(tools, 'bin/secret-tool', SECRET_TOOL), 0o700)
    mkdirSync(join(tools, 'ring'))
    const made = home({ PATH: `${join(tools, 'bin')}:/usr/bin:/bin`, KEYRING: join(tools, 'ring') })
    await made.typing(['y', PHRASE, PHRASE], 'vault', 'init')
    expect((await made.keywise('keys', 'list')).code).toBe(78)
    const unlocked = await made.answering([PHRASE], 'vault', 'unlock')
    expect([unlocked.code, unlocked.stdout]).toEqual([
      0,
      expect.stringContaining('its key is in the keyring of this desktop'),
    ])
    const [kept = ''] = filesOf(join(tools, 'ring'))
    expect(said(unlocked)).not.toContain(kept)
    expect((await made.keywise('keys', 'list')).code).toBe(0)
    expect((await listed(made)).opensBy).toEqual(['passphrase', 'keyring'])
    expect((await made.answering([PHRASE], 'vault', 'rotate')).code).toBe(0)
    expect((await made.keywise('keys', 'list')).code).toBe(0)
    expect((await made.keywise('vault', 'lock')).stdout).toContain('its key was taken out of the keyring')
    expect((await made.keywise('keys', 'list')).code).toBe(78)
    expect(readdirSync(join(tools, 'ring'))).toEqual([])
  },
)

test('without a keyring it is said what to use instead', async () => {
  const made = await filled({ KEYWISE_VAULT_KEY: KEY, PATH: '/nowhere' })
  const { code, stderr } = await made.keywise('vault', 'unlock')
  expect([code, stderr]).toEqual([2, expect.stringContaining('keywise vault unlock --key-file FILE')])
})

test('keys list and doctor name keys that stand twice, share an account, or stand in the environment as well', async () => {
  const made = makeHome(null, { KEYWISE_VAULT_KEY: KEY, MY_OWN_KEY: GROQ[0]! })
  const box = {
    dialect: 'openai',
    endpoint: `${ENDPOINT}/v1`,
    api_keys: [
      { key: 'vault:box', account: 'a' },
      { key: OPENAI, account: 'a' },
    ],
    models: ['m'],
  }
  put(made.folder, 'config/api-keys.json', JSON.stringify({ box, other: { ...box, api_keys: [GROQ[0]] } }))
  await made.keywise('vault', 'init')
  expect((await made.answering([GROQ[0]!], 'vault', 'add', 'box')).code).toBe(0)
  const { stdout } = await made.keywise('keys', 'list', '--json')
  const { keys } = JSON.parse(stdout) as { keys: Record<string, unknown>[] }
  expect(
    keys.map(({ vault, sameKeyAs, sharesAccountWith, lastUsed }) => ({
      vault,
      sameKeyAs,
      sharesAccountWith,
      lastUsed,
    })),
  ).toEqual([
    { vault: 'box', sameKeyAs: ['other#1'], sharesAccountWith: ['box#2'], lastUsed: null },
    { vault: null, sameKeyAs: [], sharesAccountWith: ['box#1'], lastUsed: null },
    { vault: null, sameKeyAs: ['box#1'], sharesAccountWith: [], lastUsed: null },
  ])
  const today = new Date().toISOString().slice(0, 10)
  expect(keys.map(({ since }) => String(since).slice(0, 10))).toEqual([today, today, today])
  const text = (await made.keywise('keys', 'list')).stdout
  expect(text).toContain('box#1 and other#1 are the same key')
  expect(text).toContain('box#1 and box#2 share the limits of one account')
  const { findings } = JSON.parse((await made.keywise('doctor', '--json')).stdout) as {
    findings: { check: string; message: string }[]
  }
  const about = findings.filter(({ check, message }) => check === 'vault' || message.includes('the same key'))
  expect(about.map(({ message }) => message)).toEqual([
    expect.stringMatching(/vault\.json gives 1 key to this configuration/),
    'MY_OWN_KEY holds a key of the vault in the clear',
    expect.stringContaining('box#1 and other#1 are the same key'),
  ])
  expectNoKey(stdout, text)
})

test('every action, and a wrong one, has its words', async () => {
  const made = home()
  const wrong = await made.keywise('vault', 'inti')
  expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining('did you mean "init"?')])
  const none = await made.keywise('vault', 'list')
  expect([none.code, none.stderr]).toEqual([
    78,
    expect.stringContaining('there is no vault; make one with: keywise vault init'),
  ])
})

function filesOf(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile())
    .map((path) => readFileSync(path, 'latin1'))
}
