export type { MillraceConfig } from './config.ts'
