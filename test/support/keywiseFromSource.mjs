// Lets a program in the clone import `keywise` as a user does, and gives it the sources: no build is needed to run it.
import { registerHooks } from 'node:module'

const source = new URL('../../src/index.ts', import.meta.url).href

registerHooks({
  resolve: (specifier, context, next) =>
    specifier === 'keywise' ? { url: source, shortCircuit: true } : next(specifier, context),
})
