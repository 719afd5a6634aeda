import { describe, expect, test } from 'vitest'
import { isTimeZone, timeZoneProblem } from './timeZone.ts'

describe('timeZoneProblem()', () => {
  for (const name of ['UTC', 'Europe/Madrid', 'europe/madrid', 'Asia/Kolkata', 'CET', 'America/Argentina/Buenos_Aires'])
    test(`takes ${name}`, () => expect([isTimeZone(name), timeZoneProblem(name)]).toEqual([true, null]))

  const not = (name: string, zones: string) => [name, `"${name}" is not a time zone; did you mean ${zones}?`] as const
  const place =
    'an offset is not a time zone: clocks that change have two in a year; write a place such as Europe/Madrid'
  for (const [name, problem] of [
    not('Madrid', 'Europe/Madrid'),
    not('MADRID', 'Europe/Madrid'),
    not('New York', 'America/New_York'),
    not('new_york', 'America/New_York'),
    not('America/New York', 'America/New_York'),
    not('europe madrid', 'Europe/Madrid'),
    not('Europe/Madird', 'Europe/Madrid'),
    not('Europ/Madrid', 'Europe/Madrid'),
    not('Spain/Madrid', 'Europe/Madrid'),
    not('Madird', 'Europe/Madrid'),
    not('Beijing', 'Asia/Shanghai'),
    not('Asia/Beijing', 'Asia/Shanghai'),
    not('San Francisco', 'America/Los_Angeles'),
    not('Calcutta', 'Asia/Kolkata'),
    not('Kolkata', 'Asia/Kolkata'),
    not('Kiev', 'Europe/Kyiv'),
    not('Buenos Aires', 'America/Argentina/Buenos_Aires'),
    not('CEST', 'Europe/Madrid, Europe/Berlin or Europe/Paris'),
    not('PT', 'America/Los_Angeles'),
    not('SGT', 'Asia/Singapore'),
    ['IST', '"IST" stands for several time zones; write Asia/Kolkata, Europe/Dublin or Asia/Jerusalem'],
    ['bst', '"bst" stands for several time zones; write Europe/London or Asia/Dhaka'],
    ['CST', '"CST" stands for several time zones; write America/Chicago or Asia/Shanghai'],
    ['UTC+2', `"UTC+2": ${place}, or Etc/GMT-2 for the same offset all year`],
    ['GMT-5', `"GMT-5": ${place}, or Etc/GMT+5 for the same offset all year`],
    ['UTC+5:30', `"UTC+5:30": ${place}`],
    ['UTC+0', `"UTC+0": ${place}, or UTC for the same offset all year`],
    ['+2', `"+2": ${place}, or Etc/GMT-2 for the same offset all year`],
    ['constructor', '"constructor" is not a time zone; use an IANA name such as Europe/Madrid, or UTC'],
    ['', '"" is not a time zone; use an IANA name such as Europe/Madrid, or UTC'],
    ['Mars/Olympus_Mons', '"Mars/Olympus_Mons" is not a time zone; use an IANA name such as Europe/Madrid, or UTC'],
  ] as const)
    test(`says what to write for "${name}"`, () => expect(timeZoneProblem(name)).toBe(problem))

  test('never names a zone that the machine does not have, whatever was written', () => {
    for (const name of ['Lond', 'Parris', 'Tokio', 'Sidney', 'Los Angles', 'Mexico', 'Hong Kong', 'EEST', 'WIB']) {
      const zones = timeZoneProblem(name)?.match(/[A-Z][A-Za-z_]+\/[A-Za-z_/]+/g) ?? []
      expect(zones, name).not.toEqual([])
      expect(zones.filter((zone) => !isTimeZone(zone))).toEqual([])
    }
  })
})

test('isTimeZone() accepts the zones of the machine and nothing else', () => {
  expect(['UTC', 'Europe/Madrid', 'Mars/Olympus', '', '__proto__'].map(isTimeZone)).toEqual([
    true,
    true,
    false,
    false,
    false,
  ])
})
