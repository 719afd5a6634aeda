/** Targets of the laboratory: named like real ones, of which nothing is known beforehand. */

import { stateId, type Target, targetId } from '../../domain/target.ts'

interface LabTargetFacts {
  readonly provider: string
  readonly model: string
  readonly keyIndex?: number
}

export function makeLabTarget({ provider, model, keyIndex = 1 }: LabTargetFacts): Target {
  const fingerprint = keyIndex.toString(16).padStart(16, '0')
  return {
    id: targetId(provider, model, keyIndex),
    provider,
    model,
    keyIndex,
    fingerprint,
    stateId: stateId(provider, model, fingerprint),
    account: `${provider}@${fingerprint}`,
    profile: {
      dialect: 'openai',
      contextTokens: null,
      maxOutputTokens: null,
      abilities: {},
      price: null,
      free: false,
      trainsOnPrompts: null,
      qualityPrior: null,
      local: false,
      discovered: false,
      weight: 1,
    },
  }
}
