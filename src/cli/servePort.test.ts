import { createServer } from 'node:net'
import { expect, onTestFinished, test, vi } from 'vitest'
import { temporaryFolder } from '../../test/support/temporaryFolder.ts'
import { run } from './serve.ts'

// The first look finds the port free: another program takes it between that look and the gateway.
vi.mock('./gatewayPort.ts', async (original) => {
  const module = await original<typeof import('./gatewayPort.ts')>()
  let looks = 0
  const occupantOf: typeof module.occupantOf = async (place) =>
    looks++ === 0 ? { kind: 'none' } : module.occupantOf(place)
  return { ...module, occupantOf }
})

function sink(): { readonly stream: NodeJS.WriteStream; text(): string } {
  let text = ''
  const write = (more: string) => {
    text += more
    return true
  }
  return { stream: { write } as unknown as NodeJS.WriteStream, text: () => text } // all that the command uses of it
}

test('a port that is taken while the gateway starts is told like one that was taken before', async () => {
  const other = createServer((socket) => socket.destroy())
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void other.close())
  const address = other.address()
  const port = typeof address === 'object' && address !== null ? String(address.port) : ''
  const cwd = temporaryFolder()
  const [stdout, stderr] = [sink(), sink()]
  const options = { port, store: 'memory:' }
  const env = { HOME: cwd, XDG_STATE_HOME: cwd, GROQ_API_KEY: `gsk_${'a'.repeat(40)}` }
  const code = await run({ args: [], options, env, cwd, stdout: stdout.stream, stderr: stderr.stream })
  expect({ code, said: stdout.text() }).toEqual({ code: 1, said: '' })
  expect(stderr.text()).toMatch(
    new RegExp(`port ${port} on 127.0.0.1 is in use: another program has it; .* --port \\d+`),
  )
})
