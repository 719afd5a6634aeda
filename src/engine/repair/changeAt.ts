/** Changes the fields of a body that a path names, in copies: the client's own objects stay as they are. */

import { asRecord } from '../../domain/json.ts'

/** What a value becomes; undefined removes its field. */
type Change = (value: unknown) => unknown

/** `messages[].prefix` in steps. */
export function stepsOf(path: string): readonly string[] {
  return path.replaceAll('[]', '.[]').split('.').filter(Boolean)
}

/** The same of a whole body, which stays one whatever goes. */
export function changeBody(
  body: Record<string, unknown>,
  steps: readonly string[],
  change: Change,
): Record<string, unknown> {
  return asRecord(changeAt(body, steps, change)) ?? {}
}

/** The value with the change made wherever the path leads; the same value where it leads nowhere. */
function changeAt(value: unknown, [step, ...rest]: readonly string[], change: Change): unknown {
  if (step === undefined) return change(value)
  // Gemini may leave indexes out.
  if (Array.isArray(value)) return inItems(value, step === '[]' ? rest : [step, ...rest], change)
  if (typeof value !== 'object' || value === null || step === '[]') return value
  const fields = value as Readonly<Record<string, unknown>> // an object, as was just seen
  const name = nameIn(fields, step)
  const leadsOn = name !== undefined && (rest.length === 0 || typeof fields[name] === 'object')
  if (!leadsOn) return rest.length > 0 && isType(fields, step) ? changeAt(fields, rest, change) : fields
  return withField(fields, name, changeAt(fields[name], rest, change))
}

function inItems(items: readonly unknown[], steps: readonly string[], change: Change): unknown {
  const changed = items.map((item) => changeAt(item, steps, change) ?? item)
  return changed.some((item, index) => item !== items[index]) ? changed : items
}

/** An object that the change has left empty goes as well. */
function withField(fields: Readonly<Record<string, unknown>>, name: string, value: unknown): unknown {
  if (value === fields[name]) return fields
  if (value !== undefined) return { ...fields, [name]: value }
  const { [name]: _gone, ...rest } = fields
  return Object.keys(rest).length === 0 ? undefined : rest
}

/** Services spell names in ways of their own: `presencePenalty`. */
export function nameIn(fields: Readonly<Record<string, unknown>>, step: string): string | undefined {
  if (Object.hasOwn(fields, step)) return step
  const wanted = inSnakeCase(step)
  return Object.keys(fields).find((name) => inSnakeCase(name) === wanted)
}

export const inSnakeCase = (name: string) => name.replace(/([a-z\d])([A-Z])/g, '$1_$2').toLowerCase()

/**
 * Validators write the type that they took the object for into the path: `messages.1.assistant.prefix`,
 * `content.0.image.detail`, `tools.0.custom.name`, `messages.1.UserMessage.name`.
 */
function isType({ role, type }: Readonly<Record<string, unknown>>, step: string): boolean {
  return role === step || type === step || (role === undefined && type === undefined) || /[A-Z]/.test(step)
}
