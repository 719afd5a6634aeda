import { testTargets } from './suite.ts'
import { PURE } from './targets/all.ts'

testTargets(PURE)
