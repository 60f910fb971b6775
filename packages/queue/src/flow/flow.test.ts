import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { defineJob } from '../definition.ts'
import { isQueueError } from '../engine/errors.ts'
import { flow } from './flow.ts'

const crawl = defineJob({ type: 'CRAWL', payload: z.object({ url: z.url() }) })
const report = defineJob({ type: 'REPORT', payload: z.object({}), priority: 3 })

function newIds(): () => string {
  let n = 0
  return () => `id-${++n}`
}

function code(work: () => unknown): string {
  try {
    work()
  } catch (error) {
    if (isQueueError(error)) return `${error.code}: ${error.message}`
    throw error
  }
  return 'none'
}

describe('a flow', () => {
  it('becomes jobs that know whom they wait for', () => {
    const audit = flow('audit', { tenant: 'acme', onFailure: 'skip' })
    const first = audit.add('crawl', crawl, { url: 'https://a.example' })
    const pages = [1, 2].map(n =>
      audit.add(`page-${n}`, crawl, { url: `https://a.example/${n}` }, { after: first }),
    )
    audit.add('report', report, {}, { after: pages, onFailure: 'fail' })
    const { nodes, ...rest } = audit.toNew(newIds(), undefined)
    expect(rest).toEqual({ id: 'id-5', name: 'audit', tenant: 'acme', idempotency: null })
    expect(
      nodes.map(({ name, job, after, onFailure }) => [name, job.id, job.tenant, after, onFailure]),
    ).toEqual([
      ['crawl', 'id-1', 'acme', [], 'skip'],
      ['page-1', 'id-2', 'acme', ['id-1'], 'skip'],
      ['page-2', 'id-3', 'acme', ['id-1'], 'skip'],
      ['report', 'id-4', 'acme', ['id-2', 'id-3'], 'fail'],
    ])
    expect(nodes[3]?.job).toMatchObject({ type: 'REPORT', priority: 3, idempotency: null })
  })

  it('waits once for what is named twice', () => {
    const audit = flow('audit')
    const first = audit.add('crawl', crawl, { url: 'https://a.example' })
    audit.add('report', report, {}, { after: [first, 'crawl'] })
    expect(audit.toNew(newIds(), undefined).nodes[1]?.after).toEqual(['id-1'])
  })

  it('checks a payload when it is added', () => {
    expect(code(() => flow('audit').add('crawl', crawl, { url: 'nowhere' }))).toMatch(/^invalid-payload/)
  })

  it.each<[string, () => unknown, RegExp]>([
    ['no jobs', () => flow('audit').check(), /has no jobs/],
    [
      'two jobs of one name',
      () => {
        const audit = flow('audit')
        audit.add('crawl', report, {})
        audit.add('crawl', report, {})
      },
      /two jobs named "crawl"/,
    ],
    ['a name of nothing', () => flow('audit').add(' ', report, {}), /name of a node/],
    ['a name that no database can store', () => flow('audit').add('a\0b', report, {}), /can not store/],
    [
      'another’s node',
      () => flow('a').add('x', report, {}, { after: flow('b').add('y', report, {}) }),
      /node of another flow/,
    ],
    [
      'an unknown policy',
      () => flow('a', { onFailure: 'explode' as 'fail' }),
      /'fail', 'skip' or 'continue'/,
    ],
    [
      'a circle',
      () => {
        const audit = flow('audit')
        audit.add('a', report, {}, { after: 'b' })
        audit.add('b', report, {}, { after: 'a' })
        audit.toNew(newIds(), undefined)
      },
      /circle: a → b → a/,
    ],
  ])('with %s is refused', (_what, make, message) => {
    expect(code(make)).toMatch(/^invalid-argument/)
    expect(code(make)).toMatch(message)
  })

  it('has the same hash when it is made the same way, and another for another payload, edge or policy', () => {
    const made = (change: { n?: number; edge?: boolean; policy?: 'skip' } = {}): string => {
      const audit = flow('audit')
      const first = audit.add('a', crawl, { url: `https://a.example/${change.n ?? 0}` })
      audit.add(
        'b',
        report,
        {},
        {
          ...(change.edge === false ? {} : { after: first }),
          ...(change.policy ? { onFailure: change.policy } : {}),
        },
      )
      return audit.toNew(newIds(), 'key').idempotency?.bodyHash ?? ''
    }
    expect(made()).toBe(made())
    const all = [made(), made({ n: 1 }), made({ edge: false }), made({ policy: 'skip' })]
    expect(new Set(all).size).toBe(all.length)
  })
})
