/** The text of a response that may be reset in the middle, as the gateway ends broken Gemini streams. */
export async function textSoFar(response: Response): Promise<string> {
  return (await bodySoFar(response)).text
}

/** The same, and whether it was reset. */
export async function bodySoFar({ body }: Response): Promise<{ readonly text: string; readonly reset: boolean }> {
  const decoder = new TextDecoder()
  let text = ''
  try {
    for await (const piece of body ?? []) text += decoder.decode(piece, { stream: true })
    return { text, reset: false }
  } catch {
    return { text, reset: true } // undici's "terminated"
  }
}
