import { z } from 'zod'
import { isRepeated, isSeveral } from '../contract/fields.ts'
import type { Input, Operation } from '../contract/operation.ts'
import { Problem } from '../problem.ts'
import { check } from './check.ts'
import type { BorderContext } from './context.ts'
import { readJsonBody } from './json-body.ts'

const noQuery = z.strictObject({})

/** Reads and checks all that an operation takes. Throws a `Problem` with every fault of the first part that has some. */
export async function readInput(operation: Operation, c: BorderContext): Promise<Input<Operation>> {
  const params = operation.params && check(operation.params, c.req.param(), 'path')
  const query = check(operation.query ?? noQuery, readQuery(c, operation.query), 'query')
  return { params, query, body: await readBody(operation, c) } as Input<Operation>
}

async function readBody(
  { body, bodyOptional, maxBodyBytes, method }: Operation,
  c: BorderContext,
): Promise<unknown> {
  if (method === 'get') return undefined
  const read = await readJsonBody(c, maxBodyBytes)
  if (body) return check(body, read ?? (bodyOptional ? {} : undefined), 'body')
  if (read !== undefined) check(z.strictObject({}), read, 'body')
  return undefined
}

/** Single texts, or lists where the schema takes several. */
function readQuery(c: BorderContext, schema: z.ZodType | undefined): Record<string, unknown> {
  const shape = schema instanceof z.ZodObject ? (schema.shape as Record<string, z.ZodType>) : {}
  const members = Object.entries(c.req.queries()).map(([name, values]): [string, unknown] => {
    if (Object.hasOwn(shape, name) && isSeveral(shape[name]))
      return [name, values.flatMap(value => value.split(','))]
    if (Object.hasOwn(shape, name) && isRepeated(shape[name])) return [name, values]
    if (values.length === 1) return [name, values[0]]
    throw new Problem('invalid-argument', `The query is refused: ${name}: is given more than once.`, {
      faults: [{ path: [name], message: 'is given more than once' }],
    })
  })
  return Object.fromEntries(members)
}
