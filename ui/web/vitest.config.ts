import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';

// The tests are of functions and of state, without a browser; the plugin is there for the runes of the state.
export default defineConfig({ plugins: [svelte()], test: { include: ['src/**/*.test.ts'], environment: 'node' } });
