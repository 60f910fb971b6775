/** Reads Prometheus' text format 0.0.4 as strictly as `promtool check metrics` would, and more. */

export interface Sample {
  name: string
  labels: Record<string, string>
  value: number
}

interface Family {
  type: string
  help: string
  samples: Sample[]
}

const sampleLine = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/
const labelPair = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)/y

/** The families by name. Throws for whatever is not as the format has it. */
export function readMetrics(text: string): Map<string, Family> {
  if (!text.endsWith('\n')) throw new Error('the last line does not end')
  const families = new Map<string, Family>()
  const seen = new Set<string>()
  let current: { name: string; family: Family } | null = null
  for (const line of text.split('\n')) {
    if (line === '') continue
    const [, keyword, name = '', rest = ''] = /^# (HELP|TYPE) (\S+) (.+)$/.exec(line) ?? []
    if (keyword === 'HELP') {
      if (families.has(name)) throw new Error(`${name} is told twice`)
      const family = { type: '', help: rest, samples: [] }
      families.set(name, family)
      current = { name, family }
    } else if (keyword === 'TYPE') {
      if (current?.name !== name || current.family.type !== '')
        throw new Error(`TYPE of ${name} is misplaced`)
      if (!['counter', 'gauge', 'histogram', 'summary'].includes(rest)) throw new Error(`type ${rest}`)
      current.family.type = rest
    } else {
      const sample = readSample(line)
      if (current === null || baseOf(sample.name, current.family.type) !== current.name)
        throw new Error(`${sample.name} stands outside of its family`)
      const key = `${sample.name}${JSON.stringify(Object.entries(sample.labels).toSorted())}`
      if (seen.has(key)) throw new Error(`${key} is told twice`)
      seen.add(key)
      current.family.samples.push(sample)
    }
  }
  for (const [name, family] of families) checkFamily(name, family)
  return families
}

function readSample(line: string): Sample {
  const [, name = '', labelText = '', valueText = ''] = sampleLine.exec(line) ?? []
  if (name === '') throw new Error(`not a sample: ${line}`)
  const labels: Record<string, string> = {}
  labelPair.lastIndex = 0
  while (labelPair.lastIndex < labelText.length) {
    const from = labelPair.lastIndex
    const [, label = '', value = ''] = labelPair.exec(labelText) ?? []
    if (label === '' || label in labels) throw new Error(`the labels of ${line} at ${from}`)
    labels[label] = value.replaceAll(/\\(["\\n])/g, (_, escaped: string) =>
      escaped === 'n' ? '\n' : escaped,
    )
  }
  return { name, labels, value: readValue(valueText) }
}

function readValue(text: string): number {
  if (text === '+Inf') return Number.POSITIVE_INFINITY
  if (text === 'NaN') return Number.NaN
  if (!/^-?\d+(\.\d+)?(e[+-]?\d+)?$/i.test(text)) throw new Error(`${text} is no value`)
  return Number(text)
}

function baseOf(name: string, type: string): string {
  return type === 'histogram' || type === 'summary' ? name.replace(/_(bucket|sum|count)$/, '') : name
}

function checkFamily(name: string, { type, samples }: Family): void {
  if (type === '') throw new Error(`${name} has no TYPE`)
  if (type === 'counter' && !name.endsWith('_total'))
    throw new Error(`the counter ${name} must end in _total`)
  if (type !== 'counter' && name.endsWith('_total')) throw new Error(`${name} is no counter`)
  for (const { value } of samples)
    if (type === 'counter' && !(value >= 0)) throw new Error(`the counter ${name} is ${value}`)
  if (type === 'histogram') checkHistogram(name, samples)
}

/** Buckets grow, and the last one is the count. */
function checkHistogram(name: string, samples: Sample[]): void {
  const series = Map.groupBy(samples, ({ labels }) =>
    JSON.stringify(Object.entries(labels).filter(([label]) => label !== 'le')),
  )
  for (const of of series.values()) {
    const buckets = of.filter(each => each.name === `${name}_bucket`)
    for (const [index, { value, labels }] of buckets.entries()) {
      const before = buckets[index - 1]
      if (
        before &&
        !(value >= before.value && readValue(labels['le'] ?? '') > readValue(before.labels['le'] ?? ''))
      )
        throw new Error(`the buckets of ${name} do not grow`)
    }
    const count = of.find(each => each.name === `${name}_count`)
    if (buckets.at(-1)?.labels['le'] !== '+Inf' || count?.value !== buckets.at(-1)?.value)
      throw new Error(`the last bucket of ${name} is not its count`)
    if (!of.some(each => each.name === `${name}_sum`)) throw new Error(`${name} has no sum`)
  }
}
