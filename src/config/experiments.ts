/** The experiments of the settings, validated as a whole: all mistakes are reported at once, each with its location. */

import { ConfigError } from '../domain/errors.ts'
import { type Definition, readDefinitions } from '../experiment/definition.ts'
import type { ConfigDocument } from './document.ts'
import type { Path } from './showPath.ts'

const PLACE = ['settings', 'experiments'] as const
const MOST_SHOWN = 5

/** Throws ConfigError. */
export function readExperimentSettings(value: unknown, document: ConfigDocument): readonly Definition[] {
  if (value === undefined) return []
  const reading = readDefinitions(value, PLACE.join('.'))
  if (reading.ok) return reading.definitions
  throw wrong(reading.problems, document)
}

function wrong(problems: readonly string[], document: ConfigDocument): ConfigError {
  const path = placeOf(problems[0] ?? '')
  const position = document.position(path)
  const at = position === null ? '' : `:${position.line}:${position.column}`
  const more = problems.length > MOST_SHOWN ? `; and ${problems.length - MOST_SHOWN} more` : ''
  const text = `${document.name}${at}: ${problems.slice(0, MOST_SHOWN).join('; ')}${more}`
  return new ConfigError(text, { file: document.file, path: path.join('.'), ...position })
}

/** Maps a problem to its path: `"settings.experiments[1].name" is missing` is about the second experiment. */
function placeOf(problem: string): Path {
  const index = /^"settings\.experiments\[(\d{1,4})\]/.exec(problem)?.[1]
  return index === undefined ? PLACE : [...PLACE, Number(index)]
}
