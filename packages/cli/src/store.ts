import { createMillrace, type Millrace, openEngine } from 'millrace'
import type { Module } from '@millrace/api'
import type { Settings } from './settings.ts'

/** Opens the store, does the work and closes it again, whatever happens. */
export async function withStore<Result>(
  { url }: Settings,
  work: (millrace: Millrace) => Promise<Result>,
  modules: readonly Module[] = [],
): Promise<Result> {
  const millrace: Millrace = createMillrace({
    engine: openEngine(url),
    jobs: modules.flatMap(each => each.jobs),
  })
  try {
    await millrace.open()
    return await work(millrace)
  } finally {
    await millrace.close()
  }
}
