import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { EventStreamReader, type RawEvent } from './event-stream.ts'

function read(...pieces: string[]): RawEvent[] {
  const reader = new EventStreamReader('')
  return pieces.flatMap(piece => [...reader.read(piece)])
}

describe('an event stream', () => {
  it('gives an event its name, id and data', () => {
    expect(read('id: 7\nevent: job.dead\ndata: {"a":1}\n\n')).toEqual([
      { id: '7', event: 'job.dead', data: '{"a":1}' },
    ])
  })

  it('joins the lines of data, and takes one blank off each', () => {
    expect(read('data: a\ndata:  b\ndata\n\n')).toEqual([{ id: '', event: 'message', data: 'a\n b\n' }])
  })

  it('keeps the id for the events after it', () => {
    expect(read('id: 1\ndata: a\n\ndata: b\n\n').map(each => each.id)).toEqual(['1', '1'])
  })

  it('takes the place to go on from out of a block without data, as soon as the block ends', () => {
    const reader = new EventStreamReader('3')
    expect([...reader.read(': welcome\nid: 7\nretry: 2000\n')]).toEqual([])
    expect(reader.lastEventId).toBe('3')
    expect([...reader.read('\n')]).toEqual([])
    expect(reader.lastEventId).toBe('7')
  })

  it('goes on from no later place than that of the event which was taken last', () => {
    const reader = new EventStreamReader('')
    const events = reader.read('id: 1\ndata: a\n\nid: 2\ndata: b\n\n')
    expect(events.next().value?.data).toBe('a')
    expect(reader.lastEventId).toBe('1')
  })

  it('passes over comments, unknown fields, ids with NUL and events without data', () => {
    expect(read(': alive\n\nfoo: bar\nid: a\0b\nevent: x\n\ndata: y\n\n')).toEqual([
      { id: '', event: 'message', data: 'y' },
    ])
  })

  it('leaves out a byte order mark at the beginning', () => {
    expect(read('\uFEFFdata: a\n\n')).toHaveLength(1)
  })

  it('hears how long to wait before another connection', () => {
    const reader = new EventStreamReader('')
    expect([...reader.read('retry: 2500\nretry: soon\n\n')]).toEqual([])
    expect(reader.retryMs).toBe(2_500)
  })

  it('refuses an event that would fill the memory', () => {
    const reader = new EventStreamReader('')
    const piece = `data: ${'x'.repeat(2 ** 20)}\n`
    expect(() => {
      for (let n = 0; n < 9; n++) expect([...reader.read(piece)]).toEqual([])
    }).toThrow(RangeError)
  })

  it('means the same wherever its pieces end', () => {
    const text =
      'id: 1\r\nevent: a\r\ndata: x\r\n\r\n: c\n\nid: 2\ndata: y\ndata: z\n\ndata: end\r\rdata: w\n\n'
    const whole = read(text)
    expect(whole).toHaveLength(4)
    fc.assert(
      fc.property(fc.array(fc.nat(text.length), { maxLength: 12 }), cuts => {
        const ends = [0, ...cuts.toSorted((a, b) => a - b), text.length]
        const pieces = ends.slice(1).map((end, index) => text.slice(ends[index], end))
        expect(read(...pieces)).toEqual(whole)
      }),
    )
  })
})
