import type { Problem } from '../problem.ts'
import { problemResponse } from './problem-response.ts'
import { defaultHeaders } from './security-headers.ts'

/** What is answered where no app is there to do so: a problem document with the headers that the app would add. */
export function refusal(problem: Problem, path: string): Response {
  const response = problemResponse(problem, path)
  for (const [name, value] of Object.entries(defaultHeaders)) response.headers.set(name, value)
  return response
}
