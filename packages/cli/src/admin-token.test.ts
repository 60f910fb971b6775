import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { adminToken } from './admin-token.ts'
import { readSettings } from './settings.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-token-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const settings = (given: string | null = null) => ({
  ...readSettings({}, {}),
  adminToken: given,
  tokenFile: join(folder, '.millrace', 'admin-token'),
})

describe('adminToken', () => {
  it('makes 32 random bytes at first start and reads them back at the next', async () => {
    const first = await adminToken(settings())
    expect(first).toEqual({
      token: expect.stringMatching(/^[\w-]{43}$/),
      file: settings().tokenFile,
      warning: null,
    })
    expect(await adminToken(settings())).toEqual(first)
  })

  it('keeps them where only their owner can read', async () => {
    const { file, token } = await adminToken(settings())
    expect((await stat(file as string)).mode & 0o777).toBe(0o600)
    expect(await readFile(file as string, 'utf8')).toBe(`${token}\n`)
    expect(await readdir(join(folder, '.millrace'))).toEqual(['admin-token'])
  })

  it('is the same for starts at the same time', async () => {
    const tokens = await Promise.all(Array.from({ length: 8 }, () => adminToken(settings())))
    expect(new Set(tokens.map(each => each.token)).size).toBe(1)
  })

  it('warns of a file that others can read', async () => {
    const { file } = await adminToken(settings())
    await chmod(file as string, 0o644)
    expect((await adminToken(settings())).warning).toContain('chmod 600')
  })

  it('writes nothing when it is given', async () => {
    expect(await adminToken(settings('given'))).toEqual({ token: 'given', file: null, warning: null })
    expect(await readdir(folder)).toEqual([])
  })

  it.each(['', 'short', 'two words are no token at all'])('refuses a file that holds %j', async text => {
    const { file } = await adminToken(settings())
    await writeFile(file as string, text)
    await expect(adminToken(settings())).rejects.toThrow(/no usable token/)
  })

  it('says in one sentence that the folder can not be made', async () => {
    await writeFile(join(folder, '.millrace'), '')
    await expect(adminToken(settings())).rejects.toThrow(
      /admin token .* a part of the path is not a folder|something else/,
    )
  })
})
