/** Every provider keywise knows, one line each. */

import type { ProviderSpec } from './provider.ts'

export const catalog: readonly ProviderSpec[] = []

/** The provider of that id, or undefined. */
export function findProvider(id: string): ProviderSpec | undefined {
  return catalog.find((spec) => spec.id === id)
}
