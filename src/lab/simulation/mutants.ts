/**
 * Faults that the product once had, or nearly had, put back on purpose: each is one place of one source. The
 * simulation has to find every one of them.
 */

export interface Mutant {
  readonly name: string
  /** What went wrong when it was there. */
  readonly fault: string
  /** Below `src/`. */
  readonly file: string
  /** Stands exactly once in the file. */
  readonly line: string
  readonly becomes: string
}

export const MUTANTS: readonly Mutant[] = [
  {
    name: 'resent-watched-twice',
    fault: 'a call that is sent again on another socket is watched twice, and its deadline never ends',
    file: 'upstream/call.ts',
    line: 'this.#redispatched = true\n      return this.#send()',
    becomes: 'this.#redispatched = true\n      return this.start()',
  },
  {
    name: 'cut-stream-is-whole',
    fault: 'a stream that ends before its finish is taken for a whole answer',
    file: 'upstream/call.ts',
    line: 'if (!this.#complete) {\n      return this.#fail({',
    becomes: 'if (false) {\n      return this.#fail({',
  },
  {
    name: 'beaten-call-unrecorded',
    fault: 'a call that runs beside the one that answers is neither ended nor recorded',
    file: 'engine/cascade.ts',
    line: 'if (!race.isEmpty) leaveBehind(engine, pending, trail, race)',
    becomes: '',
  },
  {
    name: 'quota-kept-over-budget',
    fault: 'what was held of a limit is not released when a budget then refuses the call',
    file: 'engine/attempt/reservation.ts',
    line: 'if (!budget.granted) {\n    sources.quota.release(quota)',
    becomes: 'if (!budget.granted) {',
  },
  {
    name: 'quota-never-settled',
    fault: 'what a call held of a limit stays held when it ends',
    file: 'engine/record.ts',
    line: 'if (facts.hold.quota !== null) learned.quota.settle(facts.hold.quota, event.usage, now)',
    becomes: '',
  },
  {
    name: 'spending-with-wrong-sign',
    fault: 'what a call cost is taken off what is spent of a lease',
    file: 'money/lease.ts',
    line: 'slot.reserved -= held\n    slot.used += actual',
    becomes: 'slot.reserved -= held\n    slot.used -= actual',
  },
  {
    name: 'lease-without-limit',
    fault: 'a process leases more than the budget has left',
    file: 'money/lease.ts',
    line: 'addToCounter(slot.name, amount, this.#limit - others)',
    becomes: 'addToCounter(slot.name, amount)',
  },
  {
    name: 'lease-not-returned',
    fault: 'a process that ends keeps what it had leased and not spent',
    file: 'money/lease.ts',
    line: 'if (left > 0) this.#giveBack(slot, left)\n    else if (left < 0)',
    becomes: 'if (left < 0)',
  },
  {
    name: 'cap-of-attempts-ignored',
    fault: 'an explicit max_attempts bounds what counts, not what is called',
    file: 'engine/attempt/trail.ts',
    line: 'return this.#hardCap ? this.#maxAttempts : MOST_CALLS',
    becomes: 'return MOST_CALLS',
  },
  {
    name: 'answered-before-written',
    fault: 'a plain answer is given before its row is written, and lost when the process is killed',
    file: 'store/sqlite/sqlite.ts',
    line: 'if (this.#pendingWrites.isEmpty || this.#failure !== null) return Promise.resolve()',
    becomes: 'if (true) return Promise.resolve()',
  },
  {
    name: 'refused-key-used-elsewhere',
    fault: 'a refused key rests for one model and is used for the others',
    file: 'domain/park.ts',
    line: "streak: 'auth_invalid',\n    scope: 'key',",
    becomes: "streak: 'auth_invalid',\n    scope: 'target',",
  },
  {
    name: 'day-quota-ends-with-retry-delay',
    fault: 'a daily limit that is used up is tried again after the 34 seconds of its retryDelay',
    file: 'quota/parks/failureStreak.ts',
    line: 'hasBoundary(facts.dayBoundary) ? nextDay(facts.dayBoundary, at) - at : null\n}',
    becomes: 'hasBoundary(facts.dayBoundary) ? 34_000 : null\n}',
  },
  {
    name: 'short-wait-becomes-a-cap',
    fault: 'one refusal with a wait of a second caps a target for minutes',
    file: 'quota/limits/limitSize.ts',
    line: 'if (stated !== null && (inNeed || this.#misses === 0)) return stated\n',
    becomes: '',
  },
  {
    name: 'probe-never-ends',
    fault: 'the call that tries a target after its park is taken to be under way for ever',
    file: 'quota/parks/parks.ts',
    line: 'for (const state of this.#statesOf(target)) state.probeSince = Number.NEGATIVE_INFINITY',
    becomes: 'for (const state of this.#statesOf(target)) state.probeSince = Number.MAX_VALUE',
  },
]
