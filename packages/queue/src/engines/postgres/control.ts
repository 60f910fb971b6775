import type { CancelAnswer, Reschedule } from '../../engine/contract.ts'
import { array, one, type Queries } from './queries.ts'
import type { Moved } from './settlements.ts'

interface Context {
  now: number | null
  wake: string
}

type Answers<Answer> = { answers: Answer[] }

export async function cancel(
  db: Queries,
  { now, wake }: Context,
  ids: readonly string[],
  reason: string,
): Promise<{ answers: CancelAnswer[]; moved: Moved }> {
  const row = await one<Answers<CancelAnswer> & Moved>(
    db,
    'SELECT answers, skipped::text[], ready, asked FROM millrace.cancel_jobs($1, $2, $3, $4)',
    [now, wake, array(ids), reason],
  )
  const { answers, ...moved } = row as Answers<CancelAnswer> & Moved
  return { answers, moved }
}

export async function reschedule(
  db: Queries,
  { now, wake }: Context,
  changes: readonly Reschedule[],
): Promise<('changed' | 'not-queued' | 'not-found')[]> {
  const row = await one<Answers<'changed' | 'not-queued' | 'not-found'>>(
    db,
    'SELECT millrace.reschedule_jobs($1, $2, $3, $4, $5, $6) AS answers',
    [
      now,
      wake,
      array(changes.map(change => change.id)),
      array(changes.map(change => change.runAt ?? null)),
      array(changes.map(change => change.priority ?? null)),
      changes.map(change => change.queue ?? null),
    ],
  )
  return row?.answers ?? []
}

export async function redrive(
  db: Queries,
  { now, wake }: Context,
  ids: readonly string[],
  options: { forgetSteps?: boolean },
): Promise<('redriven' | 'not-finished' | 'not-found')[]> {
  const row = await one<Answers<'redriven' | 'not-finished' | 'not-found'>>(
    db,
    'SELECT millrace.redrive_jobs($1, $2, $3, $4) AS answers',
    [now, wake, array(ids), options.forgetSteps ?? false],
  )
  return row?.answers ?? []
}

export async function remove(
  db: Queries,
  now: number | null,
  ids: readonly string[],
): Promise<('removed' | 'running' | 'in-flow' | 'not-found')[]> {
  const row = await one<Answers<'removed' | 'running' | 'in-flow' | 'not-found'>>(
    db,
    'SELECT millrace.remove_jobs($1, $2) AS answers',
    [now, array(ids)],
  )
  return row?.answers ?? []
}
