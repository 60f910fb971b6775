/** Images, structured data and weight of one page. */

import { maxSamples, type PageCheck } from './check.ts'

export const mediaPageChecks: PageCheck[] = [
  {
    id: 'image-alt-missing',
    category: 'media',
    severity: 'low',
    scope: 'page',
    rendering: 'preferred',
    gate: 'html',
    advice: 'Describe the image in alt, or write alt="" if it is decoration.',
    run({ document: { images } }) {
      if (images.withoutAlt === 0) return null
      return { evidence: { count: images.withoutAlt, images: images.withoutAltSamples } }
    },
  },
  {
    id: 'image-dimensions-missing',
    category: 'media',
    severity: 'low',
    scope: 'page',
    rendering: 'preferred',
    gate: 'html',
    advice: 'Write width and height, so that the layout does not jump while the image loads.',
    run({ document: { images } }) {
      if (images.withoutSize === 0) return null
      return { evidence: { count: images.withoutSize, images: images.withoutSizeSamples } }
    },
  },
  {
    id: 'image-heavy',
    category: 'media',
    severity: 'low',
    scope: 'page',
    rendering: 'required',
    gate: 'html',
    advice: 'Compress or resize the image.',
    run({ page, context: { thresholds } }) {
      const heavy = (page.rendered?.resources ?? [])
        .filter(({ type, transferBytes }) => type === 'image' && transferBytes > thresholds.imageMaxBytes)
        .map(({ url, transferBytes }) => ({ url: url.slice(0, 300), bytes: transferBytes }))
      if (heavy.length === 0) return null
      return {
        evidence: {
          count: heavy.length,
          images: heavy.slice(0, maxSamples),
          maxBytes: thresholds.imageMaxBytes,
        },
      }
    },
  },
  {
    id: 'jsonld-invalid',
    category: 'data',
    severity: 'medium',
    scope: 'page',
    rendering: 'preferred',
    gate: 'html',
    advice: 'Fix the JSON and give every item an @type.',
    run({ document: { jsonLd } }) {
      const bad = jsonLd.flatMap(({ problem, message, snippet }) =>
        problem ? [{ problem, message: message ?? null, snippet: snippet ?? null }] : [],
      )
      return bad.length > 0 ? { evidence: { count: bad.length, blocks: bad.slice(0, maxSamples) } } : null
    },
  },
  {
    id: 'page-weight',
    category: 'perf',
    severity: 'low',
    scope: 'page',
    rendering: 'required',
    gate: 'html',
    advice: 'Trim the assets and the document.',
    run({ page: { rendered }, context: { thresholds } }) {
      if (!rendered) return null
      const { transferBytes, elementCount } = rendered
      const { pageMaxBytes, pageMaxElements } = thresholds
      if (transferBytes <= pageMaxBytes && elementCount <= pageMaxElements) return null
      const byType: { [type: string]: number } = {}
      for (const { type, transferBytes: bytes } of rendered.resources)
        byType[type] = (byType[type] ?? 0) + bytes
      return { evidence: { transferBytes, elementCount, byType, pageMaxBytes, pageMaxElements } }
    },
  },
]
