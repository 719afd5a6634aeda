// Writes sbom.cdx.json: what the published package consists of, as a CycloneDX 1.6 bill of materials
// (https://cyclonedx.org/docs/1.6/json/), from the lock. npm's own `npm sbom --omit dev` (11.19) leaves out packages that
// a development dependency needs too. The same lock gives the same file. Only syntax that node 18 knows.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))

/** @param {{ packages: Record<string, any> }} lock what package-lock.json holds */
export function sbomOf(lock) {
  const { name, version, license } = lock.packages['']
  const components = runtimePackages(lock).map(([path, one]) => componentOf(nameIn(path), one))
  const refs = new Map(components.map((one) => [one.name, one['bom-ref']]))
  const dependenciesOf = (one) => Object.keys(one.dependencies ?? {}).map((dependency) => refs.get(dependency))
  return {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: {
      component: {
        type: 'application',
        'bom-ref': purl(name, version),
        name,
        version,
        purl: purl(name, version),
        licenses: [{ license: { id: license } }],
      },
    },
    components,
    dependencies: [
      { ref: purl(name, version), dependsOn: dependenciesOf(lock.packages['']) },
      ...runtimePackages(lock).map(([path, one]) => ({
        ref: refs.get(nameIn(path)),
        dependsOn: dependenciesOf(one),
      })),
    ],
  }
}

/** What an installation without development dependencies has. */
function runtimePackages(lock) {
  return Object.entries(lock.packages).filter(([path, one]) => path !== '' && !one.dev && !one.devOptional)
}

function componentOf(name, { version, license, integrity }) {
  const [algorithm, hash] = integrity.split('-', 2)
  return {
    type: 'library',
    'bom-ref': purl(name, version),
    name,
    version,
    scope: 'required',
    purl: purl(name, version),
    hashes: [{ alg: algorithm.replace(/^sha/, 'SHA-'), content: Buffer.from(hash, 'base64').toString('hex') }],
    licenses: [{ license: { id: license } }],
  }
}

const nameIn = (path) => path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length)

// https://github.com/package-url/purl-spec: the scope is a namespace, its @ is escaped.
const purl = (name, version) => `pkg:npm/${name.replace('@', '%40')}@${version}`

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'))
  writeFileSync(join(root, 'sbom.cdx.json'), `${JSON.stringify(sbomOf(lock), null, 2)}\n`)
}
