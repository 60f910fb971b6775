import { displayWidth, fit, pad } from './width.ts'

export interface TreeNode {
  id: string
  name: string
  /** Ids of nodes that come before it. */
  after: readonly string[]
  state: string
}

/** One line of a drawn graph. */
export interface TreeLine<Node> {
  /** `│  └─ ` */
  branch: string
  /** Null for a line that stands for several nodes. */
  node: Node | null
  /** The node's name, or what the line stands for. */
  text: string
  /** Names of the other nodes that it waits for, beside the one that it hangs on. */
  alsoAfter: string[]
}

interface Options {
  /** More children of one node than this are summed up. Default 12. */
  siblings?: number
  /** Default 200. */
  lines?: number
}

/** Deeper than this nothing is indented further: a chain of a thousand must fit a terminal too. */
const deepest = 20

/**
 * A graph as an indented tree, each node once: it hangs on the last of those that it waits for, so that all of them stand
 * above it.
 */
export function drawTree<Node extends TreeNode>(
  nodes: readonly Node[],
  options: Options = {},
): TreeLine<Node>[] {
  const { siblings = 12, lines: most = 200 } = options
  const byId = new Map(nodes.map(node => [node.id, node]))
  const order = new Map(inOrder(nodes, byId).map((node, index) => [node.id, index]))
  const children = new Map<string | null, Node[]>()
  for (const node of [...nodes].sort((a, b) => place(order, a.id) - place(order, b.id))) {
    const parent = parentOf(node, order)
    const known = children.get(parent)
    if (known) known.push(node)
    else children.set(parent, [node])
  }
  const drawn: TreeLine<Node>[] = []
  // A stack and not a recursion, because a chain can be longer than the stack of calls.
  const stack: { node: Node | null; text: string; indent: string; isLast: boolean; depth: number }[] = []
  const open = (parent: string | null, indent: string, depth: number): void => {
    const all = children.get(parent) ?? []
    const { shown, rest } = choose(all, siblings, children)
    const entries: { node: Node | null; text: string }[] = shown.map(node => ({ node, text: node.name }))
    // What goes on below the last one is easier to find at the end.
    const last = shown.at(-1)
    const before = last !== undefined && children.has(last.id) ? 1 : 0
    if (rest.length > 0) entries.splice(entries.length - before, 0, { node: null, text: summed(rest) })
    for (const [index, entry] of [...entries.entries()].reverse())
      stack.push({ ...entry, indent, isLast: index === entries.length - 1, depth })
  }
  open(null, '', 0)
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    if (drawn.length >= most) {
      const left = nodes.length - drawn.filter(line => line.node !== null).length
      drawn.push({ branch: '', node: null, text: `… ${left} more; --json shows all`, alsoAfter: [] })
      break
    }
    const { node, text, indent, isLast, depth } = next
    const branch = depth === 0 ? '' : `${indent}${isLast ? '└─ ' : '├─ '}`
    const parent = node && parentOf(node, order)
    const alsoAfter = (node?.after ?? []).filter(id => id !== parent).map(id => byId.get(id)?.name ?? id)
    drawn.push({ branch, node, text, alsoAfter })
    if (node === null) continue
    const below = depth === 0 || depth >= deepest ? indent : `${indent}${isLast ? '   ' : '│  '}`
    open(node.id, below, Math.min(depth + 1, deepest))
  }
  return drawn
}

/** Each after all that it waits for; else as given. */
function inOrder<Node extends TreeNode>(nodes: readonly Node[], byId: ReadonlyMap<string, Node>): Node[] {
  const waits = new Map(nodes.map(node => [node.id, node.after.filter(id => byId.has(id)).length]))
  const dependents = new Map<string, Node[]>()
  for (const node of nodes)
    for (const id of node.after) {
      const known = dependents.get(id)
      if (known) known.push(node)
      else dependents.set(id, [node])
    }
  const sorted: Node[] = nodes.filter(node => waits.get(node.id) === 0)
  // Grows while it is walked.
  for (const node of sorted)
    for (const dependent of dependents.get(node.id) ?? []) {
      const left = (waits.get(dependent.id) as number) - 1
      waits.set(dependent.id, left)
      if (left === 0) sorted.push(dependent)
    }
  return sorted
}

function place(order: ReadonlyMap<string, number>, id: string): number {
  return order.get(id) ?? -1
}

function parentOf(node: TreeNode, order: ReadonlyMap<string, number>): string | null {
  let last: string | null = null
  for (const id of node.after)
    if (order.has(id) && (last === null || place(order, id) > place(order, last))) last = id
  return last
}

/** What is most worth a line: what goes on below it, then what went wrong, then what is under way. */
function choose<Node extends TreeNode>(
  all: readonly Node[],
  most: number,
  children: ReadonlyMap<string | null, Node[]>,
): { shown: Node[]; rest: Node[] } {
  if (all.length <= most) return { shown: [...all], rest: [] }
  const weight = (node: Node): number =>
    children.has(node.id) ? 0 : node.state === 'dead' ? 1 : node.state === 'running' ? 2 : 3
  const chosen = new Set([...all].sort((a, b) => weight(a) - weight(b)).slice(0, most))
  return { shown: all.filter(node => chosen.has(node)), rest: all.filter(node => !chosen.has(node)) }
}

function summed(nodes: readonly TreeNode[]): string {
  const states = new Map<string, number>()
  for (const { state } of nodes) states.set(state, (states.get(state) ?? 0) + 1)
  const parts = [...states].map(([state, count]) => `${count.toLocaleString('en-US')} ${state}`)
  return `… ${nodes.length.toLocaleString('en-US')} more: ${parts.join(', ')}`
}

/** Columns that fit: the names, then what is said of each, which gives up room first. */
export function treeColumns(lines: readonly TreeLine<TreeNode>[], columns: number): number {
  const ofNodes = lines.filter(line => line.node !== null)
  const widest = Math.max(0, ...ofNodes.map(line => displayWidth(line.branch + line.text)))
  return Math.min(widest, Math.max(20, Math.floor(columns * 0.5)))
}

/** Branch and name in so many columns. */
export function treeLabel(
  { branch, text }: { branch: string; text: string },
  columns: number,
): [string, string] {
  const room = Math.max(4, columns - displayWidth(branch))
  return [branch, pad(fit(text, room), room)]
}
