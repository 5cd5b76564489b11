import { describe, expect, it } from 'vitest';
import { bars, paths, ranksIn, type Table } from './histogram';

const T0 = '2026-03-01T06:00:00Z';
const T1 = '2026-03-01T06:01:00Z';
const at0 = Date.parse(T0);

describe('bars', () => {
  it.each<[string, Table]>([
    ['a column a level', { columns: ['_time', 'error', 'info', 'null'], rows: [[T0, 1, 5, 2], [T1, 0, null, 0]] }],
    ['a row a level', { columns: ['_time', 'log.level', 'count'], rows: [[T0, 'error', 1], [T0, 'info', 5], [T0, null, 2], [T1, null, 0]] }],
  ])('%s', (_name, table) => {
    const all = bars(table);
    expect(all.map((bar) => bar.total)).toEqual([8, 0]);
    expect(all[0]?.counts).toEqual({ error: 1, warn: 0, info: 5, quiet: 0, none: 2 });
    expect(ranksIn(all)).toEqual(['error', 'info', 'none']);
  });

  it('without levels', () => {
    expect(bars({ columns: ['_time', 'count'], rows: [[T0, 3]] })[0]?.counts.none).toBe(3);
  });
});

it('paths stay in the frame', () => {
  const all = bars({ columns: ['_time', 'error', 'info'], rows: [[T0, 1, 999], [T1, 0, 1]] });
  const drawn = paths(all, { from: at0, to: at0 + 120_000, spanMs: 60_000, width: 100, height: 50 });
  expect(drawn.map((path) => path.rank)).toEqual(['error', 'info']);
  const numbers = drawn.flatMap((path) => path.d.match(/[\d.]+/g) ?? []).map(Number);
  expect(Math.min(...numbers)).toBeGreaterThanOrEqual(0);
  expect(Math.max(...numbers)).toBeLessThanOrEqual(100);
});
