/** Everything that is fuzzed. */

import type { FuzzTarget } from '../driver.ts'
import { answers } from './answers.ts'
import { events } from './events.ts'
import { failures } from './failures.ts'
import { configs, files } from './files.ts'
import { forms } from './forms.ts'
import { gateway } from './gateway.ts'
import { rows, vaults } from './kept.ts'
import { inputs, requests } from './requests.ts'
import { streams } from './streams.ts'

/** The readers and writers by themselves. */
export const PURE: readonly FuzzTarget[] = [
  requests,
  inputs,
  answers,
  streams,
  events,
  failures,
  configs,
  files,
  forms,
  vaults,
  rows,
]

export const ALL: readonly FuzzTarget[] = [...PURE, gateway]
