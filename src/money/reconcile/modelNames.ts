/**
 * Which model of an invoice is which of the ledger. An invoice names versions (`gpt-4o-2024-08-06`) where a call may have
 * named what stands for the newest (`gpt-4o`), and some name models as people do (`Claude Haiku 4.5`).
 */

const DATE = /-(20\d\d)-?(\d\d)-?(\d\d)$/
/** `-preview`, `-preview-09-2025`, `-latest`, `-001`. */
const STAGE = /-(?:preview(?:-\d\d-(?:20\d\d|\d\d))?|latest|exp|experimental|00\d)(?=-|$)/g

interface Name {
  readonly name: string
  /** The same however it is written. */
  readonly exact: string
  /** What it is a version of. */
  readonly base: string
  readonly isDated: boolean
}

function read(name: string): Name {
  const written = name
    .toLowerCase()
    .replace(/^models\//, '')
    .replaceAll(/[\s._]+/g, '-')
  const exact = written.replace(DATE, '-$1$2$3')
  // `claude-4.6-sonnet` and `claude-sonnet-4-6` are one.
  const base = written.replace(DATE, '').replaceAll(STAGE, '').split('-').toSorted().join('-')
  return { name, exact, base, isDated: exact !== written || /-20\d{6}$/.test(written) }
}

/** By name of either side, what both sides call alike: the same text for the same model. */
interface ModelGroups {
  readonly theirs: ReadonlyMap<string, string>
  readonly ours: ReadonlyMap<string, string>
}

/** Groups are named as the ledger spells them, otherwise as the invoice does. */
export function modelGroups(theirs: Iterable<string>, ours: Iterable<string>): ModelGroups {
  const them = [...theirs].map(read)
  const us = [...ours].map(read)
  const groups = new Groups()
  for (const one of [...them, ...us]) groups.add(keyOf(one, them.includes(one)))
  for (const their of them)
    for (const our of us) if (isSame(their, our, them, us)) groups.join(keyOf(their, true), keyOf(our, false))
  const titles = new Map<string, string>()
  for (const one of [...us, ...them]) {
    const root = groups.rootOf(keyOf(one, them.includes(one)))
    if (!titles.has(root)) titles.set(root, one.name)
  }
  const titleOf = (one: Name, isTheirs: boolean) => titles.get(groups.rootOf(keyOf(one, isTheirs))) ?? one.name
  return {
    theirs: new Map(them.map((one) => [one.name, titleOf(one, true)])),
    ours: new Map(us.map((one) => [one.name, titleOf(one, false)])),
  }
}

const keyOf = ({ name }: Name, isTheirs: boolean) => `${isTheirs ? 'i' : 'l'} ${name}`

/** Two versions of a date each are two models; a name without one that the other side has as well means itself. */
function isSame(their: Name, our: Name, them: readonly Name[], us: readonly Name[]): boolean {
  if (their.exact === our.exact) return true
  if (their.base !== our.base || (their.isDated && our.isDated)) return false
  return !meansItself(their, us) && !meansItself(our, them)
}

const meansItself = (one: Name, others: readonly Name[]) =>
  !one.isDated && others.some(({ exact }) => exact === one.exact)

/** Sets that grow together: https://en.wikipedia.org/wiki/Disjoint-set_data_structure */
class Groups {
  readonly #above = new Map<string, string>()

  add(key: string): void {
    if (!this.#above.has(key)) this.#above.set(key, key)
  }

  rootOf(key: string): string {
    let root = key
    for (let next = this.#above.get(root) ?? root; next !== root; next = this.#above.get(root) ?? root) root = next
    return root
  }

  join(one: string, other: string): void {
    this.#above.set(this.rootOf(one), this.rootOf(other))
  }
}
