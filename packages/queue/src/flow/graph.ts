import { QueueError } from '../engine/errors.ts'

/** What is known of a node before it is a job: its name, and the names of those that it waits for. */
export interface GraphNode {
  name: string
  after: readonly string[]
}

/** Refuses what no engine could run to its end: an unknown dependency, or a cycle, which it names. */
export function checkGraph(flow: string, nodes: readonly GraphNode[]): void {
  const byName = new Map(nodes.map(node => [node.name, node]))
  for (const node of nodes)
    for (const name of node.after)
      if (!byName.has(name))
        throw new QueueError(
          'invalid-argument',
          `flow ${flow}: ${JSON.stringify(node.name)} waits for ${JSON.stringify(name)}, which is not in the flow`,
        )
  const cycle = findCycle(nodes, byName)
  if (cycle)
    throw new QueueError(
      'invalid-argument',
      `flow ${flow}: these wait for each other in a circle: ${cycle.join(' → ')}`,
    )
}

/** Takes away what waits for nothing until nothing is left; what can't be taken away holds a cycle. */
function findCycle(nodes: readonly GraphNode[], byName: Map<string, GraphNode>): string[] | null {
  const waits = new Map(nodes.map(node => [node.name, new Set(node.after).size]))
  const dependents = new Map<string, string[]>()
  for (const node of nodes)
    for (const name of new Set(node.after)) {
      const known = dependents.get(name)
      if (known) known.push(node.name)
      else dependents.set(name, [node.name])
    }
  const free = nodes.filter(node => waits.get(node.name) === 0).map(node => node.name)
  for (let name = free.pop(); name !== undefined; name = free.pop()) {
    waits.delete(name)
    for (const dependent of dependents.get(name) ?? []) {
      const left = (waits.get(dependent) as number) - 1
      waits.set(dependent, left)
      if (left === 0) free.push(dependent)
    }
  }
  const [start] = waits.keys()
  if (start === undefined) return null
  // From anywhere among them, always on to one that it waits for: sooner or later one comes again.
  const path = [start]
  for (;;) {
    const node = byName.get(path.at(-1) as string) as GraphNode
    const next = node.after.find(name => waits.has(name)) as string
    const met = path.indexOf(next)
    if (met !== -1) return [...path.slice(met), next]
    path.push(next)
  }
}

const shapes: Record<string, string> = {
  completed: 'fill:#d3f2dc,stroke:#1a7f37,color:#0b3d1c',
  running: 'fill:#d6e8ff,stroke:#0969da,color:#0a2d5c',
  dead: 'fill:#ffd9d6,stroke:#cf222e,color:#5c0b11',
  cancelled: 'fill:#eceef0,stroke:#6e7781,color:#3b4046',
  blocked: 'fill:#fff4d6,stroke:#9a6700,color:#4a3200',
}

/** A flow as a Mermaid flowchart, coloured by state where states are given. */
export function drawGraph(nodes: readonly (GraphNode & { state?: string })[]): string {
  const ids = new Map(nodes.map((node, index) => [node.name, `n${index + 1}`]))
  const lines = ['flowchart LR']
  for (const node of nodes) lines.push(`  ${ids.get(node.name)}["${quote(node.name)}"]`)
  for (const node of nodes)
    for (const name of node.after)
      if (ids.has(name)) lines.push(`  ${ids.get(name)} --> ${ids.get(node.name)}`)
  for (const [state, style] of Object.entries(shapes)) {
    const those = nodes.filter(node => node.state === state).map(node => ids.get(node.name))
    if (those.length > 0) lines.push(`  classDef ${state} ${style}`, `  class ${those.join()} ${state}`)
  }
  return lines.join('\n')
}

function quote(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;').replaceAll('\n', ' ')
}
