import { testTargets } from './suite.ts'
import { gateway } from './targets/gateway.ts'

testTargets([gateway])
