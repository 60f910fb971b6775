/** Bodies of which no part is meant ill, where several parts must fit together; by operation id. */

const later = { delay: '1h', tenant: 'acme' }
const everyHour = { every: '1h' }
const inParis = { cron: '30 2 * * *', timeZone: 'Europe/Paris' }
const ofEcho = { type: 'ECHO', payload: { text: 'x' } }
/** Its error is of a cause that is known already. */
const ofFail = { type: 'FAIL', payload: { message: 'order 7 is lost' } }

const bodies: Readonly<Record<string, readonly unknown[]>> = {
  enqueueJob: [
    ofEcho,
    { ...ofEcho, ...later },
    { ...ofFail, tenant: 'acme' },
    { type: 'ASK', payload: {} },
    { type: 'HOLD', payload: {}, ...later },
    { type: 'VISIT', payload: { site: 's1', note: 'a text to look for' } },
  ],
  enqueueJobs: [
    { jobs: [ofEcho, ofFail, { type: 'NOBODYS', payload: 1 }] },
    { jobs: [{ ...ofEcho, ...later, idempotencyKey: 'one' }] },
  ],
  editJob: [{ priority: 2 }, { queue: 'spare' }, { runAt: '2999-01-01T00:00:00Z' }],
  cancelJob: [{ reason: 'enough' }],
  retryJob: [{}, { forgetSteps: true }, { payload: { text: 'another' } }],
  sendSignal: [{ name: 'answer', payload: { yes: true } }, { name: 'answer' }],
  bulkJobs: [
    { action: { do: 'cancel' }, filter: { type: ['HOLD'] }, dryRun: false },
    { action: { do: 'cancel' }, everything: true, filter: {} },
    { action: { do: 'retry' }, filter: { state: ['dead'], type: ['FAIL'] }, dryRun: false },
    { action: { do: 'remove' }, filter: { where: ['site=s1'] }, dryRun: false },
    { action: { do: 'move', queue: 'spare' }, filter: { tenant: 'acme', type: ['ASK'] }, dryRun: false },
    { action: { do: 'reprioritise', priority: 3 }, filter: { queue: ['fast'] }, dryRun: false },
  ],
  redriveDeadLetter: [{}, { canary: 1, dryRun: false }, { type: 'FAIL', factor: 2 }],
  editQueue: [{ maxQueued: null }, { paused: false }, { maxQueued: 1_000_000, paused: false }],
  putSchedule: [
    { ...ofEcho, ...everyHour, tenant: 'acme' },
    { ...ofEcho, ...inParis, overlap: 'skip', priority: 3 },
    { ...ofFail, every: '1s', misfire: 'fire-once' },
  ],
  previewRule: [inParis, { ...everyHour, count: 3, after: '2026-03-28T12:00:00Z' }],
  login: [{ token: 'admin-of-the-fuzz' }],
}

export const sensible: Readonly<Record<string, readonly string[]>> = Object.fromEntries(
  Object.entries(bodies).map(([id, each]) => [id, each.map(body => JSON.stringify(body))]),
)
