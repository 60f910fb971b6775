import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import { defineJob, type JobOptions, type Schema } from '../definition.ts'
import { defaultRetention, type Retention } from '../job/retention.ts'
import { retentionRules } from './pruner.ts'

const dayMs = 86_400_000

function rules(retention?: Retention, options: Partial<JobOptions<string, Schema, Schema>> = {}) {
  return retentionRules(
    defineJob({ type: 'MAIL', payload: z.object({}), ...(retention ? { retention } : {}), ...options }),
  )
}

describe('the rules of a definition', () => {
  it('keep completed jobs for a day, cancelled ones for a week and dead ones for a month, unless told', () => {
    expect(defaultRetention).toEqual({
      completed: { maxAgeMs: dayMs },
      cancelled: { maxAgeMs: 7 * dayMs },
      dead: { maxAgeMs: 30 * dayMs },
    })
    expect(rules()).toEqual([
      { type: 'MAIL', state: 'completed', maxAgeMs: dayMs },
      { type: 'MAIL', state: 'cancelled', maxAgeMs: 7 * dayMs },
      { type: 'MAIL', state: 'dead', maxAgeMs: 30 * dayMs },
    ])
  })

  it('follow what is given, state by state', () => {
    const given: Retention = {
      completed: { maxCount: 1_000, maxAgeMs: dayMs },
      dead: { maxCount: 5_000, maxAgeMs: 7 * dayMs },
    }
    expect(rules(given)).toEqual([
      { type: 'MAIL', state: 'completed', maxCount: 1_000, maxAgeMs: dayMs },
      { type: 'MAIL', state: 'cancelled', maxAgeMs: 7 * dayMs },
      { type: 'MAIL', state: 'dead', maxCount: 5_000, maxAgeMs: 7 * dayMs },
    ])
  })

  it('mix no default into a state that is given: a count alone has no age', () => {
    expect(rules({ completed: { maxCount: 5 } })).toContainEqual({
      type: 'MAIL',
      state: 'completed',
      maxCount: 5,
    })
  })

  it('keep for ever what is given no bound', () => {
    expect(rules({ dead: {} })).toContainEqual({ type: 'MAIL', state: 'dead' })
  })

  it('keep nothing with a count of 0', () => {
    expect(rules({ completed: { maxCount: 0 } })).toContainEqual({
      type: 'MAIL',
      state: 'completed',
      maxCount: 0,
    })
  })

  it('hold for its earlier names too', () => {
    const found = rules({ dead: { maxCount: 1 } }, { aliases: ['LETTER', 'POST'] })
    expect(found).toHaveLength(9)
    expect(found.filter(rule => rule.state === 'dead')).toEqual([
      { type: 'MAIL', state: 'dead', maxCount: 1 },
      { type: 'LETTER', state: 'dead', maxCount: 1 },
      { type: 'POST', state: 'dead', maxCount: 1 },
    ])
  })
})
