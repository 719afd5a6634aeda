/** Refuses a runtime that is too old, before anything else of the library is evaluated. */

const NEEDED: readonly [major: number, minor: number] = [22, 19]

/** Throws an error that says what to do, where `version` (as `process.versions.node`) is older than node 22.19. */
export function demandRuntime(version: string): void {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  if (major > NEEDED[0] || (major === NEEDED[0] && minor >= NEEDED[1])) return
  throw new Error(
    `keywise needs node ${NEEDED.join('.')} or newer and this is ${version}; run your program with a newer one`,
  )
}

demandRuntime(process.versions.node)
