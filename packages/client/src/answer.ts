import type { Operation } from './contract/operations.ts'
import { isJson, problemOf } from './problem.ts'

export interface Answer {
  status: number
  body: unknown
  headers: Headers
}

const notFound = 404
const noContent = 204

/** Reads an operation's answer, or throws the problem that it tells of. */
export function readAnswer({
  method,
  replies,
}: Operation): (response: Response, perhapsDone: boolean) => Promise<Answer> {
  return async (response, perhapsDone) => {
    const { status, headers } = response
    const text = await response.text()
    const type = headers.get('content-type') ?? ''
    if (replies.includes(status) && !type.startsWith('application/problem+')) {
      if (text === '' && status === noContent) return { status, headers, body: undefined }
      const body = isJson(headers) ? parse(text) : type.startsWith('text/plain') ? text : undefined
      if (body !== undefined) return { status, headers, body }
    }
    // The reply to a try before was lost, and what it has deleted is not there any more.
    const isDeleted = method === 'DELETE' && status === notFound && perhapsDone
    if (isDeleted && replies.includes(noContent)) return { status: noContent, headers, body: undefined }
    throw problemOf(response, text)
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
