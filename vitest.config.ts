import { defineConfig } from 'vitest/config'

/** Workspace packages are tested as their sources stand; see `exports` in their package.json. */
const conditions = ['millrace-source']
const shared = {
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
}

/** Generous, because a loaded machine is slow and no test waits for time to pass. */
const timeouts = { testTimeout: 60_000, hookTimeout: 60_000, teardownTimeout: 20_000 }

function project(name: string, include: string[]) {
  return {
    ...shared,
    test: { name, include, ...timeouts, execArgv: conditions.map(each => `--conditions=${each}`) },
  }
}

export default defineConfig({
  ...shared,
  test: {
    maxWorkers: 2,
    projects: [
      project('unit', ['packages/*/src/**/*.test.ts', 'apps/*/src/**/*.test.ts', 'scripts/**/*.test.ts']),
      project('conformance', ['packages/queue/test/conformance/**/*.test.ts']),
      project('types', ['packages/queue/test/types/**/*.test.ts']),
      project('crash', ['packages/queue/test/crash/**/*.test.ts']),
      project('api', ['packages/api/test/**/*.test.ts']),
      project('cli', ['packages/cli/test/**/*.test.ts']),
      project('apps', ['apps/*/test/**/*.test.ts']),
      project('package', ['test/**/*.test.ts']),
    ],
  },
})
