import { describe, expect, it } from 'vitest'
import { canonicalLiteral, createAddressGuard, type ResolvedAddress } from './address-guard.ts'

const refused = [
  '0.0.0.0',
  '0.1.2.3',
  '10.0.0.1',
  '100.64.0.1',
  '127.0.0.1',
  '127.255.255.254',
  '169.254.1.1',
  '169.254.169.254',
  '172.16.0.1',
  '192.0.0.1',
  '192.0.2.1',
  '192.168.1.1',
  '198.18.0.1',
  '203.0.113.9',
  '224.0.0.1',
  '240.0.0.1',
  '255.255.255.255',
  '::',
  '::1',
  '::7f00:1',
  '::ffff:127.0.0.1',
  '::ffff:7f00:1',
  '64:ff9b::7f00:1',
  '64:ff9b::10.0.0.1',
  '64:ff9b:1::808:808',
  '100::1',
  '2001::1',
  '2001:db8::1',
  '2002:7f00:1::',
  '3fff::1',
  'fc00::1',
  'fd00:ec2::254',
  'fe80::1',
  'fe80::1%eth0',
  'fec0::1',
  'ff02::1',
  'nonsense',
]

describe('addresses', () => {
  const guard = createAddressGuard()
  it.each(refused)('%s is refused', address => expect(guard.allows(address)).toBe(false))
  it.each(['1.1.1.1', '93.184.216.34', '2606:4700::1111', '::ffff:1.1.1.1', '64:ff9b::101:101'])(
    '%s is allowed',
    address => expect(guard.allows(address)).toBe(true),
  )

  it('private ones can be allowed, metadata and multicast can not', () => {
    const open = createAddressGuard({ allowPrivate: true })
    for (const address of [
      '127.0.0.1',
      '10.0.0.1',
      '::1',
      'fe80::1',
      'fc00::1',
      '100.64.0.1',
      '::ffff:127.0.0.1',
    ])
      expect(open.allows(address)).toBe(true)
    for (const address of [
      '169.254.169.254',
      '::ffff:169.254.169.254',
      'fd00:ec2::254',
      '224.0.0.1',
      '0.0.0.0',
    ])
      expect(open.allows(address)).toBe(false)
  })
})

describe('literals', () => {
  it.each([
    '127.0.0.1',
    '[::1]',
    '0x7f.1',
    '2130706433',
    '127.1',
    '0177.0.0.1',
    '127.0.0.1.',
    '[::ffff:127.0.0.1]',
    '[fe80::1%25eth0]',
  ])('%s is refused without a lookup', async host => {
    const guard = createAddressGuard({ resolver: () => Promise.reject(new Error('looked up')) })
    expect(() => guard.checkLiteral(host)).toThrow(/not a public address/)
    await expect(guard.resolve(host)).rejects.toThrow(/not a public address/)
  })

  it('a name is none', () => {
    expect(canonicalLiteral('ex.com')).toBeNull()
    expect(() => createAddressGuard().checkLiteral('localhost')).not.toThrow()
  })
})

describe('names', () => {
  const guardOf = (...addresses: string[]) =>
    createAddressGuard({
      resolver: async () =>
        addresses.map((address): ResolvedAddress => ({ address, family: address.includes(':') ? 6 : 4 })),
    })

  it('one that leads to private addresses only is refused', async () => {
    await expect(guardOf('10.0.0.1', '::1').resolve('ex.com')).rejects.toMatchObject({
      code: 'address-refused',
      host: 'ex.com',
    })
  })

  it('only the public ones of several answers are given', async () => {
    expect(await guardOf('10.0.0.1', '1.1.1.1').resolve('ex.com')).toEqual([
      { address: '1.1.1.1', family: 4 },
    ])
  })

  it('localhost is refused by what it resolves to', async () => {
    await expect(createAddressGuard().resolve('localhost')).rejects.toMatchObject({ code: 'address-refused' })
  })
})
