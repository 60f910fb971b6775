import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, it, onTestFinished } from 'vitest'
import { tempFolder } from '../../../test/support/temp-folder.ts'
import { type Clock, systemClock } from '../../engine/clock.ts'
import { VirtualClock } from '../../testing/virtual-clock.ts'
import { openStore, type Store } from './store.ts'
import { Writer } from './writer.ts'

const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

/** A writer on a fresh file, and another connection that sees only what is committed and can hold the lock. */
function stage(clock: Clock = systemClock) {
  const path = join(tempFolder(), 'writes.db')
  const store = openStore(path)
  store.db.exec('PRAGMA busy_timeout = 5')
  store.db.exec('CREATE TABLE note (text TEXT PRIMARY KEY) STRICT')
  const other = new DatabaseSync(path)
  onTestFinished(() => {
    other.close()
    store.close()
  })
  const committed = (): string[] =>
    other
      .prepare('SELECT text FROM note ORDER BY rowid')
      .all()
      .map(row => String(row.text))
  return { store, other, committed, writer: new Writer(store, path, clock) }
}

/** Writes a note; answers how many there are then, as this connection sees it. */
const note =
  (text: string) =>
  (store: Store): number => {
    store.run('INSERT INTO note (text) VALUES (?)', text)
    return store.get<{ n: number }>('SELECT count(*) AS n FROM note')?.n ?? 0
  }

const failing =
  (text: string, error: Error, runs: string[] = []) =>
  (store: Store): never => {
    runs.push(text)
    note(text)(store)
    throw error
  }

describe('writes that are asked for in the same turn', () => {
  it('share one transaction, and answer when it is committed', async () => {
    const { writer, committed } = stage()
    const seen: string[][] = []
    const first = writer.write(note('a'))
    const second = writer.write(store => {
      seen.push(committed())
      return note('b')(store)
    })
    expect(await Promise.all([first, second])).toEqual([1, 2])
    expect(seen).toEqual([[]])
    expect(committed()).toEqual(['a', 'b'])
  })

  it('run in the order in which they were asked for', async () => {
    const { writer, committed } = stage()
    const texts = Array.from({ length: 50 }, (_, index) => `note ${index}`)
    await Promise.all(texts.map(text => writer.write(note(text))))
    expect(committed()).toEqual(texts)
  })

  it('are joined by none of the next turn', async () => {
    const { writer, committed } = stage()
    const first = writer.write(note('a'))
    await first
    const seen = await writer.write(() => committed())
    expect(seen).toEqual(['a'])
  })

  it('can ask for further writes', async () => {
    const { writer, committed } = stage()
    await writer.write(note('a')).then(() => writer.write(note('b')))
    const inner = await writer.write(() => writer.write(note('c'))).then(later => later)
    expect(inner).toBe(3)
    expect(committed()).toEqual(['a', 'b', 'c'])
  })
})

describe('a write that throws', () => {
  it('takes nobody of its group along, and leaves nothing of itself', async () => {
    const { writer, committed } = stage()
    const fault = new Error('not this one')
    const answers = await Promise.allSettled([
      writer.write(note('a')),
      writer.write(failing('b', fault)),
      writer.write(note('c')),
    ])
    expect(answers).toEqual([
      { status: 'fulfilled', value: 1 },
      { status: 'rejected', reason: fault },
      { status: 'fulfilled', value: 2 },
    ])
    expect(committed()).toEqual(['a', 'c'])
  })

  it('alone in its group leaves nothing of itself, and the next one works', async () => {
    const { writer, committed } = stage()
    await expect(writer.write(failing('a', new Error('no')))).rejects.toThrow('no')
    await writer.write(note('b'))
    expect(committed()).toEqual(['b'])
  })

  it('for a constraint hurts only itself', async () => {
    const { writer, committed } = stage()
    const answers = await Promise.allSettled(['a', 'a', 'b'].map(text => writer.write(note(text))))
    expect(answers.map(answer => answer.status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    expect(committed()).toEqual(['a', 'b'])
  })

  it('is one of many without harm', async () => {
    const { writer, committed } = stage()
    const answers = await Promise.allSettled(
      Array.from({ length: 40 }, (_, index) =>
        writer.write(index % 2 ? failing(`${index}`, new Error('odd')) : note(`${index}`)),
      ),
    )
    expect(answers.map(answer => answer.status)).toEqual(
      answers.map((_, index) => (index % 2 ? 'rejected' : 'fulfilled')),
    )
    expect(committed()).toHaveLength(20)
  })
})

describe('a write that stands alone', () => {
  it('shares its transaction with nobody before or after it', async () => {
    const { writer, committed } = stage()
    const seen: Record<string, string[]> = {}
    const looking = (text: string) => (store: Store) => {
      seen[text] = committed()
      return note(text)(store)
    }
    await Promise.all([
      writer.write(looking('a')),
      writer.write(looking('b')),
      writer.write(looking('alone'), { alone: true }),
      writer.write(looking('c')),
    ])
    expect(seen).toEqual({ a: [], b: [], alone: ['a', 'b'], c: ['a', 'b', 'alone'] })
  })

  it('runs once, whether it throws or a neighbour does', async () => {
    const { writer, committed } = stage()
    const runs: string[] = []
    const once = (store: Store): number => {
      runs.push('once')
      return note('once')(store)
    }
    const answers = await Promise.allSettled([
      writer.write(failing('before', new Error('no'), runs)),
      writer.write(note('neighbour')),
      writer.write(failing('alone', new Error('no'), runs), { alone: true }),
      writer.write(once, { alone: true }),
    ])
    expect(answers.map(answer => answer.status)).toEqual(['rejected', 'fulfilled', 'rejected', 'fulfilled'])
    // The first shares a group, so it is tried again by itself.
    expect(runs).toEqual(['before', 'before', 'alone', 'once'])
    expect(committed()).toEqual(['neighbour', 'once'])
  })
})

describe('close', () => {
  it('finishes what was asked for, and takes nothing more', async () => {
    const { writer, committed } = stage()
    const asked = ['a', 'b', 'c'].map(text => writer.write(note(text)))
    const closing = writer.close()
    await expect(writer.write(note('too late'))).rejects.toMatchObject({ code: 'closed' })
    await closing
    expect(committed()).toEqual(['a', 'b', 'c'])
    expect(await Promise.all(asked)).toEqual([1, 2, 3])
  })

  it('waits for a write that waits for the lock', async () => {
    const { writer, other, committed } = stage()
    other.exec('BEGIN IMMEDIATE')
    const asked = writer.write(note('a'))
    await turn()
    let closed = false
    const closing = writer.close().then(() => (closed = true))
    await turn()
    expect(closed).toBe(false)
    other.exec('COMMIT')
    await closing
    expect(committed()).toEqual(['a'])
    expect(await asked).toBe(1)
  })

  it('resolves when there is nothing to finish, any number of times', async () => {
    const { writer } = stage()
    await Promise.all([writer.close(), writer.close()])
    await writer.close()
  })
})

describe('a lock that another connection of this process holds', () => {
  it('is waited for while the event loop goes on, so that its holder can finish', async () => {
    const { writer, other, committed } = stage()
    other.exec('BEGIN IMMEDIATE')
    other.exec(`INSERT INTO note VALUES ('theirs')`)
    const writes = Promise.all([writer.write(note('ours')), writer.write(note('ours too'))])
    let written = false
    void writes.then(() => (written = true))
    // The holder needs the event loop: it awaits something ten times before it commits.
    for (let turns = 0; turns < 10; turns++) await turn()
    expect(written).toBe(false)
    other.exec('COMMIT')
    expect(await writes).toEqual([2, 3])
    expect(committed()).toEqual(['theirs', 'ours', 'ours too'])
  })

  it('does not hinder reads', async () => {
    const { writer, store, other } = stage()
    await writer.write(note('a'))
    other.exec('BEGIN IMMEDIATE')
    const waiting = writer.write(note('b'))
    await turn()
    expect(store.get('SELECT text FROM note')).toMatchObject({ text: 'a' })
    other.exec('ROLLBACK')
    await waiting
  })

  it('is given up after 15 seconds, for all that wait at once, and what comes later works', async () => {
    const clock = new VirtualClock(0)
    const { writer, store, other, committed } = stage(clock)
    store.db.exec('PRAGMA busy_timeout = 0')
    other.exec('BEGIN IMMEDIATE')
    const refused: unknown[] = []
    for (const text of ['a', 'b', 'c']) writer.write(note(text)).catch(error => refused.push(error))
    await clock.advance(14_900, turn)
    expect(refused).toEqual([])
    await clock.advance(300, turn)
    const refusal = expect.objectContaining({ code: 'unavailable', retryAfterMs: 1_000 }) as unknown
    expect(refused).toEqual([refusal, refusal, refusal])
    expect(String(refused[0])).toMatch(/is locked by another process/)
    other.exec('COMMIT')
    const late = writer.write(note('late'))
    await clock.advance(0, turn)
    expect(await late).toBe(1)
    expect(committed()).toEqual(['late'])
  })
})
