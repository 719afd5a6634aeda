/** Where the lines of a running keywise go. */

export interface Logger {
  /** What people follow: the lines of every call. */
  info(line: string): void
  /** Something the user should know and may mend. */
  warn(line: string): void
  /** Something that failed and was not expected to. */
  error(line: string): void
}

export const silentLogger: Logger = { info() {}, warn() {}, error() {} }
