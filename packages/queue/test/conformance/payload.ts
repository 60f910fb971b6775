import { expect, it } from 'vitest'
import { complete } from './samples.ts'
import { type EngineSubject, openStage } from './stage.ts'

/** JSON texts that a careless store bends: each must come back character by character. */
const texts: [string, string][] = [
  ['null', 'null'],
  ['an empty text', '""'],
  ['a number beyond 2^53', '{"n":9007199254740993}'],
  ['a number of many digits', '3.141592653589793238462643383279'],
  ['a large exponent', '1e400'],
  ['spaces and line breaks', ' { "a" :\n\t1 } '],
  ['members in an odd order', '{"b":1,"a":2,"b":3}'],
  ['emoji and astral characters', '"👩‍👩‍👧‍👦 𝒳 𠜎"'],
  ['right-to-left and combining text', '"مرحبا עִבְרִית é"'],
  ['escapes', '"\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9"'],
  ['quotes and semicolons', `"'; DROP TABLE jobs; -- \\" \` $1 ? :a @b %s"`],
  ['a member named __proto__', '{"__proto__":{"admin":true}}'],
  ['deep nesting', `${'['.repeat(190)}${']'.repeat(190)}`],
]

export function payloadCases(subject: EngineSubject): void {
  it.each(texts)('%s comes back unchanged, as payload and as result', async (_what, json) => {
    const stage = await openStage(subject)
    const id = await stage.enqueue({ payloadJson: json })
    expect((await stage.job(id)).payloadJson).toBe(json)
    const lease = await stage.claimOne()
    expect(lease.payloadJson).toBe(json)
    await stage.settle(lease, complete(json))
    expect(await stage.job(id)).toMatchObject({ payloadJson: json, resultJson: json })
  })

  it('a mebibyte comes back unchanged', async () => {
    const stage = await openStage(subject)
    const json = JSON.stringify('ж'.repeat(2 ** 19 - 1))
    expect(Buffer.byteLength(json)).toBe(2 ** 20)
    const lease = await stage.running({ payloadJson: json })
    expect(lease.payloadJson).toBe(json)
    await stage.settle(lease, complete(json))
    expect((await stage.job(lease.id)).resultJson).toBe(json)
  })

  it('an old job’s payload does not leak into another', async () => {
    const stage = await openStage(subject)
    const ids = await Promise.all(
      Array.from({ length: 50 }, (_, index) => stage.enqueue({ payloadJson: String(index) })),
    )
    const claimed = await stage.claim({ limit: 50 })
    for (const [index, id] of ids.entries())
      expect(claimed.find(job => job.id === id)?.payloadJson).toBe(String(index))
  })
}
