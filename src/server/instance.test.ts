import { expect, onTestFinished, test, vi } from 'vitest'
import { temporaryFolder } from '../../test/support/temporaryFolder.ts'
import { notedInstance, noteInstance } from './instance.ts'

// A user of a container often has no entry in /etc/passwd.
vi.mock('node:os', async (original) => ({
  ...(await original<typeof import('node:os')>()),
  userInfo: () => {
    throw new Error('uv_os_get_passwd returned ENOENT')
  },
}))

const INSTANCE = { id: 'a'.repeat(32), config: '/keys.json', store: 'memory:' }

test('a user without a name notes what serves a port, and reads it again until it is forgotten', () => {
  vi.stubEnv('TMPDIR', temporaryFolder())
  onTestFinished(() => void vi.unstubAllEnvs())
  const forget = noteInstance(5397, INSTANCE)
  expect(notedInstance(5397, INSTANCE.id)).toEqual({ config: '/keys.json', store: 'memory:' })
  expect(notedInstance(5397, 'b'.repeat(32))).toBeNull()
  expect(notedInstance(5398, INSTANCE.id)).toBeNull()
  forget()
  expect(notedInstance(5397, INSTANCE.id)).toBeNull()
})
