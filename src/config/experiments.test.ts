import { expect, test } from 'vitest'
import { put, temporaryFolder } from '../../test/support/temporaryFolder.ts'
import { loadConfig } from './config.ts'

const variants = [
  { name: 'now', share: 0.5 },
  { name: 'short', share: 0.5, template: 'Briefly: {{prompt}}' },
]
const tone = { name: 'tone', variants }

function load(experiments: unknown) {
  const folder = temporaryFolder()
  const file = put(folder, 'api-keys.json', JSON.stringify({ settings: { experiments } }, null, 1))
  return loadConfig({ config: file, env: {}, cwd: folder, home: folder, platform: 'linux' })
}

test('experiments of the settings are read, together with their definition as written', () => {
  const [definition] = load([tone]).settings.experiments
  expect(definition?.experiment).toMatchObject({ name: 'tone', version: 1, metric: { name: 'quality' } })
  expect(definition?.written).toEqual(tone)
})

for (const { name, experiments, says } of [
  { name: 'no list', experiments: 7, says: 'api-keys.json:3:18: "settings.experiments" must be a list' },
  {
    name: 'shares that do not add up',
    experiments: [tone, { ...tone, name: 'b', holdout: 0.2 }],
    says: /^api-keys\.json:18:4: "settings\.experiments\[1\]": the shares and the holdout add up to 1\.2 instead of 1$/,
  },
  { name: 'duplicate names', experiments: [tone, tone], says: '"settings.experiments[1].name" "tone" is taken' },
  {
    name: 'an unknown variable, by its name',
    experiments: [{ ...tone, variables: ['who'], variants: [variants[0], { ...variants[1], template: '{{hwo}}' }] }],
    says: '"settings.experiments[0].variants[1].template": unknown variable {{hwo}}; known: prompt, who',
  },
  {
    name: 'a name that cannot stand in a header',
    experiments: [{ ...tone, name: 'my tone' }],
    says: '"settings.experiments[0].name" must be up to 64 letters',
  },
  {
    name: 'a metric that keywise measures itself',
    experiments: [{ ...tone, metric: { name: 'latency', better: 'lower', minimum_effect: 5 } }],
    says: 'is measured by keywise: write "metric": "latency"',
  },
  {
    name: 'a parameter out of range',
    experiments: [{ ...tone, variants: [variants[0], { ...variants[1], parameters: { top_p: 2, stop: [] } }] }],
    says: /parameters\.top_p" must be a number from 0 to 1; .*parameters\.stop" must be a text or a list of texts/,
  },
])
  test(`reports what is wrong and where: ${name}`, () => {
    expect(() => load(experiments)).toThrow(says)
  })
