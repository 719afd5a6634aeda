/** What is read from the engine when the metrics are requested: scores, parks, budgets. */

import type { EngineReader } from '../../engine/reader.ts'
import { nanoToUsd } from '../../money/amount.ts'
import type { EventLoopReading } from '../../observe/eventLoopDelay.ts'
import type { Gauge } from '../../observe/metrics.ts'
import { knownCredits } from '../../views/credits.ts'
import { storeHealth } from '../../views/store.ts'

export function gaugesOf(engine: EngineReader): readonly Gauge[] {
  const { learned } = engine
  const now = engine.now
  const budgets = learned.budgets.view(now)
  const names = keyNames(engine)
  const keyed = engine.registry.targets.map((target) => ({
    target,
    labels: {
      provider: target.provider,
      model: target.model,
      key: names.get(`${target.provider}#${target.keyIndex}`) ?? String(target.keyIndex),
    },
  }))
  return [
    {
      name: 'keywise_target_score',
      help: 'Score of each target, 0 to 1.',
      rows: keyed.map(({ target, labels }) => ({ labels, value: learned.router.scoreOf(target, now)?.score ?? 0 })),
    },
    {
      name: 'keywise_target_parked',
      help: '1 for each target that may not be called now, with the reason.',
      rows: keyed.flatMap(({ target, labels }) => {
        const park = learned.parks.blocking(target, now)
        return park === undefined ? [] : [{ labels: { ...labels, reason: park.reason }, value: 1 }]
      }),
    },
    {
      name: 'keywise_budget_remaining_usd',
      help: 'What is left of each budget in USD.',
      rows: budgets.flatMap((view) =>
        view.limitUsd === null
          ? []
          : [
              {
                labels: { scope: view.scope, per: view.per },
                value: Math.max(0, view.limitUsd - (view.spentUsd ?? 0) - (view.reservedUsd ?? 0)),
              },
            ],
      ),
    },
    {
      name: 'keywise_budget_at_end_usd',
      help: 'What each budget in USD will have spent when its period ends, at the pace of the last 24 hours.',
      rows: budgets.flatMap(({ scope, per, forecast }) =>
        forecast === null || forecast.atEndUsd === null ? [] : [{ labels: { scope, per }, value: forecast.atEndUsd }],
      ),
    },
    {
      name: 'keywise_budget_spent_at_seconds',
      help: 'Unix time at which each budget will be spent at this pace; missing where it lasts its period.',
      rows: budgets.flatMap(({ scope, per, unit, forecast }) =>
        forecast === null || forecast.spentAt === null
          ? []
          : [{ labels: { scope, per, unit }, value: Date.parse(forecast.spentAt) / 1000 }],
      ),
    },
    {
      name: 'keywise_credit_left',
      help: 'What an account, or the limit of a key, has left, as its provider told it last.',
      rows: knownCredits(engine).map(({ question: { credential, source }, credit }) => ({
        labels: {
          provider: credential.provider.id,
          key: names.get(`${credential.provider.id}#${credential.key.index}`) ?? String(credential.key.index),
          of: source.of,
          currency: credit.currency,
        },
        value: nanoToUsd(credit.left),
      })),
    },
    ...storeGauges(engine),
    ...alertGauges(engine),
  ]
}

function storeGauges({ store }: EngineReader): readonly Gauge[] {
  return [
    {
      name: 'keywise_store_degraded',
      help: '1 while what is recorded would not outlive this process: the store cannot be written, or is in memory.',
      rows: [{ labels: { engine: store.engine }, value: storeHealth(store).state === 'ok' ? 0 : 1 }],
    },
    {
      name: 'keywise_store_waiting_rows',
      help: 'Rows that wait to be stored.',
      rows: [{ labels: {}, value: store.waiting() }],
    },
  ]
}

/** Of the serving process. */
export function eventLoopGauges({ p50Ms, p99Ms, maxMs }: EventLoopReading): readonly Gauge[] {
  const rows = { '0.5': p50Ms, '0.99': p99Ms, '1': maxMs }
  return [
    {
      name: 'keywise_event_loop_delay_seconds',
      help: 'Delay of the event loop over the last minute: median, 99 %, and the longest.',
      rows: Object.entries(rows).map(([quantile, ms]) => ({ labels: { quantile }, value: ms / 1000 })),
    },
  ]
}

function alertGauges({ monitor }: EngineReader): readonly Gauge[] {
  const channels = monitor.alerts.health()
  const rows = (read: (channel: (typeof channels)[number]) => number | null) =>
    channels.flatMap((channel) => {
      const value = read(channel)
      return value === null ? [] : [{ labels: { channel: channel.name }, value }]
    })
  return [
    {
      name: 'keywise_alert_channel_state',
      help: '1 for the state of each channel of alerts: ok, resting or off.',
      rows: channels.map(({ name, state }) => ({ labels: { channel: name, state }, value: 1 })),
    },
    {
      name: 'keywise_alert_channel_failures',
      help: 'Failures in a row of each channel of alerts.',
      rows: rows(({ failures }) => failures),
    },
    {
      name: 'keywise_alerts_waiting',
      help: 'Alerts waiting for each channel.',
      rows: rows(({ waiting }) => waiting),
    },
    {
      name: 'keywise_alerts_undelivered',
      help: 'Alerts that never went out by each channel, since its last message.',
      rows: rows(({ undelivered }) => undelivered),
    },
    {
      name: 'keywise_alert_delivered_at_seconds',
      help: 'Unix time of the last message that each channel of alerts took.',
      rows: rows(({ deliveredAt }) => (deliveredAt === null ? null : deliveredAt / 1000)),
    },
  ]
}

/** A key's label, or its number; with its number where another key is called so, as no two series may be the same. */
function keyNames({ registry }: EngineReader): ReadonlyMap<string, string> {
  const names = new Map<string, string>()
  const taken = new Set<string>()
  for (const { provider, key } of registry.credentials) {
    const name = key.label ?? String(key.index)
    names.set(`${provider.id}#${key.index}`, taken.has(`${provider.id} ${name}`) ? `${name} #${key.index}` : name)
    taken.add(`${provider.id} ${name}`)
  }
  return names
}
