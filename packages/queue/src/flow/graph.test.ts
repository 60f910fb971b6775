import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isQueueError } from '../engine/errors.ts'
import { checkGraph, drawGraph, type GraphNode } from './graph.ts'

function node(name: string, ...after: string[]): GraphNode {
  return { name, after }
}

function fault(nodes: GraphNode[]): string {
  try {
    checkGraph('audit', nodes)
  } catch (error) {
    if (isQueueError(error, 'invalid-argument')) return error.message
    throw error
  }
  return 'none'
}

describe('a graph', () => {
  it('that is a chain, a fan or a diamond is taken', () => {
    expect(fault([node('a'), node('b', 'a'), node('c', 'b')])).toBe('none')
    expect(fault([node('a'), node('b', 'a'), node('c', 'a'), node('d', 'b', 'c')])).toBe('none')
  })

  it('may name what comes later in the list', () => {
    expect(fault([node('b', 'a'), node('a')])).toBe('none')
  })

  it('with an unknown dependency is refused, and told who waits for what', () => {
    expect(fault([node('a'), node('b', 'crawl')])).toBe(
      'flow audit: "b" waits for "crawl", which is not in the flow',
    )
  })

  it.each([
    ['itself', [node('a', 'a')], 'a → a'],
    ['two', [node('a', 'b'), node('b', 'a')], 'a → b → a'],
    [
      'three, with others around',
      [node('x'), node('a', 'c', 'x'), node('b', 'a'), node('c', 'b'), node('y', 'b')],
      'a → c → b → a',
    ],
  ] as const)('with a circle of %s is refused, and the circle named', (_what, nodes, circle) => {
    expect(fault([...nodes])).toBe(`flow audit: these wait for each other in a circle: ${circle}`)
  })

  it('names only what is in the circle, not what waits for it', () => {
    expect(fault([node('late', 'a'), node('a', 'b'), node('b', 'a')])).toMatch(/: a → b → a$/)
  })

  it('is refused exactly when there is no order to run it in', () => {
    const graphs = fc.array(fc.array(fc.nat(7), { maxLength: 3 }), { minLength: 1, maxLength: 8 })
    fc.assert(
      fc.property(graphs, waits => {
        const nodes = waits.map((after, n) => node(`n${n}`, ...after.map(each => `n${each % waits.length}`)))
        expect(fault(nodes) === 'none').toBe(canRun(nodes))
      }),
    )
  })
})

/** Runs it by hand: whatever waits for nothing that has not run may run. */
function canRun(nodes: GraphNode[]): boolean {
  const ran = new Set<string>()
  for (let round = 0; round < nodes.length; round++)
    for (const { name, after } of nodes) if (after.every(each => ran.has(each))) ran.add(name)
  return ran.size === nodes.length
}

describe('a drawing', () => {
  it('holds every node, every edge, and the states by colour', () => {
    const drawn = drawGraph([
      { name: 'crawl', after: [], state: 'completed' },
      { name: 'say "hi"', after: ['crawl'], state: 'running' },
    ])
    expect(drawn.split('\n').slice(0, 4)).toEqual([
      'flowchart LR',
      '  n1["crawl"]',
      '  n2["say &quot;hi&quot;"]',
      '  n1 --> n2',
    ])
    expect(drawn).toContain('class n1 completed')
    expect(drawn).toContain('class n2 running')
  })
})
