import type { FlowState, Job } from 'millrace'
import type { Style } from './output.ts'

const styles: Record<Job['shown'], Style> = {
  queued: 'white',
  scheduled: 'blue',
  retrying: 'yellow',
  blocked: 'magenta',
  running: 'cyan',
  completed: 'green',
  cancelled: 'dim',
  dead: 'red',
}

export function stateStyle(state: Job['shown']): Style {
  return styles[state]
}

const flowStyles: Record<FlowState, Style> = {
  running: 'cyan',
  completed: 'green',
  failed: 'red',
  cancelled: 'dim',
}

export function flowStyle(state: FlowState): Style {
  return flowStyles[state]
}
