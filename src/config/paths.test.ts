import { expect, test } from 'vitest'
import { readEnvironment } from './environment.ts'
import { keysFileCandidates, stateFolder, statsFileBeside } from './paths.ts'

const cases: readonly {
  platform: NodeJS.Platform
  home: string
  env?: Record<string, string>
  state: string
}[] = [
  { platform: 'linux', home: '/home/a', state: '/home/a/.local/state/keywise' },
  { platform: 'linux', home: '/home/a', env: { XDG_STATE_HOME: '/s' }, state: '/s/keywise' },
  { platform: 'darwin', home: '/Users/a', state: '/Users/a/Library/Application Support/keywise' },
  { platform: 'win32', home: 'C:\\Users\\a', env: { LOCALAPPDATA: 'D:\\Local' }, state: 'D:\\Local\\keywise' },
  { platform: 'win32', home: 'C:\\Users\\a', state: 'C:\\Users\\a\\AppData\\Local\\keywise' },
]

for (const { platform, home, env = {}, state } of cases) {
  test(`the state of a user on ${platform} is in ${state}`, () => {
    expect(stateFolder({ environment: readEnvironment(env), home, platform })).toBe(state)
  })
}

test("the keys file is looked for in the working directory first, then in the user's own folder", () => {
  const environment = readEnvironment({})
  expect(keysFileCandidates({ environment, cwd: '/srv', home: '/home/a', platform: 'linux' })).toEqual([
    '/srv/config/api-keys.json',
    '/home/a/.config/keywise/api-keys.json',
  ])
})

test('the statistics file is beside the keys file', () => {
  expect(statsFileBeside('/srv/config/api-keys.json')).toBe('/srv/config/apiStats.json')
  expect(statsFileBeside('C:\\work\\config\\api-keys.json')).toBe('C:\\work\\config\\apiStats.json')
})
