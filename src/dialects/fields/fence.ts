/** Code and its output inside the text of an answer, as every client shows them. */

export function fence(inside: string, language: string): string {
  return `\n\`\`\`${language}\n${inside.replace(/\n$/, '')}\n\`\`\`\n`
}
