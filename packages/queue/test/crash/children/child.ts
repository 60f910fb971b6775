import type { Order, Report } from '../process.ts'

/** What the parent asked this program to do. */
export function input<T>(): T {
  return JSON.parse(process.argv[2] as string) as T
}

export function report(what: Report): void {
  process.send?.(what)
}

/** Hears the parent's orders; ends at once when the parent is gone, so that no test leaves a process behind. */
export function hear(listen: (order: Order) => void): void {
  process.on('message', order => listen(order as Order))
  process.on('disconnect', () => process.exit(1))
}

export function errorCode(error: unknown): string {
  return (error as { code?: string } | null)?.code ?? String((error as Error | null)?.name)
}

/** Lets the process end by itself; whatever still holds it then is a fault. */
export function leave(): void {
  process.removeAllListeners('disconnect')
  process.disconnect()
}
