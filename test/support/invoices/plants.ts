/** Differences to plant between an invoice and the ledger, and what a comparison has to say of each. */

import type { AttemptEvent } from '../../../src/domain/store.ts'
import type { DifferenceView } from '../../../src/views/reconcile.ts'
import { type BilledCall, billed, ledgerRow } from './billedCall.ts'
import type { Extra, Form } from './paper.ts'

/** Both sides before a difference is planted, and after. */
export interface Books {
  readonly calls: readonly BilledCall[]
  readonly rows: readonly AttemptEvent[]
  readonly extras: readonly Extra[]
}

/** Where it is planted: one model on one day. */
export interface Place {
  readonly model: string
  /** Midnight before the day, in UTC. */
  readonly day: number
}

export interface Expectation extends Partial<Pick<DifferenceView, 'kind' | 'model' | 'detail'>> {
  /** Nano-USD, the invoice less the ledger; absent: not foreseen. */
  readonly nanoUsd?: number
}

export interface Plant {
  readonly name: string
  readonly suits: (form: Form) => boolean
  readonly plant: (
    books: Books,
    place: Place,
    form: Form,
  ) => { readonly books: Books; readonly found: readonly Expectation[] }
}

const DAY = 86_400_000
const HOUR = 3_600_000

const isAt =
  ({ model, day }: Place) =>
  (one: { readonly model: string; readonly at: number }) =>
    one.model === model && one.at >= day && one.at < day + DAY

const countsTold = ({ counts }: Form) => counts !== 'none'
/** Whole tokens of each part can be told from exact amounts as well. */
const callsTold = (form: Form) => countsTold(form) || (form.byPart && form.money === 'exact')
const hasMoney = ({ money }: Form) => money !== 'none'
const sumOf = (calls: readonly BilledCall[]) => calls.reduce((sum, { nanoUsd }) => sum + nanoUsd, 0)
/** Without models there is no telling whose calls they are. */
const named = ({ name }: Form, model: string) => (name.includes('by day alone') ? null : model)

/** A call unlike all others, an hour before the evening. */
function extraCall({ model, day }: Place, tokens = 77_777): BilledCall {
  return billed(model, day + 19 * HOUR, { fresh: tokens, cached: 5_555, output: 7_007 })
}

/** What a form without counts can say of an amount. */
const openAmount = (form: Form, place: Place, nanoUsd: number): Expectation => ({
  kind: 'amount',
  model: named(form, place.model),
  nanoUsd,
})

const unknownCall: Plant = {
  name: 'a call that the ledger does not know',
  suits: () => true,
  plant(books, place, form) {
    const call = extraCall(place)
    return {
      books: { ...books, calls: [...books.calls, call] },
      found: callsTold(form)
        ? [{ kind: 'unknown-calls', model: place.model, nanoUsd: call.nanoUsd }]
        : [openAmount(form, place, call.nanoUsd)],
    }
  },
}

const lostCall: Plant = {
  name: 'a call that is not billed',
  suits: callsTold,
  plant(books, place) {
    const call = extraCall(place)
    return {
      books: { ...books, rows: [...books.rows, ledgerRow(call)] },
      found: [{ kind: 'unbilled-calls', model: place.model, detail: null, nanoUsd: -call.nanoUsd }],
    }
  },
}

const failedCall: Plant = {
  name: 'a failed call that is not billed',
  suits: () => true,
  plant(books, place, form) {
    const call = extraCall(place, 66_666)
    const failure = { kind: 'server', status: 500, message: 'broke off' } as const
    return {
      books: { ...books, rows: [...books.rows, ledgerRow(call, { ok: false, failure })] },
      found: [{ kind: 'unbilled-calls', model: named(form, place.model), detail: 'failed', nanoUsd: -call.nanoUsd }],
    }
  },
}

const oneOfTwoFailed: Plant = {
  name: 'one of two failed calls that is not billed',
  suits: countsTold,
  plant(books, place) {
    const [one, other] = [extraCall(place, 66_666), extraCall(place, 44_444)]
    const failure = { kind: 'server', status: 500, message: 'broke off' } as const
    const rows = [one, other].map((call) => ledgerRow(call, { ok: false, failure }))
    return {
      books: { ...books, calls: [...books.calls, other], rows: [...books.rows, ...rows] },
      found: [{ kind: 'unbilled-calls', model: place.model, detail: 'failed', nanoUsd: -one.nanoUsd }],
    }
  },
}

const freeCall: Plant = {
  name: 'a free call',
  suits: countsTold,
  plant(books, place) {
    const row = ledgerRow(extraCall(place, 55_555), { costNanoUsd: 0, priceSource: 'free' })
    return {
      books: { ...books, rows: [...books.rows, row] },
      found: [{ kind: 'unbilled-calls', model: place.model, detail: 'free', nanoUsd: 0 }],
    }
  },
}

const estimatedCall: Plant = {
  name: 'an answer that the ledger had to estimate',
  suits: () => true,
  plant(books, place, form) {
    const call = extraCall(place)
    const guess = ledgerRow(billed(place.model, call.at, { fresh: 70_000, output: 6_000 }))
    const row = { ...guess, usage: guess.usage && { ...guess.usage, estimated: true } }
    return {
      books: { ...books, calls: [...books.calls, call], rows: [...books.rows, row] },
      found: [{ kind: 'estimated', model: named(form, place.model), nanoUsd: call.nanoUsd - (row.costNanoUsd ?? 0) }],
    }
  },
}

const missingSearches: Plant = {
  name: 'searches that the ledger lacks',
  suits: ({ searches, byPart, provider }) => searches || (byPart && provider === 'anthropic'),
  plant(books, place, form) {
    const [chosen] = books.calls.filter(isAt(place))
    const nanoUsd = 7 * 10_000_000
    const calls = books.calls.map((call) =>
      call === chosen
        ? { ...call, searches: 7, nanoUsd: call.nanoUsd + nanoUsd, parts: { ...call.parts, searches: nanoUsd } }
        : call,
    )
    return {
      books: { ...books, calls },
      found: [{ kind: 'part', model: form.byPart ? 'tools' : place.model, nanoUsd }],
    }
  },
}

const missingWrites: Plant = {
  name: 'writes to the cache that the ledger took for plain input',
  suits: (form) => form.written && form.provider === 'openai' && countsTold(form),
  plant(books, place, form) {
    const [chosen] = books.calls.filter(isAt(place))
    const dearer = 4_000 * 300
    const calls = books.calls.map((call) =>
      call !== chosen
        ? call
        : {
            ...call,
            fresh: call.fresh - 4_000,
            written: 4_000,
            nanoUsd: call.nanoUsd + dearer,
            parts: moved(call, 4_000, dearer),
          },
    )
    return {
      books: { ...books, calls },
      found: [{ kind: 'part', model: place.model, ...(form.byPart && { nanoUsd: dearer }) }],
    }
  },
}

function moved(call: BilledCall, tokens: number, dearer: number): Readonly<Record<string, number>> {
  const fresh = call.parts?.['fresh'] ?? 0
  const rate = fresh / call.fresh
  return { ...call.parts, fresh: fresh - tokens * rate, written: tokens * rate + dearer }
}

const taxes: Plant = {
  name: 'a tax',
  suits: ({ extras }) => extras.includes('tax'),
  plant: (books, { day }) => ({
    books: { ...books, extras: [...books.extras, { kind: 'tax', at: day, nanoUsd: 420_000_000 }] },
    found: [{ kind: 'tax', nanoUsd: 420_000_000 }],
  }),
}

const credit: Plant = {
  name: 'a credit',
  suits: ({ extras }) => extras.includes('credit'),
  plant: (books, { day }) => ({
    books: { ...books, extras: [...books.extras, { kind: 'credit', at: day, nanoUsd: -250_000_000 }] },
    found: [{ kind: 'credit', nanoUsd: -250_000_000 }],
  }),
}

const adjustment: Plant = {
  name: 'an adjustment',
  suits: ({ extras }) => extras.includes('adjustment'),
  plant: (books, { day }) => ({
    books: { ...books, extras: [...books.extras, { kind: 'adjustment', at: day, nanoUsd: 30_000_000 }] },
    found: [{ kind: 'adjustment', nanoUsd: 30_000_000 }],
  }),
}

const beside: Plant = {
  name: 'something billed that is no call',
  suits: ({ extras }) => extras.includes('apart'),
  plant: (books, { day }) => ({
    books: { ...books, extras: [...books.extras, { kind: 'apart', at: day, nanoUsd: 110_000_000 }] },
    found: [{ kind: 'apart', nanoUsd: 110_000_000 }],
  }),
}

const notCharged: Plant = {
  name: 'a day of a model at no cost',
  suits: (form) => hasMoney(form) && countsTold(form),
  plant(books, place) {
    const own = books.calls.filter(isAt(place))
    const calls = books.calls.map((call) => (own.includes(call) ? { ...call, nanoUsd: 0, parts: {} } : call))
    return { books: { ...books, calls }, found: [{ kind: 'not-charged', model: place.model, nanoUsd: -sumOf(own) }] }
  },
}

const cachedAtFullPrice: Plant = {
  name: 'cached tokens at the price of fresh ones',
  suits: (form) => hasMoney(form) && named(form, 'm') !== null && form.provider !== 'openrouter',
  plant(books, place) {
    const own = books.calls.filter(isAt(place))
    const surcharge = (call: BilledCall) =>
      ((call.parts?.['fresh'] ?? 0) / (call.fresh - call.audio)) * call.cached - (call.parts?.['cached'] ?? 0)
    const calls = books.calls.map((call) =>
      own.includes(call)
        ? {
            ...call,
            nanoUsd: call.nanoUsd + surcharge(call),
            parts: { ...call.parts, cached: (call.parts?.['cached'] ?? 0) + surcharge(call) },
          }
        : call,
    )
    const nanoUsd = own.reduce((sum, call) => sum + surcharge(call), 0)
    return { books: { ...books, calls }, found: [{ kind: 'cached-price', model: place.model, nanoUsd }] }
  },
}

const batch: Plant = {
  name: 'calls that are billed as a batch',
  suits: ({ tier }) => tier,
  plant(books, place) {
    const own = books.calls.filter(isAt(place))
    const halved = (call: BilledCall) => ({
      ...call,
      tier: 'batch',
      nanoUsd: call.nanoUsd / 2,
      parts: Object.fromEntries(Object.entries(call.parts ?? {}).map(([part, nano]) => [part, nano / 2])),
    })
    const calls = books.calls.map((call) => (own.includes(call) ? halved(call) : call))
    return { books: { ...books, calls }, found: [{ kind: 'tier', model: place.model, nanoUsd: -sumOf(own) / 2 }] }
  },
}

/** What concerns one model on one day, so that several may be planted at once. */
export const plants: readonly Plant[] = [
  unknownCall,
  lostCall,
  failedCall,
  oneOfTwoFailed,
  freeCall,
  estimatedCall,
  missingSearches,
  missingWrites,
  taxes,
  credit,
  adjustment,
  beside,
  notCharged,
  cachedAtFullPrice,
  batch,
]

export const scaled = (call: BilledCall, thousandths: number): BilledCall => ({
  ...call,
  nanoUsd: (call.nanoUsd * thousandths) / 1000,
  parts: Object.fromEntries(
    Object.entries(call.parts ?? {}).map(([part, nano]) => [part, (nano * thousandths) / 1000]),
  ),
})
