/** `POST /v1/completions`: chats of one message; a request for several choices is several of them. */

import { type AskedCompletion, readCompletions } from '../../dialects/completions/readCompletions.ts'
import { completionForm } from '../../dialects/completions/writeCompletion.ts'
import { dialectOf } from '../../dialects/dialects.ts'
import { requestId } from '../../engine/prepareRequest.ts'
import { jsonBody, readBody } from '../body.ts'
import { clientFailure } from '../clientError.ts'
import type { Handler } from '../handler.ts'
import { sendFailure } from '../sendFailure.ts'
import { Exchange } from './exchange.ts'
import { ManyChoices } from './manyChoices.ts'

/** `model`: the one that the path names. */
export const complete =
  (model?: string): Handler =>
  async (parts, request, response, token) => {
    try {
      const body = await readBody(request, parts.maxBodyBytes)
      const fields = await jsonBody(body.bytes)
      const asked = readCompletions(fields, model)
      const [only] = asked
      if (asked.length > 1) return await new ManyChoices(parts, request, response, token, asked, fields).run()
      const route = { dialect: 'openai', form: completionForm(only as AskedCompletion) } as const // never empty
      return await new Exchange(parts, request, response, route, token).run(body)
    } catch (error) {
      sendFailure(response, dialectOf('openai'), clientFailure(error, requestId(), parts.engine.now))
    }
  }
