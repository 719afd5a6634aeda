/** Replaces a file's content atomically: entirely or not at all. */

import { open, rename, unlink } from 'node:fs/promises'

/**
 * `temporary`: an unused path in the same folder; `mode`: who may read it. Rejects with the system's error and leaves
 * nothing behind.
 */
export async function replaceFile(path: string, text: string, temporary: string, mode = 0o644): Promise<void> {
  try {
    // `wx`: never follow a link planted at this path.
    const file = await open(temporary, 'wx', mode)
    try {
      await file.writeFile(text)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, path)
  } catch (error) {
    await unlink(temporary).catch(() => {})
    throw error
  }
}
