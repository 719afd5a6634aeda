/** Lines to stderr: the default logger of the library and of the command line. */

import type { Logger } from '../domain/logger.ts'

/** Writes to stderr; warnings and errors are labelled as such. */
export function consoleLogger(write: (text: string) => void = (text) => void process.stderr.write(text)): Logger {
  return {
    info: (line) => write(`${line}\n`),
    warn: (line) => write(`keywise: warning: ${line}\n`),
    error: (line) => write(`keywise: error: ${line}\n`),
  }
}

/** Passes on warnings and errors only. */
export function quietLogger(logger: Logger): Logger {
  return { info() {}, warn: (line) => logger.warn(line), error: (line) => logger.error(line) }
}
