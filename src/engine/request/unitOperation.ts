/** What is passed through to a path of its own (moderation, rerank, pictures, speech), and booked at no known price. */

import { unitsDialect } from '../../dialects/units/unitsDialect.ts'
import type { BodySource } from '../../domain/bodySource.ts'
import type { ChatRequest } from '../../domain/chat.ts'
import type { UnitAbility } from '../../domain/target.ts'
import { USUAL_UNIT_PATHS } from '../../domain/units.ts'
import type { Price } from '../../money/price.ts'
import type { Operation } from './operation.ts'

/** A client's body, in which only the model changes. */
export interface PassedBody {
  readonly contentType: string
  withModel(model: string): string | Buffer | BodySource
}

export function unitOperation(ability: UnitAbility, request: ChatRequest, body: PassedBody): Operation {
  return {
    name: ability,
    inUnits: true,
    dialectFor: () => unitsDialect,
    partsFor: () => [request],
    join: ([answer]) => answer ?? null,
    write: (model, { endpoints }) => ({
      path: endpoints?.[ability] ?? USUAL_UNIT_PATHS[ability],
      body: body.withModel(model),
      contentType: body.contentType,
    }),
  }
}

/** A price per token says nothing of what is counted in units, unless nothing is ever billed. */
export function priceFor(operation: Operation | null, price: Price | null): Price | null {
  if (operation?.inUnits !== true || price === null) return price
  const isFree = price.windows.every(({ tiers }) =>
    tiers.every(({ rates: { parts: _, ...plain } }) => isNothing(plain)),
  )
  return price.isFree || isFree ? price : null
}

const isNothing = (rates: Readonly<Record<string, number>>) => Object.values(rates).every((rate) => rate === 0)
