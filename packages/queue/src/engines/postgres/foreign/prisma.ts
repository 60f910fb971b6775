import { type Handle, membersOf, offers, refused, type Row } from './handle.ts'

/** The `tx` of `prisma.$transaction(async tx => …)` of Prisma on PostgreSQL. */
export interface PrismaTransaction {
  $queryRawUnsafe<T = unknown>(text: string, ...values: unknown[]): PromiseLike<T>
  $connect?: never
}

export function prismaHandle(tx: unknown): Handle | null {
  const members = membersOf(tx)
  if (!members || !offers(members, '$queryRawUnsafe')) return null
  if (offers(members, '$connect'))
    throw refused('tx is a Prisma client: pass the tx that prisma.$transaction(async tx => …) hands out')
  const prisma = tx as PrismaTransaction
  return {
    home: membersOf(members['_originalClient']) ?? prisma,
    query: async (text, values) => prisma.$queryRawUnsafe<Row[]>(text, ...values),
  }
}
