import { describe, expect, test } from 'vitest'
import { makeTarget } from '../../test/support/makeEvents.ts'
import type { TargetProfile } from '../domain/target.ts'
import { type EligibilityRules, ineligible, type Needs } from './eligible.ts'

const RULES: EligibilityRules = {
  freeOnly: false,
  privacy: 'any',
  unknownPrice: 'allow',
  maxOutputPrice: null,
  qualityFloor: 0,
  qualityOf: (target) => target.profile.qualityPrior,
  answeredAt: () => null,
}

const NEEDS: Needs = {
  inputTokens: 1000,
  maxOutputTokens: null,
  abilities: ['chat'],
  model: null,
  provider: null,
  among: null,
  auto: true,
}

const CHEAP = { price: { input: 1, output: 1 } }

interface Case {
  readonly name: string
  readonly profile?: Partial<TargetProfile>
  readonly needs?: Partial<Needs>
  readonly rules?: Partial<EligibilityRules>
  readonly code: string | null
}

const cases: readonly Case[] = [
  { name: 'a target of which nothing is known can serve', code: null },
  { name: 'a context that is too small', profile: { contextTokens: 900 }, code: 'context' },
  {
    name: 'a context with no room for an answer beside the prompt',
    profile: { contextTokens: 1200 },
    needs: { maxOutputTokens: 600 },
    code: 'context',
  },
  {
    name: 'a context with room for a shorter answer than was asked for',
    profile: { contextTokens: 1500 },
    needs: { maxOutputTokens: 600 },
    code: null,
  },
  {
    name: 'a context of the prompt alone, whatever the answer',
    profile: { contextTokens: 1200, holdsAnswerApart: true },
    needs: { maxOutputTokens: 6000 },
    code: null,
  },
  {
    name: 'a window that a refusal stated, whatever the list says',
    profile: { contextTokens: 9000 },
    rules: { windowOf: () => 900 },
    code: 'context',
  },
  {
    name: 'a missing ability',
    profile: { abilities: { tools: false } },
    needs: { abilities: ['tools'] },
    code: 'ability',
  },
  { name: 'an unknown ability is no missing one', needs: { abilities: ['tools'] }, code: null },
  { name: 'embeddings must be known of what is not named', needs: { abilities: ['embeddings'] }, code: 'ability' },
  {
    name: 'a named model is asked for embeddings unless they are known to be missing',
    needs: { abilities: ['embeddings'], among: new Set([makeTarget().stateId]) },
    code: null,
  },
  {
    name: 'embeddings that are known to be missing',
    profile: { abilities: { embeddings: false } },
    needs: { abilities: ['embeddings'], among: new Set([makeTarget().stateId]) },
    code: 'ability',
  },
  { name: 'another model was asked for', needs: { model: 'other' }, code: 'model' },
  { name: 'another provider was asked for', needs: { provider: 'google' }, code: 'provider' },
  { name: 'not in the alias', needs: { among: new Set(['x']) }, code: 'model' },
  { name: 'not free', profile: { price: { input: 1, output: 1 } }, rules: { freeOnly: true }, code: 'free_only' },
  { name: 'free', profile: { free: true }, rules: { freeOnly: true, unknownPrice: 'block' }, code: null },
  { name: 'trains on prompts', profile: { trainsOnPrompts: true }, rules: { privacy: 'no_training' }, code: 'privacy' },
  { name: 'does not say whether it trains', rules: { privacy: 'no_training' }, code: 'privacy' },
  { name: 'one’s own server trains nobody', profile: { local: true }, rules: { privacy: 'no_training' }, code: null },
  { name: 'unknown price where that is forbidden', rules: { unknownPrice: 'block' }, code: 'price' },
  {
    name: 'above the price limit',
    profile: { price: { input: 1, output: 9 } },
    rules: { maxOutputPrice: 5 },
    code: 'price',
  },
  { name: 'discovered and dear', profile: { discovered: true, price: { input: 1, output: 5.1 } }, code: 'price' },
  { name: 'discovered and of unknown price', profile: { discovered: true }, code: 'price' },
  { name: 'discovered, dear, but named', profile: { discovered: true }, needs: { auto: false }, code: null },
  { name: 'discovered, of unknown price, of a free tier', profile: { discovered: true, freeTier: true }, code: null },
  { name: 'discovered and free', profile: { discovered: true, free: true }, code: null },
  { name: 'too weak for auto', profile: { qualityPrior: 0.4 }, rules: { qualityFloor: 0.5 }, code: 'quality' },
  {
    name: 'retired by the catalogue',
    profile: { discovered: true, ...CHEAP, retiredOn: '2026-06-01' },
    code: 'retired',
  },
  {
    name: 'retired by the catalogue, but named',
    profile: { retiredOn: '2026-06-01' },
    needs: { auto: false },
    code: null,
  },
  {
    name: 'retired by the catalogue, but it has answered since',
    profile: { discovered: true, ...CHEAP, retiredOn: '2026-06-01' },
    rules: { answeredAt: () => Date.parse('2026-06-02') },
    code: null,
  },
  {
    name: 'retired by the catalogue after its last answer',
    profile: { discovered: true, ...CHEAP, retiredOn: '2026-06-01' },
    rules: { answeredAt: () => Date.parse('2026-05-31') },
    code: 'retired',
  },
  {
    name: 'too weak but named',
    profile: { qualityPrior: 0.4 },
    needs: { auto: false },
    rules: { qualityFloor: 0.5 },
    code: null,
  },
]

describe('ineligible()', () => {
  for (const { name, profile, needs, rules, code } of cases)
    test(`${name}: ${code ?? 'eligible'}`, () => {
      const verdict = ineligible(makeTarget({ profile }), { ...NEEDS, ...needs }, { ...RULES, ...rules })
      expect(verdict?.code ?? null).toBe(code)
      if (verdict !== null) expect(verdict.reason.length).toBeGreaterThan(5)
    })
})
