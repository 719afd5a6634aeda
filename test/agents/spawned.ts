/** Runs an agent in a folder, with a home and an environment of its own. */

import { spawn } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Agent, Place } from './agents.ts'

export interface Told {
  readonly output: string
  readonly errors: string
  /** It ended by itself. */
  readonly isDone: boolean
}

/** `modules` is where the agents are installed. After `mostMs` it is ended. */
export function runAgent(agent: Agent, place: Place, modules: string, mostMs: number): Promise<Told> {
  writeFiles(agent.files?.(place) ?? {}, place)
  const program = join(modules, agent.program)
  const [command, ...first] = agent.isScript ? [process.execPath, program] : [program]
  const { PATH = '' } = process.env
  return new Promise((resolve) => {
    const child = spawn(command ?? '', [...first, ...agent.arguments(place)], {
      cwd: place.folder,
      env: { PATH, HOME: place.home, NO_COLOR: '1', CI: '1', ...agent.environment(place) },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const told = { output: '', errors: '', isDone: true }
    const timer = setTimeout(() => {
      told.isDone = false
      child.kill('SIGKILL')
    }, mostMs)
    child.stdout.on('data', (chunk) => {
      told.output += chunk
    })
    child.stderr.on('data', (chunk) => {
      told.errors += chunk
    })
    child.on('error', (error) => resolve({ ...told, errors: told.errors + error.message, isDone: false }))
    child.on('close', () => {
      clearTimeout(timer)
      resolve(told)
    })
  })
}

function writeFiles(files: Readonly<Record<string, unknown>>, { folder, home }: Place): void {
  for (const [name, content] of Object.entries(files)) {
    const path = name.startsWith('./') ? join(folder, name) : join(home, name)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, JSON.stringify(content))
  }
}
