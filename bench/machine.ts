import { closeSync, fdatasyncSync, mkdirSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs'
import { cpus, loadavg, release, totalmem, type } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { median } from './numbers.ts'

/** Where the numbers come from. A figure without its machine says nothing. */
export interface Machine {
  cpu: string
  cores: number
  memoryGb: number
  system: string
  node: string
  sqlite: string
  folder: string
  filesystem: string
  /** Median time of a 4 kB write with fdatasync. */
  fsyncMs: number
  /** Load of the last minute at the start: above 0 the machine was not idle. */
  load: number
}

/** statfs(2)'s magic numbers of the file systems one meets. */
const filesystems: Record<number, string> = {
  0xef53: 'ext4',
  0x58465342: 'xfs',
  0x9123683e: 'btrfs',
  0x2fc12fc1: 'zfs',
  0x794c7630: 'overlayfs',
  0x01021994: 'tmpfs (memory: numbers with fsync mean nothing here)',
}

export function describeMachine(folder: string): Machine {
  mkdirSync(folder, { recursive: true })
  const database = new DatabaseSync(':memory:')
  const version = database.prepare('SELECT sqlite_version() AS version').get() as { version: string }
  database.close()
  const magic = statfsSync(folder).type
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryGb: Math.round(totalmem() / 2 ** 30),
    system: `${type()} ${release()}`,
    node: process.version,
    sqlite: version.version,
    folder,
    filesystem: filesystems[magic] ?? `0x${magic.toString(16)}`,
    fsyncMs: Number(fsyncMs(folder).toFixed(3)),
    load: Number((loadavg()[0] ?? 0).toFixed(2)),
  }
}

function fsyncMs(folder: string): number {
  const file = join(folder, 'fsync-probe')
  const fd = openSync(file, 'w')
  const page = Buffer.alloc(4_096, 1)
  const times: number[] = []
  for (let write = 0; write < 50; write++) {
    const startedAt = performance.now()
    writeSync(fd, page)
    fdatasyncSync(fd)
    times.push(performance.now() - startedAt)
  }
  closeSync(fd)
  rmSync(file)
  return median(times)
}
