import { describe, expect, it } from 'vitest'
import { createSiteScope } from './site-scope.ts'

const hop = (url: string, location: string) => ({ url, status: 301, location })

describe('a site', () => {
  it('is its host on either scheme, and no other', () => {
    const scope = createSiteScope('https://ex.com/a')
    expect(scope.has('http://ex.com/b')).toBe(true)
    expect(scope.has('https://ex.com./b')).toBe(true)
    for (const url of ['https://www.ex.com/', 'https://ex.com:8443/', 'https://blog.ex.com/'])
      expect(scope.has(url)).toBe(false)
  })

  it('is also where its start URL leads', () => {
    const scope = createSiteScope('http://old.example/')
    scope.addStart([hop('http://old.example/', 'https://www.new.example/')], 'https://www.new.example/')
    expect(scope.hosts()).toEqual(['old.example', 'www.new.example'])
  })

  it('takes in a host of its domain that redirects to it, but no link shortener', () => {
    const scope = createSiteScope('https://www.ex.com/')
    scope.learn([hop('https://ex.com/x', 'https://www.ex.com/x')], 'https://www.ex.com/x')
    scope.learn([hop('https://t.example/1', 'https://www.ex.com/x')], 'https://www.ex.com/x')
    scope.learn([hop('https://shop.ex.com/', 'https://elsewhere.example/')], 'https://elsewhere.example/')
    expect(scope.hosts()).toEqual(['ex.com', 'www.ex.com'])
  })

  it('remembers what an earlier run had learnt', () => {
    expect(createSiteScope('https://ex.com/', ['www.ex.com']).has('https://www.ex.com/a')).toBe(true)
  })
})
