import { Body, Controller, Get, HttpCode, Module, Param, Post } from '@nestjs/common'
import { greet, queue } from './queue.js'

@Controller('greetings')
class GreetingsController {
  @Post()
  @HttpCode(202)
  async create(@Body() body: { name: string }): Promise<{ id: string }> {
    const { id } = await (await queue.millrace()).enqueue(greet, { name: body.name })
    return { id }
  }

  @Get(':id')
  async result(@Param('id') id: string): Promise<{ result: unknown }> {
    const millrace = await queue.millrace()
    return { result: await millrace.result(id, { timeoutMs: 10_000 }) }
  }
}

@Module({ controllers: [GreetingsController] })
export class AppModule {}
