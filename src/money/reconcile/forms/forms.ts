/** Every form that is understood; the first whose fields are all there is taken. */

import type { Form } from '../form.ts'
import { anthropicCostFile, anthropicCosts, anthropicUsage } from './anthropic.ts'
import { googleCostTable, googleReport, googleRows } from './google.ts'
import { openaiCosts, openaiTools, openaiUnits, openaiUsage } from './openai.ts'
import { openrouterActivity, openrouterGenerations } from './openrouter.ts'

export const forms: readonly Form[] = [
  openaiCosts,
  openaiUsage,
  openaiUnits,
  openaiTools,
  anthropicUsage,
  anthropicCosts,
  anthropicCostFile,
  openrouterActivity,
  openrouterGenerations,
  googleRows,
  googleReport,
  googleCostTable,
]
