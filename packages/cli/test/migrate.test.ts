import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { makeStore, storeKinds, type TestStore } from '../../api/test/stores.ts'
import { config, Workplace } from './millrace-process.ts'

const withConfig = ['--config', config]

describe.each(storeKinds)('migrate on %s', kind => {
  let store: TestStore
  let place: Workplace
  beforeAll(async () => {
    store = await makeStore(kind)
    place = await Workplace.make({ MILLRACE_URL: store.url })
  })
  afterAll(async () => {
    await place[Symbol.asyncDispose]()
    await store[Symbol.asyncDispose]()
  })

  it('--check lists what is pending, ends with 1 and changes nothing', async () => {
    for (let again = 0; again < 2; again++) {
      const { code, stdout, stderr } = await place.run(['migrate', '--check', ...withConfig])
      expect([code, stderr]).toEqual([1, ''])
      expect(stdout).toMatch(
        / lacks:\n {2}millrace {2}0001_jobs\.sql\n(?:.*\n)* {2}sample {2}0001_notes\.sql\n$/,
      )
    }
  })

  it('--sql prints what would be run, the queue first, and changes nothing', async () => {
    const { code, stdout } = await place.run(['migrate', '--sql', ...withConfig])
    expect(code).toBe(0)
    expect(stdout).toMatch(
      /^-- millrace: 0001_jobs\.sql\n[^]*create table[^]*\n-- sample: 0001_notes\.sql\n\n/i,
    )
    const { pending } = await place.json(['migrate', '--sql', ...withConfig])
    expect(pending.at(-1)).toEqual({ of: 'sample', version: 1, name: '0001_notes.sql', sql: '-- notes' })
    expect((await place.run(['migrate', '--check'])).code).toBe(1)
  })

  it("brings the queue's and the modules' tables up to date", async () => {
    const { code, stdout } = await place.run(['migrate', ...withConfig])
    expect([code, stdout]).toEqual([
      0,
      expect.stringMatching(
        new RegExp(
          ` is at schema version \\d+ \\(${kind}, durable\\)\\.\\n(?: .*\\n)*The tables of sample are up to date\\.\\n$`,
        ),
      ),
    ])
    const checked = await place.run(['migrate', '--check', ...withConfig])
    expect([checked.code, checked.stdout]).toEqual([0, expect.stringMatching(/ is up to date\.\n$/)])
    expect((await place.json(['migrate', '--check', ...withConfig])).pending).toEqual([])
    expect((await place.run(['migrate', '--sql', ...withConfig])).stdout).toMatch(/^-- .* is up to date\.\n$/)
    expect(await place.json(['migrate', ...withConfig])).toMatchObject({ ok: true, modules: ['sample'] })
  })

  it('takes one of --check and --sql', async () => {
    const { code, stderr } = await place.run(['migrate', '--check', '--sql'])
    expect([code, stderr]).toEqual([2, 'millrace: give --check or --sql, not both\n'])
  })
})
