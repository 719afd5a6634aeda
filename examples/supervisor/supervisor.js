// A small supervisor: it looks at a project's tasks, asks a model for the next prompt, and hands that on. It knows
// nothing of keys, limits or fallbacks: `apiClient.js` (written by `keywise init --compat`) takes care of those.
//
//   keywise init --compat && node supervisor.js

const { readFileSync } = require('node:fs')
const { join } = require('node:path')
const APIClient = require('./apiClient')
const APIManager = require('./apiManager')

const project = JSON.parse(readFileSync(join(__dirname, 'project.json'), 'utf8'))

async function main() {
  const client = new APIClient({})
  for (const task of project.tasks.filter((task) => !task.done)) {
    const prompt = await client.generatePrompt({ project: project.name, goal: project.goal, task: task.title })
    console.log(`${task.title}: ${prompt}`)
  }
  await client.close()
  await review()
}

/** The manager itself, for whoever wants to see who answered and to say how good it was. */
async function review() {
  const manager = new APIManager()
  const result = await manager.callWithFallback({ prompt: 'Say in one sentence what comes next.' })
  manager.updateQualityScore(result.provider, result.model, result.keyIndex, 0.9)
  const { requests, successes, successRate } = manager.getSessionSummary()
  console.log(`${result.provider} answered; ${successes} of ${requests} calls worked (${successRate})`)
  await manager.close()
}

main().catch((error) => {
  console.error(error.message)
  process.exitCode = 1
})
