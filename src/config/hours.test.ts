import { describe, expect, test } from 'vitest'
import { hours } from './schemaWords.ts'

const problem = (rule: string) => hours.safeParse(rule).error?.issues[0]?.message ?? null

describe('a rule of hours', () => {
  for (const rule of ['22-6', '22-06 Europe/Madrid', 'mon-fri 09:00-18:30 UTC', 'sat,sun 0-24 europe/madrid'])
    test(`may be "${rule}"`, () => expect(hours.safeParse(rule).success).toBe(true))

  for (const [rule, told] of [
    ['22-6 Madrid', 'is wrong: "Madrid" is not a time zone; did you mean Europe/Madrid?'],
    ['22-6 New York', 'is wrong: "New York" is not a time zone; did you mean America/New_York?'],
    ['22-6 Europe/Madird', 'is wrong: "Europe/Madird" is not a time zone; did you mean Europe/Madrid?'],
    ['mon-fri 9-18 IST', 'is wrong: "IST" stands for several time zones'],
    ['9-18 UTC+2', 'is wrong: "UTC+2": an offset is not a time zone'],
    ['9-18 mon-fri', 'is wrong: days come first: "mon-fri 9-18"'],
    ['9am-5pm', 'expected hours such as "22-06 Europe/Madrid"'],
  ] as const)
    test(`"${rule}" is refused with what to write`, () => expect(problem(rule)).toContain(told))
})
