// npm ci && npm run build && pm2 start deploy/ecosystem.config.cjs, in the folder of the application.
const shared = {
  script: 'packages/cli/bin/millrace.js',
  interpreter: 'node',
  // One process each: more of `start` would want the same port. More work is more workers.
  exec_mode: 'fork',
  // Longer than the 25 s that running jobs get to finish.
  kill_timeout: 40_000,
  env: { NODE_ENV: 'production' },
}

module.exports = {
  apps: [
    { ...shared, name: 'millrace', args: 'start', instances: 1 },
    { ...shared, name: 'millrace-worker', args: 'worker', instances: 2 },
  ],
}
