import { text } from 'node:stream/consumers'
import { decodeForeignJson } from 'millrace'
import { UsageError } from './errors.ts'

/** JSON from the command line, or from standard input for `-`. `what` names it for people: `the payload`. */
export async function readJsonArgument(what: string, given: string): Promise<unknown> {
  const json = given === '-' ? await text(process.stdin) : given
  try {
    return decodeForeignJson(json)
  } catch (error) {
    throw new UsageError(`${what} is not usable JSON: ${(error as Error).message}`)
  }
}
