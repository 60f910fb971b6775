import { curlOf } from './curl.ts'
import { type Html, html, joined, prose } from './html.ts'
import type {
  Content,
  OpenApiDocument,
  OpenApiOperation,
  OpenApiResponse,
  OpenApiParameter,
} from '../contract/openapi-document.ts'
import { type Lookup, schemaView, typeOf } from './schema-view.ts'

export interface Entry {
  method: string
  path: string
  operation: OpenApiOperation
}

export function operationView({ method, path, operation }: Entry, document: OpenApiDocument): Html {
  const { operationId, summary, description, parameters, requestBody, responses } = operation
  const replies = Object.entries(responses).filter(([, reply]) => reply.$ref === undefined)
  const problems = Object.entries(responses).filter(([, reply]) => reply.$ref !== undefined)
  return html`<article id="${operationId}">
    <h3>
      <span class="method ${method}">${method.toUpperCase()}</span>
      <a class="path" href="#${operationId}">${path}</a>
    </h3>
    <p class="summary">${prose(summary)}</p>
    ${description && html`<p>${prose(description)}</p>`}
    <p class="who">${whoMay(operation)}</p>
    ${parameters.length > 0 && html`<h4>Parameters</h4>${parametersView(parameters)}`}
    ${requestBody && bodyView(requestBody.content, requestBody.required, document)}
    <h4>Replies</h4>
    ${replies.map(([status, reply]) => replyView(status, reply))}
    <details class="problems">
      <summary>Problems</summary>
      <ul>
        ${problems.map(
          ([status, { description }]) =>
            html`<li><b>${status}</b> ${joined(description.split(', ').map(problemLink), ', ')}</li>`,
        )}
      </ul>
    </details>
    <h4>Example</h4>
    <pre tabindex="0"><code>${curlOf(method, path, operation, document)}</code></pre>
  </article>`
}

function whoMay({ 'x-roles': roles }: OpenApiOperation): Html {
  if (!roles) return html`For everybody, without a token.`
  return html`For ${joined(
    roles.map(role => html`<span class="role">${role}</span>`),
    ' ',
  )}`
}

function parametersView(parameters: readonly OpenApiParameter[]): Html {
  return html`<ul class="members">
    ${parameters.map(
      ({ name, in: where, required, description, schema }) => html`<li>
        <code class="name">${name}</code> <span class="where">in ${where},</span> ${typeOf(schema)}
        ${required && html`<span class="required">required</span>`}
        ${
          schema.default !== undefined &&
          html`<span class="default">default <code>${JSON.stringify(schema.default)}</code></span>`
        }
        ${description && html`<span class="about">${prose(description)}</span>`}
      </li>`,
    )}
  </ul>`
}

function bodyView(content: Content, isRequired: boolean, { components }: OpenApiDocument): Html {
  const schema = Object.values(content)[0]?.schema ?? {}
  const lookup: Lookup = $ref => components.schemas[$ref.slice($ref.lastIndexOf('/') + 1)]
  const shown = (schema.$ref !== undefined && lookup(schema.$ref)) || schema
  return html`<h4>Body ${!isRequired && html`<span class="default">can be left out</span>`}</h4>
    <details open><summary>${typeOf(schema)}</summary>${schemaView(shown, lookup)}</details>`
}

function replyView(status: string, { description, content }: OpenApiResponse): Html {
  const [type, body] = Object.entries(content ?? {})[0] ?? []
  const line = html`<b class="status">${status}</b> ${prose(description)}`
  if (!body) return html`<p class="reply">${line}</p>`
  const { schema } = body
  // A name is described once, below; what has none is described here.
  if (schema.$ref !== undefined || !schema.properties)
    return html`<p class="reply">
      ${line}: ${type === 'application/json' ? typeOf(schema) : html`<code>${type ?? ''}</code>`}
    </p>`
  return html`<details class="reply"><summary>${line}</summary>${schemaView(schema)}</details>`
}

function problemLink(code: string): Html {
  return html`<a href="problems/${code}"><code>${code}</code></a>`
}
