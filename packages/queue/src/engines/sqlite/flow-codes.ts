import type { FailurePolicy, FlowState } from '../../engine/flow.ts'

/** What the numbers of flows mean. Frozen: they are stored. */
export const flowCode: Record<FlowState, number> = { running: 0, completed: 1, failed: 2, cancelled: 3 }
export const policyCode: Record<FailurePolicy, number> = { fail: 0, skip: 1, continue: 2 }

const flowStateOf: FlowState[] = ['running', 'completed', 'failed', 'cancelled']
const policies: FailurePolicy[] = ['fail', 'skip', 'continue']

export function flowState(code: number): FlowState {
  return flowStateOf[code] as FlowState
}

export function failurePolicy(code: number): FailurePolicy {
  return policies[code] as FailurePolicy
}
