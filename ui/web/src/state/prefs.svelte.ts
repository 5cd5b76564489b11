// What a person prefers, kept in this browser: colours, density, zone, sizes of the panes.

import { MediaQuery } from 'svelte/reactivity';
import type { Zone } from '../lib/format';

export type Theme = 'auto' | 'light' | 'dark';
export type Density = 'compact' | 'comfortable';

const KEY = 'locard.prefs';

interface Stored {
  theme: Theme;
  density: Density;
  zone: Zone;
  sidebar: boolean;
  detailHeight: number;
}

const FIRST: Stored = { theme: 'auto', density: 'compact', zone: 'local', sidebar: true, detailHeight: 300 };

function load(): Stored {
  try {
    return { ...FIRST, ...(JSON.parse(localStorage.getItem(KEY) ?? '{}') as Partial<Stored>) };
  } catch {
    return FIRST;
  }
}

const systemDark = new MediaQuery('(prefers-color-scheme: dark)');

class Prefs {
  theme = $state<Theme>('auto');
  density = $state<Density>('compact');
  zone = $state<Zone>('local');
  sidebar = $state(true);
  detailHeight = $state(300);

  constructor() {
    Object.assign(this, load());
  }

  get rowHeight(): number {
    return this.density === 'compact' ? 22 : 28;
  }

  get isDark(): boolean {
    return this.theme === 'dark' || (this.theme === 'auto' && systemDark.current);
  }

  toggleTheme(): void {
    this.theme = this.isDark ? 'light' : 'dark';
  }

  /** Writes to the browser and to the page; call it from an effect. */
  apply(): void {
    const { theme, density, zone, sidebar, detailHeight } = this;
    document.documentElement.dataset.theme = theme;
    document.documentElement.dataset.density = density;
    localStorage.setItem(KEY, JSON.stringify({ theme, density, zone, sidebar, detailHeight } satisfies Stored));
  }
}

export const prefs = new Prefs();
