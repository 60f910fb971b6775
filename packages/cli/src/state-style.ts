import type { Job } from 'millrace'
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
