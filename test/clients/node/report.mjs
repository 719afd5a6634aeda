// The tools and the object that a schema is asked for, as JSON Schema and as zod has them.
import { z } from 'zod'

export const LookUp = z.object({ city: z.string(), days: z.int() })
export const Note = z.object({ text: z.string() })

export const TOOLS = [
  {
    name: 'look_up',
    description: 'The weather of a city.',
    parameters: {
      type: 'object',
      properties: { city: { type: 'string' }, days: { type: 'integer' } },
      required: ['city', 'days'],
    },
  },
  {
    name: 'note',
    description: 'Keeps a note.',
    parameters: { type: 'object', properties: { text: { type: 'string' } }, required: ['text'] },
  },
]

/** What the tools answer. */
export const RUN = { look_up: ({ days }) => `rain for ${days} days`, note: () => 'noted' }

export const Report = z.strictObject({
  city: z.enum(['Oslo', 'Bergen']),
  days: z.int(),
  tags: z.array(z.string()),
  place: z.strictObject({ country: z.string(), inland: z.boolean() }),
})

const { $schema, ...schema } = z.toJSONSchema(Report)
export const REPORT_SCHEMA = schema
