import { describe, expect, test } from 'vitest'
import { makeSuccess, makeTarget } from '../../test/support/makeEvents.ts'
import { aheadOfUtcMs } from '../domain/hoursRule.ts'
import { Dice } from '../domain/random.ts'
import { Router } from './choose.ts'
import { ROUTING } from './settings.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR
const target = makeTarget()

interface Rhythm {
  readonly zone: string
  /** Local hours of slow answers. */
  readonly slow: readonly [number, number]
}

const isSlow = ({ zone, slow: [from, to] }: Rhythm, at: number) => {
  const hour = ((at + aheadOfUtcMs(zone, at)) % DAY) / HOUR
  return hour >= from && hour < to
}

/** A router that saw `perHour` answers of every hour, 4.4 s in the slow ones and .4 s in the others, until `until`. */
class World {
  readonly dice = new Dice(7)
  router: Router
  #at: number

  readonly rhythm: Rhythm
  readonly perHour: number

  constructor(rhythm: Rhythm, from: number, perHour: number, zones: readonly string[] = []) {
    this.rhythm = rhythm
    this.perHour = perHour
    this.router = new Router({ settings: { ...ROUTING, zones }, random: () => 0.5 })
    this.router.setTargets([target])
    this.#at = from
  }

  until(end: number): this {
    const step = HOUR / this.perHour
    for (; this.#at < end; this.#at += step) {
      const latencyMs = (isSlow(this.rhythm, this.#at) ? 4400 : 400) * Math.exp(0.25 * this.dice.normal())
      this.router.fold(makeSuccess(target, this.#at, { latencyMs }))
    }
    return this
  }

  /** Half hours of the next day whose expectation is on the wrong side. */
  wrong(now: number): number {
    const cells = this.router.hoursOf(target, now)!
    let wrong = 0
    for (let at = now; at < now + DAY; at += HOUR / 2) {
      const expectsSlow = cells[Math.floor((at % DAY) / HOUR)]!.factor > 1.6
      if (expectsSlow !== isSlow(this.rhythm, at)) wrong++
    }
    return wrong
  }
}

const CHANGES = [
  ['Europe/Madrid', Date.UTC(2026, 2, 29), Date.UTC(2026, 9, 25)],
  ['America/New_York', Date.UTC(2026, 2, 8), Date.UTC(2026, 10, 1)],
  ['America/Santiago', Date.UTC(2026, 3, 5), Date.UTC(2026, 8, 6)],
] as const

describe('the daily rhythm of a target', () => {
  for (const [zone, ...days] of CHANGES)
    for (const perHour of zone === 'Europe/Madrid' ? [1, 6] : [1])
      test(`keeps the slow hours of ${zone} through both changes of its clock, ${perHour} an hour`, () => {
        const world = new World({ zone, slow: [14, 18] }, days[0] - 40 * DAY, perHour, [zone])
        expect(world.until(days[0]).wrong(days[0] - DAY)).toBe(0)
        // Nothing is known of its clock yet: the first day shows it.
        expect(world.until(days[0] + 2 * DAY).wrong(days[0] + 2 * DAY)).toBe(0)
        expect(world.router.zoneOf(target)).not.toBeNull()
        expect(world.until(days[1]).wrong(days[1] - DAY)).toBe(0)
        // By the second change it is: no day is wrong.
        expect(world.until(days[1] + DAY).wrong(days[1] + DAY)).toBe(0)
        expect(world.until(days[1] + 20 * DAY).wrong(days[1] + 20 * DAY)).toBe(0)
      })

  test('keeps the slow hours of UTC while the clocks of all zones change', () => {
    const world = new World({ zone: 'UTC', slow: [13, 17] }, Date.UTC(2026, 0, 20), 3, ['Europe/Madrid'])
    for (let at = Date.UTC(2026, 1, 25); at < Date.UTC(2026, 10, 20); at += 3 * DAY)
      expect(world.until(at).wrong(at), new Date(at).toISOString()).toBe(0)
    expect(world.router.zoneOf(target)).toBeNull()
  })

  for (const zone of ['Asia/Shanghai', 'Asia/Kolkata', 'America/Phoenix'])
    test(`needs no clock in ${zone}, which never changes`, () => {
      const world = new World({ zone, slow: [9, 12] }, Date.UTC(2026, 1, 1), 2, [zone, 'Europe/Madrid'])
      // At half hours a cell has both.
      const unavoidable = zone === 'Asia/Kolkata' ? 2 : 0
      for (const day of [Date.UTC(2026, 2, 12), Date.UTC(2026, 3, 2), Date.UTC(2026, 9, 28)])
        expect(world.until(day).wrong(day)).toBeLessThanOrEqual(unavoidable)
    })

  test('follows a clock that moves by half an hour to the half hour', () => {
    const [autumn, spring] = [Date.UTC(2026, 3, 4, 15), Date.UTC(2026, 9, 3, 15, 30)]
    const world = new World({ zone: 'Australia/Lord_Howe', slow: [14, 18] }, autumn - 40 * DAY, 6, [
      'Australia/Lord_Howe',
    ])
    for (const change of [autumn, spring]) {
      world.until(change + 2 * DAY)
      expect(world.wrong(change + 2 * DAY)).toBeLessThanOrEqual(2)
    }
    expect(world.router.zoneOf(target)).toBe('Australia/Lord_Howe')
  })

  test('is the same after a restart in the middle of a change', () => {
    const change = Date.UTC(2026, 2, 29)
    const world = new World({ zone: 'Europe/Madrid', slow: [14, 18] }, change - 40 * DAY, 2, ['Europe/Madrid'])
    world.until(change + 13 * HOUR)
    const saved = JSON.parse(JSON.stringify(world.router.toJson()))
    world.router = new Router({ settings: { ...ROUTING, zones: ['Europe/Madrid'] }, random: () => 0.5 })
    world.router.setTargets([target])
    world.router.fromJson(saved)
    expect(world.until(change + 2 * DAY).wrong(change + 2 * DAY)).toBe(0)
    const again = new Router({ settings: ROUTING, random: () => 0.5 })
    again.setTargets([target])
    again.fromJson(JSON.parse(JSON.stringify(world.router.toJson())))
    expect(again.hoursOf(target, change + 2 * DAY)).toEqual(world.router.hoursOf(target, change + 2 * DAY))
    expect(again.zoneOf(target)).toBe('Europe/Madrid')
  })

  test('that there is none follows no clock', () => {
    const world = new World({ zone: 'UTC', slow: [0, 0] }, Date.UTC(2026, 0, 20), 6, ['Europe/Madrid'])
    world.until(Date.UTC(2026, 10, 20))
    expect(world.router.zoneOf(target)).toBeNull()
  })
})
