/** Lines to stderr: the default logger of the library and of the command line. */

import type { Logger } from '../domain/logger.ts'
import { printable, printableLines } from '../domain/printable.ts'

/** Writes to stderr; warnings and errors are labelled as such. */
export function consoleLogger(write: (text: string) => void = (text) => void process.stderr.write(text)): Logger {
  return {
    info: (line) => write(`${line}\n`),
    warn: (line) => write(`keywise: warning: ${line}\n`),
    error: (line) => write(`keywise: error: ${line}\n`),
  }
}

const LEVELS = ['error', 'warn', 'info'] as const
export type Level = (typeof LEVELS)[number]

/**
 * Passes on what is at least of that level; asked for every line, because an edit of the configuration changes it. What
 * steers a terminal is taken out, and a warning is one line: names of models and messages come from elsewhere.
 */
export function atLevel(logger: Logger, level: () => Level): Logger {
  const passes = (one: Level) => LEVELS.indexOf(one) <= LEVELS.indexOf(level())
  return {
    // Blocks of several lines, of which each was cleaned when it was made.
    info: (lines) => void (passes('info') && logger.info(printableLines(lines))),
    warn: (line) => void (passes('warn') && logger.warn(printable(line))),
    error: (lines) => logger.error(printableLines(lines)),
  }
}

/** Passes on warnings and errors only. */
export function quietLogger(logger: Logger): Logger {
  return { info() {}, warn: (line) => logger.warn(line), error: (line) => logger.error(line) }
}
