import { createHash } from 'node:crypto'
import type { JobError } from './error.ts'

const longestMessage = 4_000
const longestStack = 16_000

/** Whatever a handler threw, `undefined` included, as bounded plain text. Never throws itself. */
export function describeError(thrown: unknown): JobError {
  const { name, message, stack } = read(thrown)
  return {
    name,
    message,
    stack,
    fingerprint: fingerprint(name, message, stack),
  }
}

function read(thrown: unknown): { name: string; message: string; stack: string | null } {
  try {
    if (thrown instanceof Error) {
      const cause =
        thrown.cause instanceof Error ? `\n[cause]: ${thrown.cause.stack ?? thrown.cause.message}` : ''
      return {
        name: storable(String(thrown.name || 'Error'), 200),
        message: storable(String(thrown.message), longestMessage),
        stack: thrown.stack ? storable(thrown.stack + cause, longestStack) : null,
      }
    }
    const text = typeof thrown === 'object' && thrown !== null ? JSON.stringify(thrown) : String(thrown)
    return { name: 'NonError', message: storable(`thrown value: ${text}`, longestMessage), stack: null }
  } catch {
    return { name: 'NonError', message: 'a value was thrown that can not be shown as text', stack: null }
  }
}

/** Text that every engine can store, cut to `limit` UTF-16 units. */
export function storable(text: string, limit: number): string {
  const short = text.length > limit ? `${text.slice(0, limit - 1)}…` : text
  return short.toWellFormed().replaceAll('\0', '\u{fffd}')
}

/**
 * Groups errors by cause: the name, the message with its ids and numbers taken out, and the place in the code that
 * threw, without line numbers (they move with every release).
 */
export function fingerprint(name: string, message: string, stack: string | null): string {
  const plain = message
    .replace(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/gi, '<n>')
    .replace(/\b0x[0-9a-f]+\b|\b[0-9a-f]{16,}\b/gi, '<n>')
    .replace(/\d+(?:[.,]\d+)*/g, '<n>')
    .slice(0, 500)
  const frame = stack?.split('\n').find(line => /^\s+at /.test(line) && !line.includes('node:'))
  const place = frame?.match(/at (?:async )?([^\s(]+) \(/)?.[1] ?? ''
  return createHash('sha256').update(`${name}\n${plain}\n${place}`).digest('hex').slice(0, 16)
}
