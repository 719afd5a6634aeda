/** `why --request`: the reasons of a request and of each attempt, in every process and after a restart the same. */

import { join } from 'node:path'
import { expect, test } from 'vitest'
import { whyRequestView } from '../src/views/why.ts'
import { openLab, openManager, own } from './support/lab.ts'
import { temporaryFolder } from './support/temporaryFolder.ts'

const faults = [{ do: 'server', model: 'm' }]
const failing = { providers: { ...own('alpha', 1, ['m', 'n'], { faults }), ...own('beta', 1, ['m']) } }
const working = { providers: { ...own('alpha', 1, ['m', 'n']), ...own('beta', 1, ['m']) } }

test('a fallback says after which failure it was asked, in another process and after a restart the same', async () => {
  const store = join(temporaryFolder(), 'keywise.db')
  const lab = await openLab(failing, { manager: { store } })
  const { result, trail } = await lab.call()
  const requestId = result!.requestId
  const before = whyRequestView(lab.manager.engine, requestId)
  expect(before.cause).toMatchObject({ kind: 'priority', instead: 'alpha/n#1' })
  expect(before.attempts.map(({ target, why }) => `${target}: ${why}`)).toEqual([
    `alpha/m#1: ${before.cause?.text}`,
    ...trail
      .split('; ')
      .slice(1)
      .map((attempt) =>
        expect.stringMatching(new RegExp(`^${attempt.split('=')[0]}: (asked again|next after alpha/m#1)`)),
      ),
  ])
  await lab.manager.close()
  const after = openManager(lab.world, { manager: { store } })
  await after.ready()
  const view = whyRequestView(after.engine, requestId)
  expect({ ...view, generatedAt: '' }).toEqual({ ...before, generatedAt: '' })
})

test('a request that names its target says so', async () => {
  const lab = await openLab(working)
  const { result } = await lab.call({ prompt: 'Say hi', model: 'beta/m' })
  const view = whyRequestView(lab.manager.engine, result!.requestId)
  expect(view.cause).toMatchObject({ kind: 'only', text: 'the only target of what was asked for' })
})

test('a request of an experiment names the experiment and its variant', async () => {
  const variants = [
    { name: 'a', share: 0.5, model: 'alpha/n' },
    { name: 'b', share: 0.5, model: 'beta/m' },
  ]
  const settings = { experiments: [{ name: 'tone', variants }] }
  const lab = await openLab(working, { settings })
  const { result } = await lab.call({ prompt: 'Say hi', experiment: 'tone' })
  const view = whyRequestView(lab.manager.engine, result!.requestId)
  expect(view.experiment?.name).toBe('tone')
  expect(view.chosen).toBe(view.experiment?.variant === 'a' ? 'alpha/n#1' : 'beta/m#1')
  expect(view.cause?.kind).toBe('only')
})
