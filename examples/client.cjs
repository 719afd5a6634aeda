const { APIClient } = require('keywise')

async function main() {
  const client = new APIClient()
  // Any object works as context; its fields become the text of the question.
  console.log(await client.generatePrompt({ goal: 'a website', done: ['design'], open: ['text', 'launch'] }))
  await client.close()
}

main()
