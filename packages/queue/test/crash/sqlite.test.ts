import { describeCrash } from './describe.ts'
import { describeDisk } from './sqlite-disk.ts'
import { sqliteTarget } from './sqlite.ts'

describeCrash(sqliteTarget)
describeDisk()
