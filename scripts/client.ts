import { mkdirSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { openApi, operations, version } from '@millrace/api'
import { clientSource } from './client/client-source.ts'

/** `npm run client`: writes the client's types and operations anew from the HTTP contract. */
const folder = fileURLToPath(new URL('../packages/client/src/contract/', import.meta.url))
mkdirSync(folder, { recursive: true })
const files = clientSource(openApi(operations, version), operations)
for (const [name, text] of Object.entries(files)) writeFileSync(`${folder}${name}`, text)
console.log(`${Object.keys(files).join(', ')} written to packages/client/src/contract`)
