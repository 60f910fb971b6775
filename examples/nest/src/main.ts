import 'reflect-metadata'
import { toNodeHandler } from '@millrace/api/node'
import { NestFactory } from '@nestjs/core'
import { AppModule } from './app.module.js'
import { queue } from './queue.js'

await queue.open()
const app = await NestFactory.create(AppModule, { logger: ['error', 'warn'] })
// The prefix is taken off: the API's own paths are /queue/api/v1/…
app.use('/queue', toNodeHandler(queue))
await app.listen(Number(process.env.PORT ?? 3000))
console.log(`listening on ${await app.getUrl()}`)
