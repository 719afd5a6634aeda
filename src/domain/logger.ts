/** Where a running keywise writes its log lines. */

export interface Logger {
  /** Normal operation: one line per call. */
  info(line: string): void
  /** Something the user should know about and may be able to fix. */
  warn(line: string): void
  /** A failure that was not expected. */
  error(line: string): void
}

export const silentLogger: Logger = { info() {}, warn() {}, error() {} }
