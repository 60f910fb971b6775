import { expect, it } from 'vitest'
import { Slots } from './slots.ts'

it('lets so many work at a time, the others in the order of their coming', async () => {
  const slots = new Slots(2)
  const begun: number[] = []
  const ends: (() => void)[] = []
  const works = [0, 1, 2, 3].map(n =>
    slots.run(async () => {
      begun.push(n)
      await new Promise<void>(resolve => ends.push(resolve))
      return n
    }),
  )
  expect(begun).toEqual([0, 1])
  ends[1]?.()
  expect(await works[1]).toBe(1)
  expect(begun).toEqual([0, 1, 2])
  ends[0]?.()
  expect(await works[0]).toBe(0)
  expect(begun).toEqual([0, 1, 2, 3])
  for (const end of ends) end()
  expect(await Promise.all(works)).toEqual([0, 1, 2, 3])
})

it('frees the place of one that fails', async () => {
  const slots = new Slots(1)
  await expect(slots.run(() => Promise.reject(new Error('no')))).rejects.toThrow('no')
  expect(await slots.run(async () => 'next')).toBe('next')
})
