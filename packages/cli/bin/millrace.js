#!/usr/bin/env node
// Plain JavaScript, so that a Node that is too old gets as far as the sentence below.
import module from 'node:module'
import v8 from 'node:v8'

const [major, minor] = process.versions.node.split('.').map(Number)
if (major < 22 || (major === 22 && minor < 13)) {
  console.error(`millrace: Node ${process.versions.node} is too old; Millrace needs Node 22.13 or newer.`)
  process.exitCode = 1
} else {
  // Node lets the space for short-lived objects grow to many times what a worker needs; this keeps some 40 MB.
  v8.setFlagsFromString('--semi-space-growth-factor=1')
  // Halves the time to start from the second time on.
  module.enableCompileCache()
  // Node 22 calls node:sqlite experimental. Everything else that warns is heard.
  process.removeAllListeners('warning')
  process.on('warning', warning => {
    if (warning.name !== 'ExperimentalWarning') console.error(`millrace: ${warning.stack}`)
  })
  const { main } = await import('@millrace/cli/main')
  await main(process.argv.slice(2))
}
