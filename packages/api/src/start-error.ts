/** A server that could not start, for a reason that one sentence can tell. */
export class StartError extends Error {
  readonly code: string

  constructor(code: string, message: string, cause: unknown) {
    super(message, { cause })
    this.name = 'StartError'
    this.code = code
  }
}

/** What `listen` failed with, said so that the reader knows what to change. */
export function listenError(error: NodeJS.ErrnoException, host: string, port: number): StartError {
  const code = error.code ?? 'unknown'
  const told: Record<string, string> = {
    EADDRINUSE: `Port ${port} on ${host} is in use by another program; stop it, or choose another port with PORT=…`,
    EADDRNOTAVAIL: `${host} is not an address of this machine; choose another with HOST=…, such as 127.0.0.1`,
    ENOTFOUND: `The host name ${host} is not known; choose another with HOST=…, such as 127.0.0.1`,
    EACCES: `Port ${port} may not be used by this user; choose one above 1023 with PORT=…`,
  }
  return new StartError(
    code,
    told[code] ?? `Can not listen on ${host}, port ${port}: ${error.message}`,
    error,
  )
}
