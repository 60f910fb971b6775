import {
  closeSync,
  copyFileSync,
  fsyncSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  rmSync,
} from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Bench, type Peer } from '../harness.ts'
import { findRedis, type Redis } from '../redis.ts'

interface File {
  url: string
  server: number
}

/** A fresh file on disk for each side of each round; a Redis for BullMQ, where there is one. */
export class SqliteBench extends Bench {
  readonly peers: readonly Peer[]
  readonly #redis: Redis
  readonly #root: string
  readonly #templates = new Map<string, Promise<string>>()

  private constructor(options: Options, redis: Redis) {
    super(options)
    this.#root = options.root
    this.#redis = redis
    // BullMQ's rate does not depend on the number of jobs.
    const share = options.quick ? { share: { work: 0.1, bulk: 0.2, awaits: 0.2 } } : {}
    this.peers = [
      { subject: 'raw-sqlite', title: 'raw node:sqlite' },
      redis.url === null
        ? { subject: 'bullmq-redis', title: 'BullMQ 6', missing: redis.reason }
        : { subject: 'bullmq-redis', title: redis.name, ...share },
    ]
  }

  static async start(options: Options): Promise<SqliteBench> {
    return new SqliteBench(options, await findRedis(options.root))
  }

  async stop(): Promise<void> {
    if (this.#redis.url !== null) this.#redis.stop()
    rmSync(this.#root, { recursive: true, force: true })
  }

  async describe(): Promise<string> {
    return this.#redis.url === null ? this.#redis.reason : this.#redis.name
  }

  async withStore<T>(subject: string, jobs: number, use: (store: File) => Promise<T>): Promise<T> {
    if (subject === 'bullmq-redis') return this.#withRedis(jobs, use)
    if (jobs === 0) return this.#withFolder(folder => use(fileIn(folder)))
    const template = await this.template(`${subject}-${jobs}`, file =>
      this.run(subject, 'fill', { ...file, count: jobs }),
    )
    return this.withCopy(template, use)
  }

  async withKept<T>(
    name: string,
    fill: (store: File) => Promise<unknown>,
    use: (store: File) => Promise<T>,
  ): Promise<T> {
    return use(fileIn(await this.template(name, fill)))
  }

  async #withRedis<T>(jobs: number, use: (store: File) => Promise<T>): Promise<T> {
    const store = { url: this.#redis.url ?? '', server: 0 }
    try {
      await this.run('bullmq-redis', 'fill', { ...store, count: jobs })
      return await use(store)
    } finally {
      await this.run('bullmq-redis', 'clear', store)
    }
  }

  async #withFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
    mkdirSync(this.#root, { recursive: true })
    const folder = mkdtempSync(join(this.#root, 'round-'))
    try {
      return await use(folder)
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  }

  /** A store that is made once in a run, and copied for each round that starts from it. */
  template(name: string, fill: (file: File) => Promise<unknown>): Promise<string> {
    const made = this.#templates.get(name) ?? this.#make(name, fill)
    this.#templates.set(name, made)
    return made
  }

  async #make(name: string, fill: (file: File) => Promise<unknown>): Promise<string> {
    const folder = join(this.#root, name)
    mkdirSync(folder, { recursive: true })
    await fill(fileIn(folder))
    return folder
  }

  /** Runs `use` with a fresh copy of a template, written through to the disk. */
  withCopy<T>(template: string, use: (file: File) => Promise<T>): Promise<T> {
    return this.#withFolder(async folder => {
      for (const file of readdirSync(template)) {
        copyFileSync(join(template, file), join(folder, file))
        const fd = openSync(join(folder, file), 'r+')
        fsyncSync(fd)
        closeSync(fd)
      }
      return use(fileIn(folder))
    })
  }
}

interface Options {
  quick: boolean
  say: (line: string) => void
  root: string
}

function fileIn(folder: string): File {
  return { url: pathToFileURL(join(folder, 'bench.db')).href, server: 0 }
}
