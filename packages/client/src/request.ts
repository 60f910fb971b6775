import type { Operation } from './contract/operations.ts'
import { invalid } from './problem.ts'

/** What a caller gives to an operation. */
export interface Given {
  query?: object
  body?: unknown
  [name: string]: unknown
}

/** A call as it goes over the wire, as often as it takes. */
export interface Wire {
  method: string
  /** With the query. */
  path: string
  headers: Record<string, string>
  body: string | null
  /** Doing it twice does nothing more than doing it once. */
  repeatable: boolean
  /** It takes as long as it is asked to, so no time is too long for it. */
  lasting: boolean
}

export function wireOf(operation: Operation, given: Given): Wire {
  const { method, path, headers: named = {}, lasting = false, changes = false } = operation
  const headers: Record<string, string> = {}
  for (const [name, header] of Object.entries(named))
    if (given[name] !== undefined) headers[header.toLowerCase()] = String(given[name])
  const body = given.body === undefined ? null : jsonOf(given.body)
  if (body !== null) headers['content-type'] = 'application/json'
  return {
    method,
    path:
      path.replaceAll(/\{(\w+)\}/g, (_, name: string) => segment(name, given[name])) + queryOf(given.query),
    headers,
    body,
    repeatable: !changes && isRepeatable(method, headers, given.body),
    lasting,
  }
}

function jsonOf(body: unknown): string {
  try {
    return JSON.stringify(body)
  } catch (cause) {
    throw invalid('The body can not be written as JSON: it holds a circle or a BigInt.', cause)
  }
}

/** What would lead to another address is refused: an empty text, and dots, which no encoding protects. */
function segment(name: string, value: unknown): string {
  if (typeof value !== 'string' || /^\.{0,2}$|\p{Surrogate}/u.test(value))
    throw invalid(`${name} must be text that can stand in a path, not ${JSON.stringify(value)}.`)
  return encodeURIComponent(value)
}

/** A list becomes several members of its name; what is undefined is left out. */
export function queryOf(query: object = {}): string {
  const members = new URLSearchParams()
  for (const [name, value] of Object.entries(query) as [string, unknown][])
    for (const each of Array.isArray(value) ? value : [value])
      if (each !== undefined && each !== null) members.append(name, String(each))
  const text = members.toString()
  return text && `?${text}`
}

/** Of a batch each job has a key of its own. */
function isRepeatable(method: string, headers: Record<string, string>, body: unknown): boolean {
  if (method === 'GET' || method === 'PUT' || method === 'DELETE') return true
  if (method !== 'POST') return false
  if (headers['idempotency-key'] !== undefined) return true
  const jobs = (body as { jobs?: unknown } | null | undefined)?.jobs
  return Array.isArray(jobs) && jobs.length > 0 && jobs.every(hasKey)
}

function hasKey(job: unknown): boolean {
  return typeof (job as { idempotencyKey?: unknown } | null)?.idempotencyKey === 'string'
}
