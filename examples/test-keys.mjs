import { testApiKeys } from 'keywise'

const report = await testApiKeys({ onResult: ({ target, status }) => console.log(`${target}: ${status}`) })
const { passed, total } = report.summary
console.log(`${passed} of ${total} work; fastest: ${report.fastest?.model}`)
for (const { text } of report.advice) console.log(`- ${text}`)
