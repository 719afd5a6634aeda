/** Puts a text in the place of a file, whole or not at all. */

import { open, rename, unlink } from 'node:fs/promises'

/** `temporary`: a path in the same folder that nobody uses. Rejects with the system's error; nothing is left behind then. */
export async function replaceFile(path: string, text: string, temporary: string): Promise<void> {
  try {
    // `wx`: never through a link that somebody put there.
    const file = await open(temporary, 'wx', 0o644)
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
