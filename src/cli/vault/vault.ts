/** `keywise vault`: keys encrypted at rest. */

import { showName } from '../../config/showPath.ts'
import { nearest } from '../../domain/nearest.ts'
import { type ExitCode, type RunCommand, UsageError } from '../command.ts'
import { VaultDesk } from './desk.ts'

type VaultAction = (desk: VaultDesk) => Promise<ExitCode>

const ACTIONS: Readonly<Record<string, () => Promise<VaultAction>>> = {
  init: async () => (await import('./init.ts')).initVault,
  list: async () => (await import('./list.ts')).listVault,
  add: async () => (await import('./entries.ts')).addKey,
  remove: async () => (await import('./entries.ts')).removeKey,
  rotate: async () => (await import('./rotate.ts')).rotate,
  passphrase: async () => (await import('./ways.ts')).changePassphrase,
  unlock: async () => (await import('./ways.ts')).unlockForLater,
  lock: async () => (await import('./ways.ts')).lock,
  export: async () => (await import('./travel.ts')).exportVault,
  import: async () => (await import('./travel.ts')).importKeys,
}

export const run: RunCommand = async (context) => {
  const name = context.args[0] ?? ''
  const load = Object.hasOwn(ACTIONS, name) ? ACTIONS[name] : undefined
  if (load === undefined) {
    const names = Object.keys(ACTIONS)
    const [near] = nearest(name, names, 1)
    const hint = near === undefined ? '' : ` (did you mean "${near}"?)`
    throw new UsageError(`"vault" knows ${names.join(', ')}, not "${showName(name)}"${hint}`)
  }
  const desk = new VaultDesk(context)
  try {
    return await (await load())(desk)
  } finally {
    desk.asker.close()
  }
}
