// Portkey's gateway on a port of its own, reporting its CPU time to the load generator.
process.on('message', (message) => {
  if (message === 'usage') process.send({ cpu: process.cpuUsage(), rss: process.memoryUsage.rss() })
})
const port = 18_787
process.argv.push(`--port=${port}`, '--headless')
await import('@portkey-ai/gateway/build/start-server.js')
setTimeout(() => process.send({ port }), 1500)
