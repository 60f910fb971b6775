import { describe } from 'vitest'
import { testingCases } from './testing.ts'

describe('a test’s own system', testingCases)
