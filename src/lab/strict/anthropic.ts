/** What the Messages API of Anthropic refuses (POST /messages and /messages/count_tokens), in the order it is found. */

import { claudeContentRules, claudeEmptyMarkRule } from './claudeContent.ts'
import { claudeFieldRules } from './claudeFields.ts'
import { claudeMessageRules } from './claudeMessages.ts'
import { claudeSchemaRules } from './claudeSchema.ts'
import { claudeThinkingRules } from './claudeThinking.ts'
import { claudeToolRules } from './claudeTools.ts'
import type { Rule } from './rule.ts'

export const anthropicRules: readonly Rule[] = [
  ...claudeFieldRules,
  claudeEmptyMarkRule,
  ...claudeMessageRules,
  ...claudeContentRules,
  ...claudeToolRules,
  ...claudeSchemaRules,
  ...claudeThinkingRules,
]
