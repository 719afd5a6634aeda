/** Whether what was reported goes on, by what is known now, and what is said of it then. */

import type { FailureKind } from '../domain/failure.ts'
import type { Park } from '../domain/park.ts'
import type { EngineReader } from '../engine/reader.ts'
import { hasNothing } from '../engine/targets/credits.ts'
import type { News } from '../observe/alerts/alerts.ts'
import type { Incident } from '../observe/alerts/incident.ts'
import { worksText } from './alertText.ts'
import { isAbout } from './budgetKeys.ts'

/**
 * Null when it is not known to go on: a park was lifted, or the key is in the configuration no longer. Outages of models
 * and of providers are not known here.
 */
export function attest(engine: EngineReader, incident: Incident): News | null {
  const { alert, key } = incident
  const subject = key.slice(key.indexOf(':') + 1)
  const isTrue = isConfigured(engine, key) && (GOES_ON[alert.event]?.(engine, subject) ?? true)
  return isTrue ? asNow(engine, incident) : null
}

/** Whether the configuration still has what the incident is about: that key, a budget with that limit. */
export function isConfigured({ registry, learned }: EngineReader, incident: string): boolean {
  const [kind = '', ...rest] = incident.split(':')
  if (kind === 'key' || kind === 'leak') return hasKey(registry, rest.join(':'))
  if (kind !== 'budget' && kind !== 'forecast') return true
  return rest.at(-1) === 'uncounted' || learned.budgets.rules.some((budget) => isAbout(incident, budget))
}

/** By event; what is not here ends by events or by its time alone. */
const GOES_ON: Readonly<Record<string, (engine: EngineReader, subject: string) => boolean>> = {
  key_revoked: isRefused,
  key_leaked: isRefused,
  no_credit: (engine, account) =>
    isParked(engine, 'billing', (park) => park.target.account === account) || isEmpty(engine, account),
  model_retired: (engine, model) =>
    isParked(engine, 'model_not_found', ({ target }) => `${target.provider}/${target.model}` === model),
  store_degraded: ({ store }) => store.health().state !== 'ok',
}

const hasKey = ({ targets }: EngineReader['registry'], key: string): boolean =>
  targets.some(({ provider, fingerprint }) => `${provider}@${fingerprint}` === key)

function isRefused(engine: EngineReader, key: string): boolean {
  return isParked(engine, 'auth_invalid', ({ target }) => `${target.provider}@${target.fingerprint}` === key)
}

/** Also where the time of a park is over and nothing has disproved it. */
function isParked({ learned, now }: EngineReader, reason: FailureKind, isIt: (park: Park) => boolean): boolean {
  const { parks } = learned
  return [...parks.list(now), ...parks.awaiting(now)].some((park) => park.reason === reason && isIt(park))
}

/** By what its provider tells. */
function isEmpty({ credits, registry }: EngineReader, account: string): boolean {
  const own = registry.credentials.filter((credential) => credential.account === account)
  return credits.questions(own).some((question) => {
    const known = credits.last(question)
    return known !== null && hasNothing(known)
  })
}

/** The report with what works now. */
function asNow(engine: EngineReader, { alert }: Incident): News {
  const { event, subject, since, what, why, returnsAt, returns, advice } = alert
  const works = event === 'budget' ? alert.works : worksText(engine)
  return { event, subject, since, what, why, works, returnsAt, returns, advice }
}
