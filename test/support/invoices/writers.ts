/** Writes invoices as the services do: one writer for each form. */

import { anthropicForms } from './anthropicForms.ts'
import { googleForms } from './googleForms.ts'
import { openaiForms } from './openaiForms.ts'
import { openrouterForms } from './openrouterForms.ts'

export const invoiceForms = [...openaiForms, ...anthropicForms, ...openrouterForms, ...googleForms]
