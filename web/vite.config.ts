import { fileURLToPath } from 'node:url';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';
import { devConfig } from './vite/dev-config.ts';

export default defineConfig({
  plugins: [react(), devConfig()],
  resolve: { alias: { '@': fileURLToPath(new URL('./src', import.meta.url)) } },
  build: {
    target: 'es2022',
    manifest: true,
    // `octopush web` sends `script-src 'self'`: nothing may be inlined as data: or blob: code.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  test: {
    environment: 'jsdom',
    setupFiles: ['src/test/setup.ts'],
    css: false,
    include: ['src/**/*.test.{ts,tsx}'],
    restoreMocks: true,
    // Longer than the wait for one condition (src/test/setup.ts).
    testTimeout: 20_000,
  },
});
