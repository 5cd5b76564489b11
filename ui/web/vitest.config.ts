import { defineConfig } from 'vitest/config';

// The tests are of pure functions: no browser, no Svelte.
export default defineConfig({ test: { include: ['src/**/*.test.ts'], environment: 'node' } });
