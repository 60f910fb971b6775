import { describe, expect, it } from 'vitest'
import { GroupedWrites } from './grouped-writes.ts'

describe('grouped writes', () => {
  it('asked for in one turn share a commit; each resolves when it is stored', async () => {
    const groups: number[][] = []
    const writes = new GroupedWrites<number>(async items => {
      groups.push(items)
    })
    await Promise.all([1, 2, 3].map(item => writes.add(item)))
    await writes.add(4)
    expect(groups).toEqual([[1, 2, 3], [4]])
  })

  it('fail together and go on with the next', async () => {
    const writes = new GroupedWrites<number>(async items => {
      if (items.includes(13)) throw new Error('refused')
    })
    const [first, second] = await Promise.allSettled([writes.add(1), writes.add(13)])
    expect([first?.status, second?.status]).toEqual(['rejected', 'rejected'])
    await writes.add(2)
  })
})
