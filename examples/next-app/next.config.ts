import type { NextConfig } from 'next'

export default {
  // Loaded by Node as they are: a bundle has no use for a copy of the store's driver.
  serverExternalPackages: ['millrace', '@millrace/api'],
} satisfies NextConfig
