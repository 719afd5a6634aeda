/** Opens the vault ahead of a manager, where its passphrase must be stretched. */

import { unlocking } from '../config/vault/unlock.ts'
import { withoutNulls } from '../domain/withoutNulls.ts'
import type { EngineOptions } from './engineOptions.ts'
import { loadOptions } from './locations.ts'

/**
 * Does on another thread what the constructor of a manager would stop the event loop for, once per process, where keys
 * are in a vault that opens by a passphrase: a quarter to half a second. A vault that opens by a key needs none of it.
 * Never rejects: what is wrong with the vault is thrown by the constructor.
 * @example
 * await unlockVault()
 * const manager = new APIManager()
 */
export async function unlockVault(options: Pick<EngineOptions, 'config' | 'env' | 'cwd'> = {}): Promise<void> {
  await unlocking(loadOptions(withoutNulls(options)))?.catch(() => undefined)
}
