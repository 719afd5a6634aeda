import { APIManager } from 'keywise'

const manager = new APIManager({ logger: false })
manager.startExperiment({
  name: 'greeting',
  variables: ['guest'],
  metric: 'quality',
  minimum_effect: 0.2, // the smallest difference that matters to you
  variants: [
    { name: 'plain', share: 0.5, template: 'Greet {{guest}}.' }, // the first is what you have now
    { name: 'warm', share: 0.5, template: 'Greet {{guest}} like an old friend.', parameters: { temperature: 0.8 } },
  ],
})

for (let request = 0; request < 400; request++) {
  const result = await manager.callWithFallback({ experiment: 'greeting', variables: { guest: 'Ana' } })
  // Here a rule judges; in your program it may be a person, a test, or what happens next.
  manager.rate(result.requestId, result.content.includes('friend') ? 0.9 : 0.6)
  const { verdict } = manager.experiment('greeting') // looking as often as you like is allowed
  if (verdict.state !== 'decided' && verdict.state !== 'equal') continue
  console.log(`after ${request + 1} requests: ${verdict.text}`)
  manager.stopExperiment('greeting', { keep: verdict.winner ?? 'plain' }) // from now on everybody gets it
  break
}
await manager.close()
