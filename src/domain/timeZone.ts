/**
 * The names of time zones, as people write them: whether one is known, and what to write in the place of one that is
 * not. Everything that reads a zone asks here.
 */

import { nearest } from './nearest.ts'

/** Abbreviations of several clocks; the machine takes each for one of them, which may not be the one that was meant. */
const AMBIGUOUS: Readonly<Record<string, readonly string[]>> = {
  AST: ['America/Halifax', 'Asia/Riyadh'],
  BST: ['Europe/London', 'Asia/Dhaka'],
  CST: ['America/Chicago', 'Asia/Shanghai'],
  IST: ['Asia/Kolkata', 'Europe/Dublin', 'Asia/Jerusalem'],
}

/** Abbreviations that machines do not know, or not all of them. */
const ABBREVIATIONS: Readonly<Record<string, readonly string[]>> = {
  ...AMBIGUOUS,
  ACST: ['Australia/Adelaide'],
  AEDT: ['Australia/Sydney'],
  AEST: ['Australia/Sydney', 'Australia/Brisbane'],
  ART: ['America/Argentina/Buenos_Aires'],
  AWST: ['Australia/Perth'],
  BRT: ['America/Sao_Paulo'],
  CAT: ['Africa/Maputo'],
  CDT: ['America/Chicago'],
  CEST: ['Europe/Madrid', 'Europe/Berlin', 'Europe/Paris'],
  CET: ['Europe/Madrid', 'Europe/Berlin', 'Europe/Paris'],
  CLT: ['America/Santiago'],
  CT: ['America/Chicago'],
  EAT: ['Africa/Nairobi'],
  EDT: ['America/New_York'],
  EEST: ['Europe/Athens', 'Europe/Helsinki'],
  EST: ['America/New_York'],
  ET: ['America/New_York'],
  GST: ['Asia/Dubai'],
  HKT: ['Asia/Hong_Kong'],
  JST: ['Asia/Tokyo'],
  KST: ['Asia/Seoul'],
  MDT: ['America/Denver'],
  MSK: ['Europe/Moscow'],
  MST: ['America/Denver', 'America/Phoenix'],
  MT: ['America/Denver'],
  NZDT: ['Pacific/Auckland'],
  NZST: ['Pacific/Auckland'],
  PDT: ['America/Los_Angeles'],
  PKT: ['Asia/Karachi'],
  PST: ['America/Los_Angeles'],
  PT: ['America/Los_Angeles'],
  SAST: ['Africa/Johannesburg'],
  SGT: ['Asia/Singapore'],
  WEST: ['Europe/Lisbon'],
  WIB: ['Asia/Jakarta'],
  Z: ['UTC'],
  ZULU: ['UTC'],
}

/** Places without a zone of their own name, by what they are called. */
const PLACES: Readonly<Record<string, string>> = {
  argentina: 'America/Argentina/Buenos_Aires',
  austria: 'Europe/Vienna',
  bangalore: 'Asia/Kolkata',
  barcelona: 'Europe/Madrid',
  beijing: 'Asia/Shanghai',
  belgium: 'Europe/Brussels',
  boston: 'America/New_York',
  canberra: 'Australia/Sydney',
  chile: 'America/Santiago',
  china: 'Asia/Shanghai',
  colombia: 'America/Bogota',
  delhi: 'Asia/Kolkata',
  denmark: 'Europe/Copenhagen',
  finland: 'Europe/Helsinki',
  france: 'Europe/Paris',
  frankfurt: 'Europe/Berlin',
  geneva: 'Europe/Zurich',
  germany: 'Europe/Berlin',
  greece: 'Europe/Athens',
  hamburg: 'Europe/Berlin',
  hangzhou: 'Asia/Shanghai',
  india: 'Asia/Kolkata',
  ireland: 'Europe/Dublin',
  israel: 'Asia/Jerusalem',
  italy: 'Europe/Rome',
  japan: 'Asia/Tokyo',
  korea: 'Asia/Seoul',
  miami: 'America/New_York',
  milan: 'Europe/Rome',
  montreal: 'America/Toronto',
  mumbai: 'Asia/Kolkata',
  munich: 'Europe/Berlin',
  netherlands: 'Europe/Amsterdam',
  norway: 'Europe/Oslo',
  osaka: 'Asia/Tokyo',
  poland: 'Europe/Warsaw',
  portugal: 'Europe/Lisbon',
  'rio de janeiro': 'America/Sao_Paulo',
  'san francisco': 'America/Los_Angeles',
  seattle: 'America/Los_Angeles',
  shenzhen: 'Asia/Shanghai',
  spain: 'Europe/Madrid',
  sweden: 'Europe/Stockholm',
  switzerland: 'Europe/Zurich',
  turkey: 'Europe/Istanbul',
  uk: 'Europe/London',
  valencia: 'Europe/Madrid',
  washington: 'America/New_York',
}

/** Names of today for those that `Intl.supportedValuesOf` still lists under an older one. */
const RENAMED: Readonly<Record<string, string>> = {
  'America/Buenos_Aires': 'America/Argentina/Buenos_Aires',
  'America/Godthab': 'America/Nuuk',
  'Asia/Calcutta': 'Asia/Kolkata',
  'Asia/Katmandu': 'Asia/Kathmandu',
  'Asia/Rangoon': 'Asia/Yangon',
  'Asia/Saigon': 'Asia/Ho_Chi_Minh',
  'Europe/Kiev': 'Europe/Kyiv',
}

/** Whether the machine has that zone: IANA names such as `Europe/Madrid` in any case, `UTC`, `+02:00`. */
export function isTimeZone(name: string): boolean {
  if (name === '' || name.toUpperCase() in AMBIGUOUS) return false
  try {
    new Intl.DateTimeFormat('en', { timeZone: name })
    return true
  } catch {
    return false
  }
}

/** `"Madrid" is not a time zone; did you mean Europe/Madrid?`; null for the name of a zone. */
export function timeZoneProblem(name: string): string | null {
  if (isTimeZone(name)) return null
  const shown = `"${name.slice(0, 64)}"`
  const plain = name.trim().toUpperCase()
  if (plain in AMBIGUOUS) return `${shown} stands for several time zones; write ${anyOf(AMBIGUOUS[plain] ?? [])}`
  if (OFFSET.test(name.trim())) return offsetProblem(name.trim(), shown)
  const meant = zonesNear(name)
  if (meant.length === 0) return `${shown} is not a time zone; use an IANA name such as Europe/Madrid, or UTC`
  return `${shown} is not a time zone; did you mean ${anyOf(meant)}?`
}

const OFFSET = /^(?:utc|gmt)?\s*([+-])\s*(\d{1,2})(?::?(\d\d))?$/i

/** Whole hours have a zone, whose sign is reversed (`Etc/GMT-2` is two hours ahead of UTC). */
function offsetProblem(name: string, shown: string): string {
  const [, sign = '+', hours = '0', minutes = '00'] = OFFSET.exec(name) ?? []
  const fixed = `Etc/GMT${sign === '+' ? '-' : '+'}${Number(hours)}`
  const place =
    'an offset is not a time zone: clocks that change have two in a year; write a place such as Europe/Madrid'
  if (Number(minutes) !== 0 || !isTimeZone(fixed)) return `${shown}: ${place}`
  return `${shown}: ${place}, or ${Number(hours) === 0 ? 'UTC' : fixed} for the same offset all year`
}

const anyOf = (zones: readonly string[]) =>
  zones.length < 2 ? (zones[0] ?? '') : `${zones.slice(0, -1).join(', ')} or ${zones.at(-1)}`

const plainOf = (text: string) =>
  text
    .toLowerCase()
    .replace(/[\s_-]+/g, ' ')
    .trim()

let listed: readonly string[] | null = null

function allZones(): readonly string[] {
  listed ??= [...Intl.supportedValuesOf('timeZone').map((zone) => RENAMED[zone] ?? zone), 'UTC']
  return listed
}

const cityOf = (zone: string) => plainOf(zone.slice(zone.lastIndexOf('/') + 1))

/** At most three zones that may be meant: by abbreviation, by place, by a slip. */
function zonesNear(name: string): readonly string[] {
  const abbreviated = ABBREVIATIONS[name.trim().toUpperCase()]
  if (abbreviated !== undefined) return abbreviated
  const asked = plainOf(name)
  const zones = allZones()
  const whole = zones.filter((zone) => plainOf(zone) === asked || plainOf(zone).replaceAll('/', ' ') === asked)
  if (whole.length > 0) return whole
  const city = cityOf(name.replace(/,.*/, ''))
  const called = zones.filter((zone) => cityOf(zone) === city)
  const place = Object.hasOwn(PLACES, city) ? PLACES[city] : undefined
  if (place !== undefined) return [place]
  if (called.length > 0) return called.slice(0, 3)
  const renamed = Object.entries(RENAMED).find(([old]) => cityOf(old) === city)
  if (renamed !== undefined) return [renamed[1]]
  if (name.includes('/')) return nearest(name.replace(/\s+/g, '_'), zones, 1)
  const cities = new Map([...Object.entries(PLACES), ...zones.map((zone) => [cityOf(zone), zone] as const)])
  return nearest(city, [...cities.keys()], 1).flatMap((near) => cities.get(near) ?? [])
}
