/** Prompt templates: text with `{{variables}}`. Values are inserted as they are; braces inside a value stay text. */

/**
 * Spaces inside the braces are allowed; a name is letters, digits, `_`, `-` and `.`, and starts with a letter or `_`.
 */
const VARIABLE = /\{\{([^{}]{0,200})\}\}/g
const NAME = /^[A-Za-z_][\w.-]*$/

/** The variables of a template, each once, in order of appearance. */
export function templateVariables(template: string): readonly string[] {
  const names = new Set<string>()
  for (const [, inside = ''] of template.matchAll(VARIABLE)) names.add(inside.trim())
  return [...names]
}

/** The problems of a template: invalid names, and variables that will have no value. */
export function templateProblems(template: string, known: readonly string[]): readonly string[] {
  const problems: string[] = []
  for (const name of templateVariables(template)) {
    if (!NAME.test(name)) problems.push(`"{{${name}}}" is not a variable; write a name such as {{question}}`)
    else if (!known.includes(name)) problems.push(`unknown variable {{${name}}}; known: ${known.join(', ') || 'none'}`)
  }
  return problems
}

type Rendering =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly missing: readonly string[] }

/** The template with every variable replaced, or the names of those without a value. */
export function renderTemplate(template: string, values: Readonly<Record<string, string>>): Rendering {
  const missing = templateVariables(template).filter((name) => !Object.hasOwn(values, name))
  if (missing.length > 0) return { ok: false, missing }
  return { ok: true, text: template.replaceAll(VARIABLE, (_all, inside: string) => values[inside.trim()] ?? '') }
}
