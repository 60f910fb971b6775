import { spawn } from 'node:child_process'

export interface Step {
  name: string
  command: string
  args: string[]
  env?: Record<string, string>
}

/** Runs one command with this process's terminal. Answers its exit code. */
export function run(step: Step): Promise<number> {
  console.log(`\n▸ ${step.name}`)
  return new Promise(resolve => {
    const child = spawn(step.command, step.args, { stdio: 'inherit', env: { ...process.env, ...step.env } })
    child.on('error', error => {
      console.error(`${step.command}: ${error.message}`)
      resolve(1)
    })
    child.on('exit', (code, signal) => {
      if (signal) console.error(`${step.command} was ended by ${signal}`)
      resolve(signal ? 1 : (code ?? 1))
    })
  })
}
