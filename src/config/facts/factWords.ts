/** Facts in words, and what each is about. */

import { counted, unitOf } from '../../domain/counted.ts'
import { type Ability, abilityWord } from '../../domain/target.ts'
import type { Fact } from './factSchema.ts'

/** What a fact is about; two facts with the same key say the same thing or contradict each other. */
export function factKeys(fact: Fact): readonly string[] {
  const about = (what: string) => `${fact.provider}/${fact.model} ${what}`
  switch (fact.kind) {
    case 'limit':
      return [about(`limit ${fact.unit}/${fact.window}`)]
    case 'ability':
      return Object.keys(fact.abilities).map((ability) => about(`ability ${ability}`))
    case 'window':
      return [
        ...(fact.contextTokens === undefined ? [] : [about('context')]),
        ...(fact.maxOutputTokens === undefined ? [] : [about('output')]),
      ]
    default:
      return [about(fact.kind)]
  }
}

/** What a fact says, without its provider, model, source and date. */
export function factText(fact: Fact): string {
  switch (fact.kind) {
    case 'price':
      return `$${fact.price.input} / $${fact.price.output} per million tokens in/out${besides(fact.price)}`
    case 'limit':
      return limitText(fact.limit, fact.unit, fact.window)
    case 'free_tier':
      return fact.freeTier ? 'in the free tier' : 'not in the free tier'
    case 'retired':
      return `retired on ${fact.on}${fact.successor === undefined ? '' : `; use ${fact.successor}`}`
    case 'window':
      return [
        ...(fact.contextTokens === undefined ? [] : [`${count(fact.contextTokens)} tokens of context`]),
        ...(fact.maxOutputTokens === undefined ? [] : [`answers of ${count(fact.maxOutputTokens)} tokens`]),
      ].join(', ')
    case 'ability':
      return Object.entries(fact.abilities)
        .map(([ability, can]) => `${can === true ? '' : 'no '}${abilityWord(ability as Ability)}`) // keys of the schema
        .join(', ')
    case 'listed':
      return fact.listed ? "in the provider's list" : "not in the provider's list"
  }
}

/** Rates beside those of text. */
function besides(price: Extract<Fact, { kind: 'price' }>['price']): string {
  const { input: _input, output: _output, ...others } = price
  const names = Object.entries(others).flatMap(([name, value]) => (value === undefined ? [] : name))
  return names.length === 0 ? '' : ` (and ${counted(names.length, 'other rates')})`
}

/** `1,000 requests a day`, `4 at once`. */
function limitText(limit: number, unit: string, window: string): string {
  if (unit === 'concurrency') return `${count(limit)} ${unitOf(limit, 'calls')} at once`
  const per = window === 'none' ? '' : ` a ${window}`
  return unit === 'usd' ? `$${limit}${per}` : `${count(limit)} ${unitOf(limit, unit)}${per}`
}

const count = (value: number) => value.toLocaleString('en-US')
