import type { JobRecord, Progress } from './engine/contract.ts'
import type { StepRecord } from './engine/step.ts'
import { type DisplayState, displayState } from './job/state.ts'

/** A job as its users see it: the stored record with its JSON read. */
export interface Job extends Omit<JobRecord, 'payloadJson' | 'resultJson' | 'progress'> {
  payload: unknown
  result: unknown
  progress: (Omit<Progress, 'dataJson'> & { data: unknown }) | null
  /** The state with *scheduled* and *retrying* told apart. */
  shown: DisplayState
}

/** Text that can't be read any more (another hand's write) is shown as it is, never thrown. */
export function readJson(json: string | null): unknown {
  if (json === null) return null
  try {
    return JSON.parse(json)
  } catch {
    return json
  }
}

export function viewJob(record: JobRecord, now: number): Job {
  const { payloadJson, resultJson, progress, ...rest } = record
  return {
    ...rest,
    payload: readJson(payloadJson),
    result: readJson(resultJson),
    progress: progress && {
      percent: progress.percent,
      message: progress.message,
      data: readJson(progress.dataJson),
    },
    shown: displayState(record, now),
  }
}

/** A step as its users see it. */
export interface Step extends Omit<StepRecord, 'resultJson'> {
  result: unknown
}

export function viewStep(record: StepRecord): Step {
  const { resultJson, ...rest } = record
  return { ...rest, result: readJson(resultJson) }
}
