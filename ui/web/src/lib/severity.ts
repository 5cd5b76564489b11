// Log levels as the console shows them: four ranks, each with a shape besides its colour.

export type Rank = 'quiet' | 'info' | 'warn' | 'error' | 'none';

const RANKS: Record<string, Rank> = {
  trace: 'quiet', debug: 'quiet',
  info: 'info', notice: 'info',
  warn: 'warn', warning: 'warn',
  error: 'error', fatal: 'error', critical: 'error',
};

const SHAPES: Record<Rank, string> = { none: '\u00b7', quiet: '\u25cb', info: '\u25d4', warn: '\u25cf', error: '\u25c6' };

/** From the bottom of a histogram's bar to its top. */
export const STACK: readonly Rank[] = ['error', 'warn', 'info', 'quiet', 'none'];

export const RANK_NAMES: Record<Rank, string> = {
  error: 'error, fatal', warn: 'warn', info: 'info, notice', quiet: 'debug, trace', none: 'no level',
};

export function rankOf(level: unknown): Rank {
  return (typeof level === 'string' && RANKS[level.toLowerCase()]) || 'none';
}

export function shapeOf(rank: Rank): string {
  return SHAPES[rank];
}
