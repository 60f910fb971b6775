import { afterEach, beforeEach } from 'vitest'
import { createMillrace, type Millrace, openEngine } from '../../src/index.ts'
import { allJobs } from './jobs.ts'
import { killAllChildren } from './process.ts'
import type { CrashStore, CrashTarget, Effects } from './target.ts'

/** A scenario's own store, seen by a process that nobody kills. */
export interface Stage {
  target: CrashTarget
  store: CrashStore
  millrace: Millrace
  effects: Effects
}

/** Hands each test of the describe block it is called in an empty store, and clears away what the test leaves. */
export function useStage(target: CrashTarget): Stage {
  const stage: Partial<Stage> = { target }
  beforeEach(async () => {
    stage.store = await target.createStore()
    stage.millrace = createMillrace({ engine: openEngine(stage.store.url), jobs: allJobs })
    stage.effects = ((await import(target.effectsModule)) as { default: Effects }).default
    await stage.millrace.open()
    await stage.effects.prepare(stage.store.url)
  })
  afterEach(async () => {
    await killAllChildren()
    await stage.millrace?.close()
    await stage.store?.remove()
  })
  return stage as Stage
}
