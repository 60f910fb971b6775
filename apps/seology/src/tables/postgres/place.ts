import { QueueError } from 'millrace'

/** Where the queue lives, and its tables with it. */
export interface Place {
  connectionString: string
  schema: string
  /** At most this many connections. */
  connections: number
}

const defaultSchema = 'millrace'
const mostConnections = 5

/** Reads a queue's URL. What only the queue understands is not handed to the driver. */
export function readPlace(url: string): Place {
  const parsed = URL.parse(url)
  if (parsed === null) throw new QueueError('invalid-argument', 'the URL of the store can not be read')
  const { searchParams } = parsed
  const schema = searchParams.get('schema') || defaultSchema
  const asked = Number(searchParams.get('connections') ?? mostConnections)
  for (const name of ['schema', 'connections', 'wakeups']) searchParams.delete(name)
  const connections =
    Number.isInteger(asked) && asked > 0 ? Math.min(asked, mostConnections) : mostConnections
  return { connectionString: parsed.href, schema, connections }
}
