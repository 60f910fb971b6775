import { readFile } from 'node:fs/promises'
import { Validator } from '@seriousme/openapi-schema-validator'
import { operations, openApi, problemKinds, version } from '@millrace/api'
import { describe, expect, it } from 'vitest'
import { contractChecks } from './contract-checks.ts'
import { contract, pointedAt } from './contract-document.ts'

/** What any operation can answer, whoever asks. Written out: the document is held against it. */
const everyOperation = [400, 500, 503, 504]
const everyClosedOperation = [401, 403, 429]
const everyChange = [413, 415]

const described = Object.entries(contract.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
)

describe('the OpenAPI document', () => {
  it('is valid OpenAPI 3.1 in the eyes of an independent validator', async () => {
    const validator = new Validator()
    expect(await validator.validate({ ...structuredClone(contract) })).toEqual({ valid: true })
    expect(validator.version).toBe('3.1')
  })

  it('holds every operation once, under its path and method', () => {
    expect(described.map(({ path, method, operation }) => [operation.operationId, method, path])).toEqual(
      expect.arrayContaining(operations.map(({ id, method, path }) => [id, method, path])),
    )
    expect(described).toHaveLength(operations.length)
  })

  it('gives no two operations one id or one address', () => {
    const ids = operations.map(each => each.id)
    expect(ids).toEqual([...new Set(ids)])
    const addresses = operations.map(({ method, path }) => `${method} ${path.replaceAll(/\{\w+\}/g, '{}')}`)
    expect(addresses).toEqual([...new Set(addresses)])
  })

  it('refers to nothing that is not in it', () => {
    const references = [...JSON.stringify(contract).matchAll(/"\$ref":"([^"]+)"/g)].map(
      match => match[1] ?? '',
    )
    expect(references.length).toBeGreaterThan(0)
    const dangling = [...new Set(references)].filter(reference => pointedAt(reference) === undefined)
    expect(dangling).toEqual([])
  })

  it('holds no schema that nothing refers to', () => {
    const text = JSON.stringify(contract)
    const unused = Object.keys(contract.components.schemas).filter(
      name => !text.includes(`"#/components/schemas/${name}"`),
    )
    expect(unused).toEqual([])
  })

  it('holds only schemas that a strict JSON Schema 2020-12 compiler takes', () => {
    expect(() => contractChecks()).not.toThrow()
  })

  it('has the version of the package', async () => {
    const manifest = JSON.parse(await readFile(new URL('../package.json', import.meta.url), 'utf8'))
    expect(contract.info.version).toBe(manifest.version)
    expect(openApi(operations, version)).toEqual(contract)
  })
})

describe.each(operations.map(each => [each.id, each] as const))('the document of %s', (_, operation) => {
  const { path, method, permission, problems = [], replies, params } = operation
  const document = contract.paths[path]?.[method]

  it('lists every problem that it can answer, with its code', () => {
    const statuses = [
      ...everyOperation,
      ...(permission === 'public' ? [] : everyClosedOperation),
      ...(method === 'get' ? [] : everyChange),
      ...problems.map(code => problemKinds[code].status),
    ]
    for (const status of statuses) expect(document?.responses).toHaveProperty(String(status))
    for (const code of problems) {
      const { status } = problemKinds[code]
      if (status in replies) continue
      expect(document?.responses[String(status)]?.description?.split(', ')).toContain(code)
    }
  })

  it('has a parameter for each name in its path, and no other', () => {
    const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(match => match[1])
    const named = document?.parameters.filter(each => each.in === 'path').map(each => each.name)
    expect(named).toEqual(inPath)
    expect(params !== undefined).toBe(inPath.length > 0)
  })

  it('says what it does, in a sentence', () => {
    expect(document?.summary).toMatch(/^[A-Z].*\.$/)
    expect(document?.tags).toHaveLength(1)
  })

  it('says how to come in, unless it is open to all', () => {
    const schemes = (document?.security ?? []).flatMap(each => Object.keys(each))
    expect(schemes).toEqual(permission === 'public' ? [] : ['bearer', 'key', 'session'])
    for (const scheme of schemes) expect(contract.components.securitySchemes).toHaveProperty(scheme)
  })
})
