import type { EventName, LifecycleEvents } from '../../src/events.ts'
import type { Millrace } from '../../src/queue.ts'

/** The next event of that name (for which `when` holds). Ask before the act that brings it about. */
export function nextEvent<Name extends EventName>(
  millrace: Millrace,
  name: Name,
  when: (event: LifecycleEvents[Name]) => boolean = () => true,
): Promise<LifecycleEvents[Name]> {
  return new Promise(resolve => {
    const off = millrace.on(name, event => {
      if (!when(event)) return
      off()
      resolve(event)
    })
  })
}

/** All events of those names from now on, in order. */
export function recordEvents<Name extends EventName>(
  millrace: Millrace,
  ...names: Name[]
): { name: Name; event: LifecycleEvents[Name] }[] {
  const seen: { name: Name; event: LifecycleEvents[Name] }[] = []
  for (const name of names) millrace.on(name, event => seen.push({ name, event }))
  return seen
}

/** Resolves with the signal's reason when it fires. */
export function aborted(signal: AbortSignal): Promise<unknown> {
  return new Promise(resolve => {
    if (signal.aborted) resolve(signal.reason)
    else signal.addEventListener('abort', () => resolve(signal.reason), { once: true })
  })
}
