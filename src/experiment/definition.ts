/** Experiments as written in a file: the stored text and its meaning. */

import { asArray, asRecord, type Json } from '../domain/json.ts'
import { present } from '../domain/present.ts'
import { type Experiment, readExperiment, readExperiments } from './experiment.ts'

export interface Definition {
  /** As written; parsed again whenever it is read from the store. */
  readonly written: Json
  readonly experiment: Experiment
}

type DefinitionsReading =
  | { readonly ok: true; readonly definitions: readonly Definition[] }
  | { readonly ok: false; readonly problems: readonly string[] }

/** Available to every template: the text of the request's own last user message. */
export const PROMPT_VARIABLE = 'prompt'
const EVERYWHERE = [PROMPT_VARIABLE]

/** Reads a list of experiments, as in `settings.experiments`. `path` is its location, for messages. */
export function readDefinitions(value: unknown, path: string): DefinitionsReading {
  const { experiments, problems } = readExperiments(value, path, EVERYWHERE)
  if (problems.length > 0) return { ok: false, problems }
  const written = (asArray(value) ?? []) as readonly Json[] // parsed from JSON
  return {
    ok: true,
    definitions: experiments.map((experiment, index) => ({ written: present(written[index]), experiment })),
  }
}

/** Reads a file of its own: one experiment, or `{ "experiments": [ … ] }`. */
export function readDefinitionFile(value: unknown): DefinitionsReading {
  const record = asRecord(value)
  if (record !== undefined && 'experiments' in record) return readDefinitions(record['experiments'], 'experiments')
  const reading = readExperiment(value, 'experiment', EVERYWHERE)
  if (!reading.ok) return reading
  return { ok: true, definitions: [{ written: value as Json, experiment: reading.experiment }] } // parsed from JSON
}

/** Parses an experiment that was stored before; undefined when it is no longer valid. */
export function readAgain(written: unknown, version: number): Experiment | undefined {
  const reading = readExperiment(written, 'experiment', EVERYWHERE)
  return reading.ok ? { ...reading.experiment, version } : undefined
}
