import { type Html, html, prose } from './html.ts'
import type { JsonSchema, OpenApiDocument } from '../contract/openapi-document.ts'
import { type Entry, operationView } from './operation-view.ts'
import { schemaView, typeOf } from './schema-view.ts'

interface Section {
  name: string
  entries: Entry[]
}

/** The reference as one page, made from the OpenAPI document. It needs no script, and nothing from elsewhere. */
export function referencePage(document: OpenApiDocument): string {
  const { title, version } = document.info
  const sections = sectionsOf(document)
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title} ${version}: HTTP API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="reference/style.css">
</head>
<body>
<a class="skip" href="#content">To the content</a>
<header>
  <p class="brand">${title} <span>HTTP API ${version}</span></p>
  <p class="links"><a href="openapi.json">OpenAPI 3.1</a> <a href="problems">Problems</a></p>
</header>
<div class="columns">
<nav aria-label="Contents"><details><summary>Contents</summary>
${sections.map(contents)}
<h2><a href="#schemas">schemas</a></h2>
</details></nav>
<main id="content">
${introduction(document)}
${sections.map(
  ({ name, entries }) => html`<section><h2 id="${anchor(name)}">${name}</h2>
${entries.map(entry => operationView(entry, document))}</section>`,
)}
${schemas(document)}
</main>
</div>
</body>
</html>
`
  return page.text
}

function sectionsOf({ tags, paths }: OpenApiDocument): Section[] {
  const all = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]): Entry => ({ method, path, operation })),
  )
  return tags.map(({ name }) => ({
    name,
    entries: all.filter(each => each.operation.tags.includes(name)).toSorted(inOrder),
  }))
}

const methods = ['get', 'post', 'put', 'patch', 'delete']

/** A collection before what is in it; reading before changing. */
function inOrder(a: Entry, b: Entry): number {
  if (a.path !== b.path) return a.path < b.path ? -1 : 1
  return methods.indexOf(a.method) - methods.indexOf(b.method)
}

function contents({ name, entries }: Section): Html {
  return html`<h2><a href="#${anchor(name)}">${name}</a></h2>
<ul>${entries.map(contentsLine)}</ul>`
}

function contentsLine({ method, path, operation }: Entry): Html {
  return html`<li><a href="#${operation.operationId}" title="${operation.summary}">
<span class="method ${method}">${method}</span> <span>${path.replace('/api/v1', '')}</span></a></li>`
}

function introduction({ info, components }: OpenApiDocument): Html {
  const schemes = Object.values(components.securitySchemes)
  return html`<section><h1>HTTP API</h1>
${info.description.split('\n\n').map(part => html`<p>${prose(part)}</p>`)}
<h2 id="access">Who asks</h2>
<p>One of these says who asks. Which roles may do something stands at each operation.</p>
<dl>${schemes.map(({ type, name, in: where, description }) => {
    const carrier =
      type === 'http' ? html`<code>Authorization: Bearer</code>` : html`<code>${name}</code> ${where}`
    return html`<dt>${carrier}</dt><dd>${prose(description)}</dd>`
  })}</dl></section>`
}

function schemas({ components }: OpenApiDocument): Html {
  const byName = Object.entries(components.schemas).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return html`<section><h2 id="schemas">schemas</h2>
${byName.map(([name, schema]) => namedSchema(name, schema))}</section>`
}

function namedSchema(name: string, schema: JsonSchema): Html {
  const isDeep = (schema.properties ?? schema.oneOf ?? schema.anyOf) !== undefined
  return html`<article class="schema" id="schema-${name}"><h3><a href="#schema-${name}">${name}</a></h3>
${schema.description && html`<p>${prose(schema.description)}</p>`}
${isDeep ? html`<details><summary>members</summary>${schemaView(schema)}</details>` : html`<p>${typeOf(schema)}</p>`}
</article>`
}

function anchor(tag: string): string {
  return `tag-${tag.replaceAll(' ', '-')}`
}
