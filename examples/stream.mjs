import { APIManager } from 'keywise'

const manager = new APIManager({ logger: false })
const stream = manager.streamWithFallback({ prompt: 'Tell a story of two sentences.', model: 'auto:fast' })
for await (const event of stream) if (event.type === 'text-delta') process.stdout.write(event.text)
const { provider, model, usage } = await stream.result
console.log(`\n${provider}/${model}, ${usage.outputTokens} tokens`)
await manager.close()
