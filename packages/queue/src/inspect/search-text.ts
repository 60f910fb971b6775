import type { JobRecord } from '../engine/contract.ts'

/** Whether a job's payload or last error contains a text, whatever the case. A quote is found as JSON has it, too. */
export function contains({ payloadJson, lastError }: JobRecord, text: string): boolean {
  const wanted = text.toLowerCase()
  const payload = payloadJson.toLowerCase()
  if (payload.includes(wanted)) return true
  const escaped = JSON.stringify(wanted).slice(1, -1)
  if (escaped !== wanted && payload.includes(escaped)) return true
  return lastError !== null && `${lastError.name}: ${lastError.message}`.toLowerCase().includes(wanted)
}
