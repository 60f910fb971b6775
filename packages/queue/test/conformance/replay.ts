import { expect, it } from 'vitest'
import { z } from 'zod'
import { defineJob, exportBundle, fixed, handle, type Handler, readBundle, replay } from '../../src/index.ts'
import { openRuntime } from './runtime-stage.ts'
import { unknownId } from './samples.ts'
import type { EngineSubject } from './stage.ts'

const publish = defineJob({
  type: 'publish',
  payload: z.object({ slug: z.string(), draft: z.boolean().default(false) }),
  maxAttempts: 2,
  backoff: fixed(10),
})

/** Three steps, of which the third fails until it is mended. */
function publisher(render: (text: string) => string, ran: string[] = []): Handler {
  return handle(publish, async ({ payload, step, log }) => {
    const once = <T>(name: string, work: () => T): Promise<T> =>
      step.run(name, () => {
        ran.push(name)
        return work()
      })
    const text = await once('load', () => `text of ${payload.slug}`)
    const images = await once('images', () => ['a.png', 'b.png'])
    log.info('loaded', { images: images.length })
    const html = await once('render', () => render(text))
    return once('upload', () => `uploaded ${html} with ${images.join(' and ')}`)
  })
}

const broken = (text: string): string => {
  throw new SyntaxError(`a tag of ${text} is not closed`)
}

/** A dead job as a bundle, run again without its store. */
export function replayCases(subject: EngineSubject): void {
  it('reproduces offline the failure of a job that died in its third step, and passes once it is mended', async () => {
    const runtime = await openRuntime(subject)
    const { millrace } = runtime
    await runtime.start([publisher(broken)])
    const { id } = await millrace.enqueue(publish, { slug: 'home' }, { tenant: 'acme' })
    await runtime.reaches(id, 'dead')
    const bundle = readBundle(JSON.parse(JSON.stringify(await exportBundle(millrace, id))))

    const ran: string[] = []
    const failed = await replay(publisher(broken, ran), bundle)
    expect(failed).toMatchObject({
      outcome: 'failed',
      reproduced: true,
      error: { name: 'SyntaxError', message: 'a tag of text of home is not closed' },
    })
    expect(ran).toEqual(['render'])

    const mended = publisher(text => `<p>${text}</p>`, ran)
    expect(await replay(mended, bundle)).toMatchObject({ outcome: 'passed-failure-point', at: 'upload' })
    expect(await replay(mended, bundle, { stubs: { upload: 'not uploaded' } })).toMatchObject({
      outcome: 'completed',
      result: 'not uploaded',
    })
    expect(ran).toEqual(['render', 'render', 'render'])
    expect(await runtime.job(id)).toMatchObject({ state: 'dead' })
  })

  it('is exported with all that its handler was given and all that came of it', async () => {
    const runtime = await openRuntime(subject)
    const { millrace } = runtime
    await runtime.start([publisher(broken)])
    const { id } = await millrace.enqueue(publish, { slug: 'home' }, { tenant: 'acme' })
    await runtime.reaches(id, 'dead')
    const bundle = await exportBundle(millrace, id)
    expect(bundle).toMatchObject({
      format: 'millrace-replay',
      version: 1,
      exportedAt: expect.stringMatching(/^2026-01-15T12:/),
      versions: { millrace: expect.stringMatching(/^\d+\.\d+\./), node: process.versions.node },
      job: {
        id,
        type: 'publish',
        tenant: 'acme',
        state: 'dead',
        payload: { slug: 'home' },
        error: { name: 'SyntaxError' },
        attempt: 2,
        maxAttempts: 2,
      },
      steps: [
        { name: 'load', ordinal: 1, kind: 'run', state: 'completed', result: 'text of home' },
        { name: 'images', ordinal: 2, state: 'completed', result: ['a.png', 'b.png'] },
        { name: 'render', ordinal: 3, state: 'failed', error: { name: 'SyntaxError' } },
      ],
      signals: [],
      dependencies: [],
    })
    expect(bundle.versions.engine).toBe((await millrace.health()).engine)
    expect(bundle.attempts.map(each => [each.attempt, each.outcome])).toEqual([
      [1, 'failed'],
      [2, 'failed'],
    ])
    expect(bundle.logs.map(each => [each.attempt, each.message])).toEqual([
      [1, 'loaded'],
      [2, 'loaded'],
    ])
  })

  it('is exported with signals that nobody has taken', async () => {
    const { stage, millrace } = await openRuntime(subject)
    const id = await stage.enqueue()
    await millrace.signal(id, 'approved', { by: 'ada' })
    expect(await exportBundle(millrace, id)).toMatchObject({
      job: { state: 'queued' },
      signals: [{ name: 'approved', payload: { by: 'ada' } }],
    })
  })

  it('is not there for a job that is not there', async () => {
    const { millrace } = await openRuntime(subject)
    await expect(exportBundle(millrace, unknownId)).rejects.toMatchObject({ code: 'not-found' })
  })
}
