import { execFile } from 'node:child_process'
import { chmodSync, chownSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import type { FullDiskSight } from './children/full-disk.ts'
import type { ReadOnlySight } from './children/read-only.ts'
import { neighbour } from './jobs.ts'
import { Child } from './process.ts'
import { useStage } from './stage.ts'
import { unsynced } from './strace.ts'
import { sqliteTarget } from './sqlite.ts'
import { namespaceArgs, smallDisk, strace } from './tools.ts'

const run = promisify(execFile)
const nobody = 65_534
const nodeArgs = ['--conditions=millrace-source', '--disable-warning=ExperimentalWarning']
const program = (name: string): string => fileURLToPath(new URL(`./children/${name}.ts`, import.meta.url))
const idle = { busyMs: 0, waitMs: 0, failures: 0, viaTx: false, chatty: false }

/** The file and the disk below it. */
export function describeDisk(): void {
  describe('sqlite and its disk', () => {
    const stage = useStage(sqliteTarget)

    const disk = smallDisk()
    it.skipIf(disk.missing)(
      'a full disk refuses with a typed error, loses nothing, and work resumes by itself',
      {
        timeout: 120_000,
      },
      async () => {
        const folder = join(stage.store.folder, 'disk')
        mkdirSync(folder)
        const script = 'mount -t tmpfs -o size=4m tmpfs "$1" && shift && exec "$@"'
        const node = [process.execPath, ...nodeArgs, program('full-disk'), JSON.stringify({ folder })]
        const { stdout } = await run('unshare', [...namespaceArgs, 'sh', '-c', script, 'sh', folder, ...node])
        const sight = JSON.parse(stdout) as FullDiskSight

        expect(new Set(sight.refused)).toEqual(new Set(['disk-full']))
        expect(new Set(sight.trouble)).toEqual(new Set(['disk-full']))
        expect(sight.acked.length).toBeGreaterThan(50)
        expect(sight.resumed).toBe(true)
        expect(new Set(sight.states)).toEqual(new Set(['completed']))
      },
    )

    it('a file that may only be read refuses with a typed error, and work resumes when it may be written', {
      timeout: 60_000,
    }, async () => {
      const { millrace, store } = stage
      const { id } = await millrace.enqueue(neighbour, { ...idle, n: 1 })
      await millrace.close()
      const file = fileURLToPath(store.url)
      // Root writes where it likes, so the child is somebody else then.
      const isRoot = process.getuid?.() === 0
      if (isRoot) for (const path of [store.folder, file]) chownSync(path, nobody, nobody)
      chmodSync(file, 0o444)
      const input = { ledger: 'read-only', url: store.url, existing: [id] }
      const child = new Child('read-only', input, isRoot ? { uid: nobody, gid: nobody } : {})
      await child.ready()
      chmodSync(file, 0o644)
      child.send({ kind: 'stop' })
      const answer = await child.report('answer')
      if (!answer) throw new Error(`the process that met a read-only file ended with:\n${child.stderr}`)
      const sight = answer.answer as ReadOnlySight

      expect(sight.refused.slice(0, 2)).toEqual(['read-only', 'read-only'])
      expect(new Set(sight.refused)).toEqual(new Set(['read-only']))
      expect(sight.readable).toBe(1)
      expect(new Set(sight.states)).toEqual(new Set(['completed']))
    })

    const tracer = strace()
    it.skipIf(tracer.missing)(
      'the log reaches the disk before an enqueue is acknowledged',
      {
        timeout: 60_000,
      },
      async () => {
        const trace = join(stage.store.folder, 'trace')
        const marks = join(stage.store.folder, 'marks')
        await run('strace', [
          ...['-f', '-y', '-s', '64', '-e', 'trace=fsync,fdatasync,write,pwrite64', '-o', trace],
          ...[
            process.execPath,
            ...nodeArgs,
            program('acknowledge'),
            JSON.stringify({ url: stage.store.url, marks }),
          ],
        ])
        const { acknowledgements, faults } = unsynced(readFileSync(trace, 'utf8'), marks)
        expect(acknowledgements).toBe(10)
        expect(faults).toEqual([])
      },
    )
  })
}
