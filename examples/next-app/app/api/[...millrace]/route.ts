import { toNextRoutes } from '@millrace/api/next'
import { queue } from '../../../lib/queue'

/** The longest a drain may take on the platform, in seconds: its budget, the handlers' grace, and room to answer. */
export const maxDuration = 60

export const { GET, POST, PUT, PATCH, DELETE, HEAD, OPTIONS } = toNextRoutes(queue)
