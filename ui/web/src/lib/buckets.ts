// How wide the histogram's bars are: the narrowest round width that gives no more bars than fit.

const S = 1000;
const M = 60 * S;
const H = 60 * M;
const D = 24 * H;

const WIDTHS: readonly [number, string][] = [
  [S, '1s'], [2 * S, '2s'], [5 * S, '5s'], [10 * S, '10s'], [15 * S, '15s'], [30 * S, '30s'],
  [M, '1m'], [2 * M, '2m'], [5 * M, '5m'], [10 * M, '10m'], [15 * M, '15m'], [30 * M, '30m'],
  [H, '1h'], [2 * H, '2h'], [3 * H, '3h'], [6 * H, '6h'], [12 * H, '12h'],
  [D, '1d'], [2 * D, '2d'], [7 * D, '7d'], [14 * D, '14d'], [30 * D, '30d'], [90 * D, '90d'], [365 * D, '365d'],
];

export interface Span {
  ms: number;
  /** As the language spells it. */
  text: string;
}

export function chooseSpan(from: number, to: number, maxBars: number): Span {
  const needed = (to - from) / Math.max(1, maxBars);
  const [ms, text] = WIDTHS.find(([width]) => width >= needed) ?? [365 * D, '365d'];
  return { ms, text };
}
