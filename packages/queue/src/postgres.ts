/** The PostgreSQL engine and what belongs to it alone. Most applications need only `openEngine('postgres://…')`. */
export { PostgresEngine } from './engines/postgres/engine.ts'
export { examine, type ExamineOptions, type Finding } from './engines/postgres/doctor.ts'
export type { PostgresOptions } from './engines/postgres/connect.ts'
export type { PostgresTransaction } from './engines/postgres/foreign-transaction.ts'
