import('node:module').then((module) => {
  process.argv.splice(2, 0, 'test')
  module.createRequire(import.meta.url)('./bin/keywise.cjs')
})
