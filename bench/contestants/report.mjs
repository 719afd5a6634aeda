/** Lets the load generator ask a contestant for its CPU time and memory. */
export function reportTo(port) {
  process.on('message', (message) => {
    if (message === 'usage') process.send?.({ cpu: process.cpuUsage(), rss: process.memoryUsage.rss() })
  })
  process.send?.({ port })
}
