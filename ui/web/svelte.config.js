import { vitePreprocess } from '@sveltejs/vite-plugin-svelte';

export default {
  preprocess: vitePreprocess(),
  // Styles go into the one stylesheet: the Content-Security-Policy allows no inline style.
  compilerOptions: { css: 'external', runes: true },
};
