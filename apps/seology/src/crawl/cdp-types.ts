/**
 * What we read of the DevTools protocol's events. playwright-core knows their full types, but does not export them by
 * name; it checks ours where the handlers are registered.
 */

export type ResourceType = 'Document' | 'XHR' | 'Fetch' | 'Ping' | 'CSPViolationReport' | 'Other'

export interface ResponseFacts {
  url: string
  status: number
  headers: Record<string, string>
  mimeType: string
  encodedDataLength: number
  fromDiskCache?: boolean
  fromPrefetchCache?: boolean
  /** Milliseconds since the request's own start. */
  timing?: { sendStart: number; receiveHeadersStart: number }
}

export interface RequestWillBeSent {
  requestId: string
  loaderId: string
  frameId?: string
  type?: string
  request: { url: string; method: string }
  redirectResponse?: ResponseFacts
}

export interface ResponseReceived {
  requestId: string
  response: ResponseFacts
}

export interface ResponseReceivedExtraInfo {
  requestId: string
  statusCode: number
  headers: Record<string, string>
  headersText?: string
}

export interface DataReceived {
  requestId: string
  dataLength: number
}

export interface LoadingFinished {
  requestId: string
  encodedDataLength: number
}

export interface LoadingFailed {
  requestId: string
  blockedReason?: string
  canceled?: boolean
}

export interface RequestPaused {
  requestId: string
  /** The id that the Network events call the request by. */
  networkId?: string
  frameId: string
  resourceType: string
  request: { url: string; method: string }
}

export interface LifecycleEvent {
  frameId: string
  loaderId: string
  name: string
}
