/** Whatever clients of other dialects say, the services refuse none of it: see `src/lab/strict`. */

import { describe, expect, test } from 'vitest'
import { dialectOf } from '../src/dialects/dialects.ts'
import { AWKWARD_REQUESTS } from './support/awkwardRequests.ts'
import { RECIPIENTS, writtenFor } from './support/strictRecipients.ts'

describe.each(RECIPIENTS.map((recipient) => ({ name: nameOf(recipient), recipient })))('$name takes', ({
  recipient,
}) => {
  const foreign = AWKWARD_REQUESTS.filter(([, client]) => client !== recipient[0].dialect)
  test.each(foreign)('%s of a client of %s', (_, client, body) => {
    const asked = dialectOf(client).client.readRequest({ model: 'm', ...body }, { model: 'm', stream: false })
    expect(writtenFor(recipient, client, asked)?.refusal ?? null).toBeNull()
  })
})

function nameOf([spec, model]: (typeof RECIPIENTS)[number]): string {
  return `${spec.id} (${spec.dialect}) ${model}`
}
