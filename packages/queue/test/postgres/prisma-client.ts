import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

/** What is used of a generated Prisma client. */
export interface PrismaNotes {
  $transaction<T>(work: (tx: PrismaNotesTransaction) => Promise<T>): Promise<T>
  $connect(): Promise<void>
  $disconnect(): Promise<void>
  $queryRawUnsafe<T = unknown>(text: string, ...values: unknown[]): Promise<T>
}

export interface PrismaNotesTransaction {
  $queryRawUnsafe<T = unknown>(text: string, ...values: unknown[]): Promise<T>
  note: { create(options: { data: { note: string } }): Promise<unknown> }
}

const modules = fileURLToPath(new URL('../../../../node_modules', import.meta.url))

const schema = `
generator client {
  provider = "prisma-client"
  output   = "./generated"
}
datasource db {
  provider = "postgresql"
}
model Note {
  id   BigInt @id @default(autoincrement())
  note String
  @@map("notes")
}
`

/**
 * A client as `prisma generate` makes it, with adapter-pg. Prisma would download a schema engine, which generating does
 * not run: any program in its place will do.
 */
export async function generatePrisma(url: string): Promise<{ prisma: PrismaNotes; remove(): void }> {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-prisma-'))
  symlinkSync(modules, join(folder, 'node_modules'))
  writeFileSync(join(folder, 'schema.prisma'), schema)
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
  execFileSync(
    process.execPath,
    [join(modules, 'prisma/build/index.js'), 'generate', '--schema', 'schema.prisma'],
    {
      cwd: folder,
      stdio: 'pipe',
      env: {
        ...process.env,
        PRISMA_SCHEMA_ENGINE_BINARY: process.execPath,
        PRISMA_HIDE_UPDATE_MESSAGE: '1',
        CHECKPOINT_DISABLE: '1',
      },
    },
  )
  const { PrismaClient } = (await import(
    /* @vite-ignore */ pathToFileURL(join(folder, 'generated/client.ts')).href
  )) as { PrismaClient: new (options: { adapter: unknown }) => PrismaNotes }
  const { PrismaPg } = await import('@prisma/adapter-pg')
  const prisma = new PrismaClient({ adapter: new PrismaPg({ connectionString: url }) })
  return { prisma, remove: () => rmSync(folder, { recursive: true, force: true }) }
}
