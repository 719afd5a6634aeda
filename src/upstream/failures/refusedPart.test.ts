import { describe, expect, test } from 'vitest'
import { REFUSALS } from '../../../test/support/refusals.ts'
import { parkRule } from '../../domain/park.ts'
import { redactShapes } from '../../domain/redact.ts'
import { defineProvider } from '../../providers/provider.ts'
import { classify } from './classify.ts'

const provider = defineProvider({
  id: 'somebody',
  name: 'Somebody',
  dialect: 'openai',
  baseUrl: 'https://api.somebody.example/v1',
  auth: 'bearer',
  keyCheck: 'call',
  modelsList: null,
  quotaScope: 'account+model',
  dayBoundary: 'rolling',
  trainsOnFreePrompts: null,
  seedLimits: [],
  models: [],
  env: [],
  verified: false,
})

function failureOf(status: number, body: unknown) {
  return classify({ status, headers: {}, body, provider, model: 'some-model', now: 0, redact: redactShapes })
}

describe('a refusal of', () => {
  test.each(REFUSALS)('$dialect: $name is $kind, about $about $ability', ({
    status,
    body,
    kind,
    about,
    ability,
    parameter,
  }) => {
    const failure = failureOf(status, body)
    const facts = failure as { about?: string; ability?: string; parameter?: string }
    expect({ kind: failure.kind, ability: facts.ability }).toEqual({ kind, ability })
    if (about !== undefined) expect(facts.about).toBe(about)
    if (parameter !== undefined) expect(facts.parameter).toBe(parameter)
    const isTargets = ['model_not_found', 'auth_forbidden', 'overloaded', 'server', 'billing'].includes(kind)
    expect(parkRule(failure) !== null).toBe(isTargets)
  })
})
