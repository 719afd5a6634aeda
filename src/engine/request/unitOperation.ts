/** What is passed through to a path of its own (moderation, rerank, pictures, speech), and billed in units of its own. */

import { unitsDialect } from '../../dialects/units/unitsDialect.ts'
import type { BodySource } from '../../domain/bodySource.ts'
import type { ChatRequest, Usage } from '../../domain/chat.ts'
import { isEmpty } from '../../domain/json.ts'
import type { UnitAbility } from '../../domain/target.ts'
import { USUAL_UNIT_PATHS } from '../../domain/units.ts'
import type { Price } from '../../money/price.ts'
import { isBilledBy, isFreeOfUnits, type UnitsNeed } from '../../money/unitCosts.ts'
import type { Operation } from './operation.ts'

/** A client's body, in which only the model changes. */
export interface PassedBody {
  readonly contentType: string
  withModel(model: string): string | Buffer | BodySource
}

/** `units`: what is asked for at most. */
export function unitOperation(
  ability: UnitAbility,
  request: ChatRequest,
  body: PassedBody,
  units: UnitsNeed,
): Operation {
  return {
    name: ability,
    units,
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

/** A price of units says nothing of what is counted in tokens. */
export function priceFor(operation: Operation | null, price: Price | null): Price | null {
  return price?.isOfUnits && operation?.units === undefined ? null : price
}

/** A usage whose units are known, and the price that applies to it. */
interface Billable {
  readonly usage: Usage
  readonly price: Price | null
}

/**
 * What is spoken is counted in characters, and what is drawn may be in pictures: the request has both, and answers seldom
 * tell. Of anything else that an answer does not count nothing is known, because an estimate of tokens says nothing of it.
 */
export function billable(units: UnitsNeed | undefined, usage: Usage, price: Price | null): Billable {
  if (units === undefined || price === null || isFreeOfUnits(price)) return { usage, price }
  const { characters, images } = units
  const known = {
    ...(characters !== undefined && isBilledBy(price, 'character') && { characters }),
    ...(images !== undefined && isBilledBy(price, 'image') && { images }),
  }
  if (isEmpty(known)) return { usage, price: usage.estimated ? null : price }
  return { usage: { ...usage, parts: { ...known, ...usage.parts } }, price }
}
