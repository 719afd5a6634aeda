import { AllTargetsFailedError, APIManager } from 'keywise'

const manager = new APIManager() // reads config/api-keys.json, or the keys in the environment
try {
  const result = await manager.callWithFallback({ prompt: 'Name three rivers of Spain.' })
  console.log(result.content)
  console.log(`${result.provider}/${result.model}, ${result.responseTime} ms, ${result.attempts.length} attempt(s)`)
  manager.rate(result.requestId, 0.9) // how good it was, 0 to 1: counts in the next choice
} catch (error) {
  if (!(error instanceof AllTargetsFailedError)) throw error
  for (const { target, message } of error.attempts) console.error(`${target}: ${message}`)
  console.error(`try again at ${error.retryAt}`)
}
console.log(manager.getSessionSummary())
await manager.close()
