import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { openEngine } from '../../src/index.ts'
import { pgbouncerMissing } from '../support/pgbouncer.ts'
import { findPostgres, type PostgresVersion, postgresMissing } from '../support/postgres-binaries.ts'
import { describeEngine } from './describe-engine.ts'
import { type PostgresMode, PostgresStore } from './postgres-store.ts'

const versions: PostgresVersion[] = [15, 18]

/** The whole suite in one mode, on the machine's own PostgreSQL and on the newest. */
export function describePostgres(mode: PostgresMode, more: (store: () => PostgresStore) => void): void {
  for (const version of versions) {
    const missing = postgresMissing(version) ?? (mode.behindPgBouncer ? pgbouncerMissing() : null)
    if (missing !== null) {
      skipLoudly(`postgres ${version}, ${mode.name}`, missing)
      continue
    }
    const title = `${findPostgres(version).version}, ${mode.name}`
    describe(`on PostgreSQL ${title}`, () => {
      let store: PostgresStore | undefined
      beforeAll(async () => {
        store = await PostgresStore.start(version, mode)
        const engine = openEngine(store.url)
        await engine.open()
        await engine.close()
        await store.remember()
      })
      afterAll(() => store?.stop())
      const started = (): PostgresStore => {
        if (store === undefined) throw new Error('the server has not started')
        return store
      }
      describeEngine('postgres', {
        mode: title,
        capabilities: {
          transactions: true,
          clock: 'database',
          claimByType: true,
          attemptHistory: true,
          retention: 'by-type',
          flows: 'transactional',
          concurrencyKeys: false,
          finders: true,
          virtualTime: true,
        },
        asyncWork: true,
        modelRuns: 100,
        flowRuns: 125,
        async open({ clock }) {
          const { url } = started()
          await started().empty()
          const engine = openEngine(url, { clock })
          return {
            engine,
            another: async () => openEngine(url, { clock }),
            close: () => engine.close(),
            caller: started().caller(),
          }
        },
      })
      describe('postgres: the mode', () => {
        beforeEach(() => started().empty())
        more(started)
      })
    })
  }
}

/** Counted as skipped, so that a run which must run all fails for it. */
function skipLoudly(name: string, reason: string): void {
  console.warn(`\nSKIPPED: ${name}: ${reason}\n`)
  if (process.env['REQUIRE_ALL'] === '1') it(name, () => expect.fail(reason))
  else it.skip(`${name} (${reason})`)
}
