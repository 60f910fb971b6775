import type { MillraceConfig } from '@millrace/cli'
import { seology } from '@millrace/seology'

export default { modules: [seology()] } satisfies MillraceConfig
