import { join } from 'node:path'
import { defineConfig } from 'vitest/config'

/** Workspace packages are tested as their sources stand; see `exports` in their package.json. */
const conditions = ['millrace-source']
const shared = {
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
}

/** Generous, because a loaded machine is slow and no test waits for time to pass. */
const timeouts = { testTimeout: 60_000, hookTimeout: 60_000, teardownTimeout: 20_000 }

/** Hundreds of processes are started and killed: each would compile the sources anew, which takes longer than most live. */
const env = { NODE_COMPILE_CACHE: join(import.meta.dirname, 'node_modules/.cache/node-compile') }

function project(name: string, include: string[], more: object = {}) {
  return {
    ...shared,
    test: {
      name,
      include,
      env,
      ...timeouts,
      execArgv: conditions.map(each => `--conditions=${each}`),
      ...more,
    },
  }
}

export default defineConfig({
  ...shared,
  test: {
    maxWorkers: 2,
    projects: [
      project('unit', ['packages/*/src/**/*.test.ts', 'apps/*/src/**/*.test.ts', 'scripts/**/*.test.ts']),
      project('conformance', ['packages/queue/test/conformance/**/*.test.ts']),
      project('postgres', ['packages/queue/test/postgres/**/*.test.ts']),
      project('types', ['packages/queue/test/types/**/*.test.ts']),
      project('crash', ['packages/queue/test/crash/**/*.test.ts']),
      project('api', ['packages/api/test/**/*.test.ts']),
      project('client', ['packages/client/test/**/*.test.ts']),
      project('cli', ['packages/cli/test/**/*.test.ts']),
      project('apps', ['apps/*/test/**/*.test.ts']),
      project('package', ['test/**/*.test.ts']),
      project('examples', ['examples/test/**/*.test.ts', 'deploy/test/**/*.test.ts'], {
        globalSetup: 'examples/test/set-up.ts',
        testTimeout: 600_000,
        hookTimeout: 600_000,
      }),
    ],
  },
})
