import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createMillrace, flow, type Millrace, openEngine } from 'millrace'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { makeStore, storeKinds, type TestStore } from '../../api/test/stores.ts'
import fixture from './fixtures/millrace.config.ts'
import { config, Workplace } from './millrace-process.ts'

const withConfig = ['--config', config]
const [sample] = fixture.modules
const job = (type: string) => {
  const found = sample?.jobs.find(each => each.type === type)
  if (!found) throw new Error(`no job ${type}`)
  return found
}

describe.each(storeKinds)('flows, steps and dead jobs in the terminal, on %s', kind => {
  let place: Workplace
  let store: TestStore
  let millrace: Millrace
  beforeAll(async () => {
    store = await makeStore(kind)
    place = await Workplace.make({ MILLRACE_URL: store.url })
    millrace = createMillrace({ engine: openEngine(store.url) })
  })
  afterAll(async () => {
    await millrace.close()
    await place[Symbol.asyncDispose]()
    await store[Symbol.asyncDispose]()
  })

  const drain = () => place.json(['drain', ...withConfig])
  const enqueue = async (type: string, payload: object): Promise<string> =>
    (await place.json(['enqueue', type, JSON.stringify(payload), ...withConfig])).id

  describe('why', () => {
    it('says in one sentence why a job is not running, and what to type next', async () => {
      const id = await enqueue('ASK', {})
      const { code, stdout } = await place.run(['why', id])
      expect(code).toBe(0)
      expect(stdout).toBe(
        `ASK  queued  ${id}\n\n  It is due, but no worker is alive on this store.\n  → npx millrace worker\n`,
      )
      await drain()
      expect((await place.run(['why', id])).stdout).toContain(
        `It waits for the signal answer, without limit.\n  → npx millrace signal ${id} answer '{}'\n`,
      )
      expect(await place.json(['why', id])).toMatchObject({ id, state: 'blocked', cause: 'waiting-signal' })
    })

    it('ends with 1 for a job that is not there', async () => {
      const { code, stderr } = await place.run(['why', '01900000-0000-7000-8000-000000000000'])
      expect([code, stderr]).toEqual([1, expect.stringMatching(/^millrace: no job 01900000/)])
    })
  })

  describe('signal', () => {
    it('reaches the job that waits for it', async () => {
      const id = await enqueue('ASK', {})
      await drain()
      const sent = await place.run(['signal', id, 'answer', '{"is":42}'])
      expect(sent).toMatchObject({ code: 0, stdout: `${id}  has the signal answer\n` })
      await drain()
      expect(await place.json(['jobs', 'show', id])).toMatchObject({
        state: 'completed',
        result: { is: 42 },
        steps: [{ name: 'answer', kind: 'signal', state: 'completed', result: { is: 42 } }],
      })
    })

    it('is refused for a job that has finished, and when it carries no JSON', async () => {
      const { jobs } = await place.json(['jobs', '--type', 'ASK', '--state', 'completed'])
      const late = await place.run(['signal', String(jobs[0]?.id), 'answer'])
      expect([late.code, late.stderr]).toEqual([1, expect.stringContaining('has finished')])
      const wrong = await place.run(['signal', String(jobs[0]?.id), 'answer', '{is:42}'])
      expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining('is not usable JSON')])
    })
  })

  describe('a job that died in a step', () => {
    let id: string
    let file: string
    beforeAll(async () => {
      id = await enqueue('PUBLISH', { slug: 'home' })
      await drain()
      file = join(place.folder, `replay-${id}.json`)
    })

    it('is shown with its steps', async () => {
      const { stdout } = await place.run(['jobs', 'show', id])
      expect(stdout).toMatch(
        /Steps\n {2}# {2}STEP +STATE +IN +TOOK +NOTE\n {2}1 {2}load +completed +attempt 1/,
      )
      expect(stdout).toMatch(/2 {2}render +failed .*SyntaxError: a tag of text of home is not closed\n/)
    })

    it('is exported to a file for its owner alone', async () => {
      const { stdout } = await place.run(['replay', id, '--bundle'])
      expect(stdout).toMatch(
        new RegExp(`^Wrote replay-${id}\\.json\n {2}1 attempt, 2 steps, 1 log line; .*\nReplay it with: `),
      )
      expect(JSON.parse(await readFile(file, 'utf8'))).toMatchObject({
        format: 'millrace-replay',
        job: { id, payload: { slug: 'home' } },
      })
      const printed = await place.run(['replay', id, '--bundle', '-'])
      expect(JSON.parse(printed.stdout)).toMatchObject({ version: 1, job: { id } })
    })

    it('fails again when it is replayed, and passes when its handler is mended', async () => {
      const failed = await place.run(['replay', file, ...withConfig])
      expect(failed.code).toBe(1)
      expect(failed.stdout).toMatch(/✓ load {4}from the bundle\n {2}✗ render {2}was run\n/)
      expect(failed.stdout).toContain('Reproduced: it failed as the job did: SyntaxError: a tag of text')
      await writeFile(join(place.folder, 'mended'), '')
      const mended = await place.run(['replay', file, ...withConfig])
      expect(mended).toMatchObject({
        code: 0,
        stdout: expect.stringContaining('It passed the point of failure, and would now run upload'),
      })
      const stub = ['--stub', 'upload="nowhere"']
      expect(await place.json(['replay', file, ...stub, ...withConfig])).toMatchObject({
        outcome: 'completed',
        result: 'nowhere',
        steps: [{ from: 'bundle' }, { from: 'run' }, { name: 'upload', from: 'stub' }],
      })
      await rm(join(place.folder, 'mended'))
    })

    it('is run again with another payload, once', async () => {
      const edit = ['jobs', 'retry', id, '--payload', '{"slug":"fine"}', ...withConfig]
      const first = await place.json(edit)
      expect(first).toMatchObject({ duplicate: false, origin: id })
      expect(await place.json(edit)).toMatchObject({ id: first.id, duplicate: true })
      await drain()
      expect(await place.json(['jobs', 'show', first.id])).toMatchObject({ state: 'completed', origin: id })
      expect((await place.run(['jobs', 'show', first.id])).stdout).toContain(`origin    ${id}`)
      const refused = await place.run(['jobs', 'retry', id, '--payload', '{"slug":7}', ...withConfig])
      expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('slug')])
    })

    it.each([
      [['replay', 'nowhere.json'], 1, 'There is no file nowhere.json'],
      [['replay', '01900000-0000-7000-8000-000000000000'], 1, '--bundle'],
      [['replay', 'other.json'], 1, 'this is not a replay bundle'],
      [['replay', 'broken.json'], 1, 'can not be read as JSON'],
      [['jobs', 'retry', 'a', 'b', '--payload', '{}'], 2, '--payload is for one job'],
    ])('%j is refused with a sentence', async (args, exitCode, said) => {
      await writeFile(join(place.folder, 'other.json'), '{}')
      await writeFile(join(place.folder, 'broken.json'), '{')
      const { code, stderr } = await place.run([...args, ...withConfig])
      expect([code, stderr]).toEqual([exitCode, expect.stringContaining(said)])
    })
  })

  describe('dead', () => {
    it('groups by what they died of, and redrives one cause', async () => {
      await rm(join(place.folder, 'mended'), { force: true })
      for (const slug of ['page 1', 'page 2', 'page 3']) await enqueue('PUBLISH', { slug })
      await enqueue('FAIL', { message: 'no luck' })
      await drain()
      const { groups } = await place.json(['dead'])
      expect(groups[0]).toMatchObject({ type: 'PUBLISH', count: 3, error: { name: 'SyntaxError' } })
      expect((await place.run(['dead', '--type', 'FAIL'])).stdout).toMatch(
        /^FINGERPRINT +JOBS +TYPE +LAST +FIRST +ERROR\n[0-9a-f]{16} +1 {2}FAIL .*TypeError: no luck\n\nAgain: /,
      )
      const redrive = ['dead', 'redrive', String(groups[0]?.fingerprint), '--canary', '1']
      expect((await place.run([...redrive, '--dry-run'])).stdout).toMatch(
        /^3 dead jobs, in 2 batches: 1, 2\n +3 {2}PUBLISH\n$/,
      )
      await writeFile(join(place.folder, 'mended'), '')
      const worker = place.start(['worker', '--json', ...withConfig])
      await worker.event('working')
      const redriven = await place.run(redrive)
      expect(redriven.code).toBe(0)
      expect(redriven.stdout).toMatch(/\n3 jobs redriven: 3 completed, 0 died again\.\nNone is left\.\n$/)
      worker.child.kill('SIGTERM')
      await worker.ended
      await rm(join(place.folder, 'mended'))
    })

    it('says so when nothing is dead of that', async () => {
      const { code, stdout } = await place.run(['dead', 'redrive', 'none'])
      expect([code, stdout]).toEqual([1, 'No dead job has the fingerprint none.\n'])
    })
  })

  describe('bulk', () => {
    beforeAll(async () => {
      for (let to = 1; to <= 12; to++)
        await place.run([
          'enqueue',
          'COUNT',
          `{"to":${to}}`,
          '--queue',
          'bulky',
          '--delay',
          '1h',
          ...withConfig,
        ])
    })
    const bulky = ['--queue', 'bulky']

    it('counts and shows a sample, and changes nothing', async () => {
      const { stdout } = await place.run(['bulk', 'cancel', ...bulky, '--dry-run'])
      expect(stdout).toMatch(/^Would cancel 12 jobs\.\n\nID +TYPE +STATE /)
      expect(stdout).toMatch(/… and 2 more\n$/)
      expect(await place.json(['bulk', 'cancel', ...bulky, '--dry-run'])).toMatchObject({
        count: 12,
        exact: true,
        refused: {},
      })
    })

    it('does nothing that a person has not agreed to', async () => {
      const { code, stderr } = await place.run(['bulk', 'cancel', ...bulky])
      expect([code, stderr]).toEqual([2, expect.stringContaining('would change 12 jobs: say --yes')])
      const all = await place.run(['bulk', 'remove', '--yes'])
      expect([all.code, all.stderr]).toEqual([2, expect.stringContaining('--all')])
    })

    it('moves, reprioritises, cancels and removes all that match', async () => {
      const yes = [...bulky, '--yes']
      expect((await place.run(['bulk', 'reprioritise', '1', ...yes])).stdout).toBe('12 jobs reprioritised.\n')
      expect((await place.run(['bulk', 'move', 'other', ...yes])).stdout).toBe('12 jobs moved.\n')
      const moved = ['--queue', 'other', '--yes']
      expect((await place.run(['bulk', 'cancel', ...moved, '--reason', 'enough'])).stdout).toBe(
        '12 jobs cancelled.\n',
      )
      const { jobs } = await place.json(['jobs', '--queue', 'other'])
      expect(jobs[0]).toMatchObject({ state: 'cancelled', cancelReason: 'enough', priority: 1 })
      expect((await place.run(['bulk', 'remove', ...moved])).stdout).toBe('12 jobs removed.\n')
    })
  })

  describe('flows', () => {
    let id: string
    beforeAll(async () => {
      const site = flow('site', { onFailure: 'skip' })
      const first = site.add('first', job('COUNT'), { to: 1 })
      const fails = site.add('fails', job('FAIL'), { message: 'no luck' }, { after: first })
      site.add('after it', job('COUNT'), { to: 1 }, { after: fails })
      site.add('last', job('COUNT'), { to: 1 }, { after: first })
      id = (await millrace.flows.enqueue(site)).id
    })

    it('are listed, and shown as a tree', async () => {
      await drain()
      const { stdout } = await place.run(['flows'])
      expect(stdout).toMatch(/^ID +NAME +STATE +ENDED +DEAD +WHEN\n[0-9a-f-]{36} {2}site +\w+ +4\/4 +1 {2}/)
      const shown = (await place.run(['flows', 'show', id])).stdout
      expect(shown).toMatch(
        /^site {2}\w+\n\n {2}id +[0-9a-f-]{36}\n {2}jobs +4 jobs: 2 completed, 1 dead, 1 cancelled\n/,
      )
      expect(shown).toMatch(
        /\nfirst +completed .*\n├─ fails +dead .*\n│ {2}└─ after it +skipped.*\n└─ last +completed /,
      )
      expect((await place.json(['flows', 'show', id])).nodes.map(each => each.name)).toEqual([
        'first',
        'fails',
        'after it',
        'last',
      ])
    })

    it('are drawn for Mermaid', async () => {
      const { stdout } = await place.run(['flows', 'show', id, '--mermaid'])
      expect(stdout).toMatch(/^flowchart LR\n {2}n1\["first"\]\n/)
    })

    it('are retried and cancelled', async () => {
      expect((await place.run(['flows', 'retry', id])).stdout).toMatch(
        /what died or was cancelled is queued again/,
      )
      expect(await place.json(['flows', 'cancel', id, '--reason', 'enough'])).toMatchObject({
        id,
        outcome: 'cancelled',
      })
      expect(await place.json(['flows', 'show', id])).toMatchObject({
        state: 'cancelled',
        cancelReason: 'enough',
      })
      const again = await place.run(['flows', 'cancel', id])
      expect([again.code, again.stdout]).toEqual([0, expect.stringContaining('had finished already')])
    })

    it.each([
      [['flows', 'show', '01900000-0000-7000-8000-000000000000'], 1, 'There is no flow'],
      [['flows', 'retry', '01900000-0000-7000-8000-000000000000'], 1, 'There is no flow'],
      [['flows', '--state', 'dead'], 2, '--state must be of running, '],
      [['flows', 'frobnicate'], 2, "flows has no command 'frobnicate'"],
      [['dead', 'frobnicate'], 2, "dead has no command 'frobnicate'"],
    ])('%j is refused with a sentence', async (args, exitCode, said) => {
      const { code, stderr } = await place.run(args)
      expect([code, stderr]).toEqual([exitCode, expect.stringContaining(said)])
    })
  })
})
