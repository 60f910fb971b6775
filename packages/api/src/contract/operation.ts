import type { z } from 'zod'
import type { ProblemCode } from '../problem.ts'
import type { Permission } from './permission.ts'

export type Method = 'get' | 'post' | 'put' | 'patch' | 'delete'

export interface Reply {
  description: string
  /** Of JSON. Without it: no body, or what `contentType` says. */
  schema?: z.ZodType
  contentType?: string
}

/** One thing that the API can be asked for: a value, without what does it, so that documents and clients can be made of it. */
export interface Operation {
  /** `listJobs`: also the name of the client's method. */
  readonly id: string
  readonly method: Method
  /** With `{name}` for each parameter. */
  readonly path: string
  /** One sentence. */
  readonly summary: string
  readonly description?: string
  readonly tag: string
  /** `public`: nobody needs to say who they are. */
  readonly permission: Permission | 'public'
  readonly params?: z.ZodType
  /** Over single texts; where the property is made by `several`, over a list of them. */
  readonly query?: z.ZodType
  readonly headers?: Readonly<Record<string, { description: string; schema: z.ZodType }>>
  readonly body?: z.ZodType
  /** No body means `{}`. */
  readonly bodyOptional?: boolean
  readonly maxBodyBytes?: number
  readonly replies: Readonly<Record<number, Reply>>
  /** Besides those that every operation can answer. */
  readonly problems?: readonly ProblemCode[]
  /** Answers carry an ETag, and `If-None-Match` is honoured. */
  readonly conditional?: boolean
  /** It may take as long as it says itself; others are given up after half a minute. */
  readonly lasting?: boolean
  /** It does something although it is a GET: no client may send it twice by itself. */
  readonly changes?: boolean
  /** Changes are written down in the audit log before they are answered; with this, nobody waits for the entry. */
  readonly audit?: 'follows'
}

/** Keeps the schemas' own types. */
export function operation<const Spec extends Operation>(spec: Spec): Spec {
  return spec
}

type Output<Schema> = Schema extends z.ZodType ? z.output<Schema> : undefined

/** What a handler is given of the request, checked. */
export interface Input<Spec extends Operation> {
  params: Output<Spec['params']>
  query: Output<Spec['query']>
  body: Output<Spec['body']>
}
