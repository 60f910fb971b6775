/** What runs inside the page, in a world of its own: the page's scripts can neither see nor spoil it. */

export const worldName = 'crawler'

/** Notes when the DOM last changed. Style and class are left out: animations never end. */
export const observerSource = `(() => {
  let changedAt = performance.now()
  globalThis.__quietMs = () => performance.now() - changedAt
  new MutationObserver(() => { changedAt = performance.now() }).observe(document, {
    subtree: true, childList: true, characterData: true,
    attributeFilter: ['href', 'src', 'alt', 'content', 'name', 'rel', 'lang', 'hreflang', 'title'],
  })
})()`

/**
 * In the page's own world, before its scripts. Peer-to-peer connections know ways past a proxy. The timers are only
 * listened to: a page that has loaded, with none of them about to fire, is done sooner than one has to wait in doubt.
 */
export const pageSource = `(() => {
  for (const name of ['RTCPeerConnection', 'webkitRTCPeerConnection', 'RTCDataChannel', 'WebTransport'])
    Reflect.deleteProperty(globalThis, name)
  const now = performance.now.bind(performance)
  const due = new Map()
  const listen = (start, stop, ends) => {
    const [set, clear] = [globalThis[start], globalThis[stop]]
    globalThis[start] = function (...args) {
      const id = Reflect.apply(set, this, args)
      due.set(start + id, ends(Number(args[1]) || 0))
      return id
    }
    globalThis[stop] = function (id) {
      due.delete(start + id)
      return Reflect.apply(clear, this, [id])
    }
  }
  listen('setTimeout', 'clearTimeout', delay => ({ from: now() + delay, to: now() + delay + 50 }))
  listen('setInterval', 'clearInterval', delay => ({ from: now() + delay, to: Infinity }))
  listen('requestAnimationFrame', 'cancelAnimationFrame', () => ({ from: now(), to: now() + 50 }))
  listen('requestIdleCallback', 'cancelIdleCallback', () => ({ from: now(), to: now() + 100 }))
  Object.defineProperty(globalThis, Symbol.for('crawler.isWaiting'), { value: withinMs => {
    const at = now()
    for (const [key, { from, to }] of due) {
      if (to < at) due.delete(key)
      else if (from <= at + withinMs) return true
    }
    return false
  } })
})()`

/** In the page's own world: will one of its timers fire that soon? What a page makes of the answer is its own loss. */
export function isWaitingSource(withinMs: number): string {
  return `globalThis[Symbol.for('crawler.isWaiting')]?.(${withinMs}) !== false`
}

export interface QuietState {
  quietMs: number
  /** Nothing on the page can change it any more once it has loaded. */
  isStatic: boolean
  /** Seconds of a meta refresh, or null. */
  refreshSeconds: number | null
}

export const quietStateSource = `(() => {
  const runs = type => type === '' || /^(?:module|(?:text|application)\\/(?:x-)?(?:java|ecma)script)$/i.test(type.trim())
  const refresh = document.querySelector('meta[http-equiv="refresh" i]')
  const seconds = refresh === null ? NaN : parseFloat(refresh.content)
  return {
    quietMs: globalThis.__quietMs?.() ?? 0,
    isStatic: !Array.from(document.scripts).some(script => runs(script.type)) &&
      document.querySelector('[onload],[onerror],[onpageshow],[onfocus]') === null,
    refreshSeconds: Number.isFinite(seconds) ? seconds : null,
  }
})()`

export interface Extract {
  html: string
  baseUri: string
  elementCount: number
}

/** The document as it is now; open shadow roots appear as \`<template shadowrootmode="open">\`. */
export const extractSource = `(() => {
  const roots = []
  let elementCount = 0
  const visit = root => {
    for (const element of root.querySelectorAll('*')) {
      elementCount += 1
      const shadow = element.shadowRoot
      if (shadow !== null) { roots.push(shadow); visit(shadow) }
    }
  }
  visit(document)
  const type = document.doctype === null ? '' : new XMLSerializer().serializeToString(document.doctype)
  const root = document.documentElement
  let html = root === null ? '' : root.outerHTML
  if (root !== null && roots.length > 0 && typeof root.getHTML === 'function') {
    const open = root.cloneNode(false).outerHTML
    const end = open.lastIndexOf('</')
    html = open.slice(0, end) + root.getHTML({ shadowRoots: roots }) + open.slice(end)
  }
  return { html: type + html, baseUri: document.baseURI, elementCount }
})()`
