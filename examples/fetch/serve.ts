import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { toNodeHandler } from '@millrace/api/node'
import app from './app.ts'

/** Node has no server for such a function; `bun app.ts` and `deno serve app.ts` have. */
const server = createServer(toNodeHandler(app))
server.listen(Number(process.env.PORT ?? 3000), () =>
  console.log(`listening on http://127.0.0.1:${(server.address() as AddressInfo).port}`),
)
