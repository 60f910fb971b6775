import { describe, expect, it } from 'vitest'
import { classifyStatus } from './status-class.ts'

describe('classifyStatus', () => {
  it.each([
    [{ status: 200 }, 'ok'],
    [{ status: 204 }, 'empty'],
    [{ status: 206 }, 'odd2xx'],
    [{ status: 301 }, 'redirect-permanent'],
    [{ status: 307 }, 'redirect-temporary'],
    [{ status: 302, hasLocation: false }, 'odd3xx'],
    [{ status: 304 }, 'odd3xx'],
    [{ status: 410 }, 'gone'],
    [{ status: 401 }, 'auth'],
    [{ status: 451 }, 'refused'],
    [{ status: 999 }, 'refused'],
    [{ status: 429 }, 'throttled'],
    [{ status: 503, hasRetryAfter: true }, 'throttled'],
    [{ status: 503 }, 'server-error'],
    [{ status: 418 }, 'client-error'],
    [{ status: 522 }, 'origin-down'],
    [{ status: 530 }, 'origin-down'],
    [{ status: 528 }, 'server-error'],
    [{ status: 0, error: { kind: 'dns' as const } }, 'network'],
    [{ status: 200, error: { kind: 'too-large' as const } }, 'network'],
  ])('%o is %s', (facts, expected) => expect(classifyStatus(facts)).toBe(expected))
})
