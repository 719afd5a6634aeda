// Runs a program of npm for one cell: in a home of its own, with the two tools as an MCP server where it takes one.
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

const HERE = import.meta.dirname

class ProgramError extends Error {}

/** `files` are written below the home before it is used. Everything is gone when `use` is done. */
export async function withHome(files, use) {
  const home = mkdtempSync(join(tmpdir(), 'keywise-program-'))
  const write = (name, content) => {
    mkdirSync(dirname(join(home, name)), { recursive: true })
    const isBytes = typeof content === 'string' || Buffer.isBuffer(content)
    writeFileSync(join(home, name), isBytes ? content : JSON.stringify(content))
  }
  try {
    for (const [name, content] of Object.entries(files)) write(name, content)
    return await use({ home, calls: join(home, 'calls'), write })
  } finally {
    rmSync(home, { recursive: true, force: true })
  }
}

/** What a program prints. Throws a ProgramError with the end of what it says when it ends badly. */
export function run({ home }, name, args, environment = {}) {
  const program = join(HERE, 'node_modules', '.bin', name)
  return new Promise((resolve, reject) => {
    const env = { PATH: process.env.PATH, HOME: home, NO_COLOR: '1', CI: '1', ...environment }
    const child = spawn(program, args, { cwd: home, env, stdio: ['ignore', 'pipe', 'pipe'] })
    const told = { output: '', errors: '' }
    child.stdout.on('data', (data) => (told.output += data))
    child.stderr.on('data', (data) => (told.errors += data))
    // Whoever asked has given up.
    const leave = () => child.kill('SIGKILL')
    process.stdin.once('end', leave)
    child.on('error', reject)
    child.on('close', (code) => {
      process.stdin.off('end', leave)
      if (code === 0) resolve(told.output)
      else reject(new ProgramError(`${told.output}${told.errors}`.slice(-600)))
    })
  })
}

/** The command of the MCP server with the two tools, which notes their calls in the home. */
export const mcpServer = ({ calls }) => ({ command: process.execPath, args: [join(HERE, 'mcpTools.mjs'), calls] })

/** What the tools were called with. */
export function callsIn({ calls }) {
  const lines = existsSync(calls) ? readFileSync(calls, 'utf8').split('\n') : []
  return lines.filter(Boolean).map((line) => JSON.parse(line))
}
