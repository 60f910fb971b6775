import { describe, expect, it } from 'vitest'
import { drawTree, type TreeNode } from './tree.ts'

function node(id: string, after: string[] = [], state = 'completed'): TreeNode {
  return { id, name: id, after, state }
}

function drawn(nodes: TreeNode[], options?: Parameters<typeof drawTree>[1]): string[] {
  return drawTree(nodes, options).map(({ branch, text, alsoAfter }) =>
    alsoAfter.length > 0 ? `${branch}${text} (+ ${alsoAfter.join(', ')})` : branch + text,
  )
}

describe('drawTree', () => {
  it('indents what comes after, each node once', () => {
    const nodes = [node('a'), node('b', ['a']), node('c', ['b']), node('d', ['a']), node('e')]
    expect(drawn(nodes)).toEqual(['a', '├─ b', '│  └─ c', '└─ d', 'e'])
  })

  it('hangs a node on the last of those that it waits for, and names the others', () => {
    const nodes = [node('end', ['b', 'a', 'c']), node('a'), node('b', ['a']), node('c', ['a'])]
    expect(drawn(nodes)).toEqual(['a', '├─ b', '└─ c', '   └─ end (+ b, a)'])
  })

  it('sums up what has no room, and keeps what goes on, what is dead and what runs', () => {
    const pages = Array.from({ length: 50 }, (_, n) =>
      node(`p${n}`, ['start'], n === 40 ? 'dead' : n === 45 ? 'running' : 'completed'),
    )
    const nodes = [node('start'), ...pages, node('end', ['p30'], 'blocked')]
    expect(drawn(nodes, { siblings: 4 })).toEqual([
      'start',
      '├─ p0',
      '├─ p30',
      '│  └─ end',
      '├─ p40',
      '├─ p45',
      '└─ … 46 more: 46 completed',
    ])
  })

  it('puts the sum before the node on which the rest of the graph hangs', () => {
    const pages = Array.from({ length: 5 }, (_, n) => node(`p${n}`, ['start']))
    const nodes = [node('start'), ...pages, node('end', ['p0', 'p4'])]
    expect(drawn(nodes, { siblings: 2 })).toEqual([
      'start',
      '├─ p0',
      '├─ … 3 more: 3 completed',
      '└─ p4',
      '   └─ end (+ p0)',
    ])
  })

  it('draws a chain of 10,000, as many lines as asked for and no deeper than fits', () => {
    const nodes = Array.from({ length: 10_000 }, (_, n) => node(`n${n}`, n === 0 ? [] : [`n${n - 1}`]))
    const lines = drawn(nodes, { lines: 50 })
    expect(lines).toHaveLength(51)
    expect(lines.at(-1)).toBe('… 9950 more; --json shows all')
    expect(Math.max(...lines.map(line => line.length))).toBeLessThan(80)
  })

  it('takes a dependency that is not among them for none', () => {
    expect(drawn([node('a', ['elsewhere'])])).toEqual(['a (+ elsewhere)'])
  })
})
