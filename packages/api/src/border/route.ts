import type { z } from 'zod'
import type { Input, Operation, Reply } from '../contract/operation.ts'
import type { Principal } from '../access/principal.ts'
import type { BorderContext, Services } from './context.ts'

type BodyOf<R extends Reply> = R['schema'] extends z.ZodType ? z.input<R['schema']> : undefined

type Statuses<Spec extends Operation> = Extract<keyof Spec['replies'], number>

interface Answer<Status extends number, Body> {
  status: Status
  body: Body
  headers?: Record<string, string>
}

/** For what is not JSON. */
interface RawAnswer {
  status: 'raw'
  body: Response
}

/** What a handler may answer: one of its operation's replies, or a response of its own for what is not JSON. */
export type ReplyOf<Spec extends Operation> =
  | RawAnswer
  | { [Status in Statuses<Spec>]: Answer<Status, BodyOf<Spec['replies'][Status]>> }[Statuses<Spec>]

/** What the audit log says of a change. */
export interface Change {
  target: string
  before?: unknown
  after?: unknown
}

/** A request as its handler gets it: known who asks, allowed, read and checked. */
export interface Asked<Spec extends Operation> extends Input<Spec>, Services {
  principal: Principal
  c: BorderContext
  /** Says what was changed. The latest word counts. */
  changed(change: Change): void
}

export interface Route {
  operation: Operation
  handle(asked: Asked<Operation>): unknown
}

/** An operation and what does it. */
export function route<const Spec extends Operation>(
  spec: Spec,
  handle: (asked: Asked<Spec>) => ReplyOf<Spec> | Promise<ReplyOf<Spec>>,
): Route {
  return { operation: spec, handle: handle as unknown as Route['handle'] }
}
