/** The progress of a test run on stderr: a live grid on a terminal, one line per result elsewhere. */

import { styleText } from 'node:util'
import type { Logger } from '../../domain/logger.ts'
import type { TestPlan } from '../../tester/runOptions.ts'
import type { TestResult } from '../../tester/testResult.ts'

export interface Progress {
  readonly onPlan: (plan: TestPlan) => void
  readonly onCall: (target: string) => void
  readonly onWait: (target: string) => void
  readonly onResult: (result: TestResult) => void
  readonly onSkip: (skipped: { readonly target: string; readonly reason: string }) => void
  /** Buffers warnings until the grid is gone. */
  readonly logger: Logger
  /** Leaves the final state on screen; may be called twice. */
  readonly close: () => void
}

export function openProgress(stream: NodeJS.WriteStream, env: NodeJS.ProcessEnv): Progress {
  return stream.isTTY === true && env['TERM'] !== 'dumb' ? openGrid(stream, !env['NO_COLOR']) : openLines(stream)
}

function openLines(stream: NodeJS.WriteStream): Progress {
  let done = 0
  let total = 0
  const line = (sign: string, target: string, rest: string) =>
    void stream.write(`[${++done}/${total}] ${sign} ${target}${rest === '' ? '' : `: ${rest}`}\n`)
  return {
    onPlan: ({ targets }) => {
      total = targets.length
    },
    onCall: () => {},
    onWait: (target) => void stream.write(`${target} waits for its limit to reset\n`),
    onResult: ({ target, status, responseTime, failureKind }) =>
      status === 'success'
        ? line('✅', target, `${Math.round(responseTime)}ms`)
        : line('❌', target, failureKind ?? 'failed'),
    onSkip: ({ target, reason }) => line('➖', target, reason),
    logger: warnings((text) => void stream.write(text)),
    close: () => {},
  }
}

type ProgressCell = 'waiting' | 'calling' | 'limited' | 'works' | 'failed' | 'skipped'

const CELLS: {
  readonly [C in ProgressCell]: readonly [sign: string, style: 'dim' | 'cyan' | 'yellow' | 'green' | 'red']
} = {
  waiting: ['·', 'dim'],
  calling: ['◌', 'cyan'],
  limited: ['⏱', 'yellow'],
  works: ['●', 'green'],
  failed: ['✗', 'red'],
  skipped: ['-', 'dim'],
}

/** Results arrive in bursts; redrawing faster than this is not visible. */
const REDRAW_MS = 80
const UP_AND_CLEAR = '\u001b[1A\u001b[2K'

function openGrid(stream: NodeJS.WriteStream, colours: boolean): Progress {
  const cells = new Map<string, ProgressCell>()
  const kept: string[] = []
  let plan: TestPlan | null = null
  let drawn = 0
  let timer: NodeJS.Timeout | undefined
  const draw = () => {
    const lines = plan === null ? [] : gridLines(plan, cells, colours, stream.columns ?? 80)
    stream.write(UP_AND_CLEAR.repeat(drawn) + lines.map((line) => `${line}\n`).join(''))
    drawn = lines.length
    timer = undefined
  }
  const set = (target: string, cell: ProgressCell) => {
    cells.set(target, cell)
    timer ??= setTimeout(draw, REDRAW_MS)
  }
  return {
    onPlan: (made) => {
      plan = made
      draw()
    },
    onCall: (target) => set(target, 'calling'),
    onWait: (target) => set(target, 'limited'),
    onResult: ({ target, status }) => set(target, status === 'success' ? 'works' : 'failed'),
    onSkip: ({ target }) => set(target, 'skipped'),
    logger: warnings((text) => void kept.push(text)),
    close: () => {
      clearTimeout(timer)
      if (plan !== null) draw()
      plan = null
      drawn = 0
      for (const text of kept.splice(0)) stream.write(text)
    },
  }
}

/** One line per provider: a symbol per target, and the number done. */
function gridLines(
  { providers, targets }: TestPlan,
  cells: ReadonlyMap<string, ProgressCell>,
  colours: boolean,
  width: number,
): string[] {
  const names = Math.max(...providers.map(({ name }) => name.length), 0)
  return providers.map(({ id, name }) => {
    const own = targets.filter(({ provider }) => provider === id).map((target) => cells.get(target.id) ?? 'waiting')
    const done = own.filter((cell) => cell === 'works' || cell === 'failed' || cell === 'skipped').length
    const count = ` ${done}/${own.length}`
    const room = Math.max(1, width - names - count.length - 3)
    const signs = own.slice(0, room).map((cell) => painted(cell, colours))
    return `${name.padEnd(names)}  ${signs.join('')}${count}`
  })
}

function painted(cell: ProgressCell, colours: boolean): string {
  const [sign, style] = CELLS[cell]
  return colours ? styleText(style, sign, { validateStream: false }) : sign
}

function warnings(write: (text: string) => void): Logger {
  return {
    info: () => {},
    warn: (line) => write(`keywise: warning: ${line}\n`),
    error: (line) => write(`keywise: error: ${line}\n`),
  }
}
