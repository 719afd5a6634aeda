/**
 * What the Gemini API refuses (`:generateContent`, `:streamGenerateContent`, `:countTokens`, `:embedContent`,
 * `:batchEmbedContents`), in the order it is found.
 */

import { geminiConfigRules } from './geminiConfig.ts'
import { geminiContentRules } from './geminiContents.ts'
import { geminiFieldRules } from './geminiFields.ts'
import { geminiToolRules } from './geminiTools.ts'
import type { Rule } from './rule.ts'

export const googleRules: readonly Rule[] = [
  ...geminiFieldRules,
  ...geminiContentRules,
  ...geminiToolRules,
  ...geminiConfigRules,
]
