// A `timechart` table as the histogram's bars. Takes both shapes a table can have: one column a level, or one row a level.

import type { Json } from './event';
import { rankOf, STACK, type Rank } from './severity';

export interface Table {
  columns: string[];
  rows: Json[][];
}

export interface Bar {
  at: number;
  total: number;
  counts: Record<Rank, number>;
}

const none = (): Record<Rank, number> => ({ error: 0, warn: 0, info: 0, quiet: 0, none: 0 });

export function bars(table: Table): Bar[] {
  const long = table.columns.indexOf('log.level');
  const found = new Map<number, Bar>();
  for (const row of table.rows) {
    const at = instantOf(row[0]);
    if (Number.isNaN(at)) continue;
    const bar = found.get(at) ?? { at, total: 0, counts: none() };
    found.set(at, bar);
    if (long > 0) add(bar, row[long], row.find((_, column) => column > 0 && column !== long));
    else table.columns.forEach((column, at) => at > 0 && add(bar, column, row[at]));
  }
  return [...found.values()].sort((a, b) => a.at - b.at);
}

function add(bar: Bar, level: Json | undefined, value: Json | undefined): void {
  const n = Number(value ?? 0);
  if (!(n > 0)) return;
  bar.counts[rankOf(level)] += n;
  bar.total += n;
}

function instantOf(value: Json | undefined): number {
  return typeof value === 'number' ? value : Date.parse(String(value));
}

/** Ranks that occur, in stacking order. */
export function ranksIn(all: readonly Bar[]): Rank[] {
  return STACK.filter((rank) => all.some((bar) => bar.counts[rank] > 0));
}

export interface Frame {
  from: number;
  to: number;
  spanMs: number;
  width: number;
  height: number;
}

/** One SVG path for each rank. Bars have whole pixels and a pixel between them where there is room. */
export function paths(all: readonly Bar[], frame: Frame): { rank: Rank; d: string }[] {
  const top = Math.max(1, ...all.map((bar) => bar.total));
  const x = (at: number): number => Math.round(((at - frame.from) / (frame.to - frame.from)) * frame.width);
  const d = new Map<Rank, string>();
  for (const bar of all) {
    const left = Math.max(0, x(bar.at));
    const right = Math.min(frame.width, x(bar.at + frame.spanMs));
    if (right <= left) continue;
    stack(bar, left, Math.max(left + 1, right - (right - left > 3 ? 1 : 0)), frame.height, top, d);
  }
  return STACK.flatMap((rank) => (d.has(rank) ? [{ rank, d: d.get(rank) ?? '' }] : []));
}

function stack(bar: Bar, left: number, right: number, height: number, top: number, d: Map<Rank, string>): void {
  let base = height;
  for (const rank of STACK) {
    const n = bar.counts[rank];
    if (n === 0) continue;
    // What exists is seen: at least a pixel and a half.
    const up = Math.max(0, base - Math.max(1.5, (n / top) * (height - 4)));
    d.set(rank, `${d.get(rank) ?? ''}M${left} ${base.toFixed(1)}V${up.toFixed(1)}H${right}V${base.toFixed(1)}Z`);
    base = up;
  }
}
