import type { Context, Hono } from 'hono'
import type { Millrace } from 'millrace'
import type { Drainer } from '../serverless/drainer.ts'
import type { Access, Identity } from '../access/access.ts'
import type { Principal } from '../access/principal.ts'
import type { Metrics } from '../metrics/metrics.ts'

/** What a request carries through the border. */
export interface BorderVariables {
  requestId: string
  identity: Identity
  /** Set once known, also for those who are then refused. For the access log. */
  principal?: Principal
  /** The id of the operation that was asked for. */
  operation?: string
}

export interface BorderEnv {
  Variables: BorderVariables
}

export type BorderContext = Context<BorderEnv>
export type BorderApp = Hono<BorderEnv>

/** What the handlers work with. */
export interface Services {
  millrace: Millrace
  access: Access
  /** Null: this server leaves work to workers. */
  drainer: Drainer | null
  metrics: Metrics
  /** How long a request that works on many jobs may go on before it answers with what it has done. */
  budgetMs: number
  /** Fires when the server begins to stop. */
  stopping: AbortSignal
}
