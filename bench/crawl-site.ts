import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/**
 * A site of `pages` plain pages of about 5 kB and 35 links each, in a process of its own: `crawl-site.ts PAGES` tells its
 * parent the port.
 */
const pages = Number(process.argv[2] ?? 1_000)
const digits = 'abcdefghij'

// Names without numbers: many addresses that differ only in a number look like a trap, and rightly so.
const nameOf = (n: number): string => `${Array.from(String(n), digit => digits[Number(digit)]).join('')}page`
const numberOf = (name: string): number =>
  Number(Array.from(name.slice(0, -'page'.length), letter => digits.indexOf(letter)).join(''))
const words = (seed: number, count: number): string =>
  Array.from({ length: count }, (_, index) => `w${(seed * 7_919 + index * 104_729) % 5_000}`).join(' ')
const link = (n: number, text: string): string => `<li><a href="/p/${nameOf(n)}">${text} ${n}</a></li>`
const list = (count: number, item: (index: number) => string): string =>
  `<ul>${Array.from({ length: count }, (_, index) => item(index)).join('')}</ul>`

function page(n: number): string {
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Page ${n} of a site to be crawled</title>
<meta name="description" content="${words(n, 15)}"><meta name="viewport" content="width=device-width"></head>
<body><header><nav>${list(15, index => link(index, 'Section'))}</nav></header><main><h1>Page ${n}</h1>
${Array.from({ length: 8 }, (_, index) => `<p>${words(n * 10 + index, 60)}</p>`).join('\n')}
${list(20, index => link((n * 20 + index + 1) % pages, 'On to page'))}</main><footer>The end</footer></body></html>`
}

const server = createServer((request, response) => {
  const name = /^\/p\/([a-j]+page)$/.exec(request.url ?? '')?.[1]
  const n = request.url === '/' ? 0 : name === undefined ? -1 : numberOf(name)
  if (n < 0 || n >= pages)
    return void response.writeHead(404, { 'content-type': 'text/html' }).end('<title>no</title>')
  response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(page(n))
})
server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port))
